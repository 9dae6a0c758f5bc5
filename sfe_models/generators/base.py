"""What a generator of any family offers to the rest, and the values that its runs pass on.

Layers are counted by the latents they read: outs[0] is the constant input, and outs[n] reads w[0] ... w[n - 1]
and nothing else. So F_k reads the first k latents in every family.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

# Rows of a matrix that a fingerprint reads.
_ROWS = 16


class SpecError(ValueError):
    """A description of networks whose parts do not fit together."""


class GeneratorSpec(Protocol):
    """The sizes of a generator.

    resolution: side of its picture in px; n_styles: latents of a W+ code; n_layers: number of the last layer;
    mapping_layers: linear layers between z and w.
    """

    resolution: int
    style_dim: int
    mapping_layers: int

    @property
    def n_styles(self) -> int: ...

    @property
    def n_layers(self) -> int: ...

    @property
    def picture_layers(self) -> dict[int, int]:
        """The layers after which there is a picture, by its side in px, the first layer first.

        What makes the picture after outs[n] reads w[n] beside the features: it drives the RGB style vector.
        """
        ...

    @property
    def stylegan2_latents(self) -> tuple[int, ...]:
        """For each latent, the one of a StyleGAN2 of the same picture size that it stands for."""
        ...

    def layer_channels(self, layer: int) -> int:
        """Channels of outs[layer]."""
        ...

    def layer_resolution(self, layer: int) -> int:
        """Side in px of outs[layer]."""
        ...

    def fit_latents(self, w_plus: Tensor) -> Tensor:
        """Bring latents [...,M,D] of another layout that this family knows to its own: [...,n_styles,D].

        Raises SpecError for a number of latents that it cannot place.
        """
        ...


@dataclass(frozen=True)
class StyleSpace:
    """The style vectors of all layers (StyleSpace, Wu et al. 2021).

    convs: one [B,C] for each layer; rgbs: one [B,C] for each layer that makes a picture. The tuples may be cut short
    when only the first layers are wanted.
    """

    convs: tuple[Tensor, ...]
    rgbs: tuple[Tensor, ...]

    def __repr__(self) -> str:
        return f"StyleSpace(batch={len(self)}, convs={len(self.convs)}, rgbs={len(self.rgbs)})"

    def map(self, function) -> StyleSpace:
        """Apply `function` to every style vector."""
        return StyleSpace(tuple(map(function, self.convs)), tuple(map(function, self.rgbs)))

    def __len__(self) -> int:
        return len(self.convs[0])

    def __getitem__(self, index) -> StyleSpace:
        return self.map(lambda s: s[index])

    @staticmethod
    def cat(parts: Sequence[StyleSpace]) -> StyleSpace:
        """Join batches; a single one stays as it is."""
        if len(parts) == 1:
            return parts[0]
        return StyleSpace(
            tuple(torch.cat(s) for s in zip(*(p.convs for p in parts), strict=True)),
            tuple(torch.cat(s) for s in zip(*(p.rgbs for p in parts), strict=True)),
        )


@dataclass(frozen=True)
class SynthesisState:
    """A generator stopped after a layer.

    features: outs[layer], [B,C,r,r]; carried: what else the family takes along, each [B,...], opaque to everybody
    else; read: the features asked for on the way, by layer.
    """

    layer: int
    features: Tensor
    carried: tuple[Tensor, ...] = ()
    read: dict[int, Tensor] = field(default_factory=dict)

    def __getitem__(self, index) -> SynthesisState:
        return SynthesisState(self.layer, self.features[index], tuple(part[index] for part in self.carried))

    def __repr__(self) -> str:
        return f"SynthesisState(layer={self.layer}, features={tuple(self.features.shape)})"

    @staticmethod
    def cat(states: Sequence[SynthesisState]) -> SynthesisState:
        """Join batches that stopped after the same layer; a single one stays as it is."""
        if len(states) == 1:
            return states[0]
        carried = zip(*(state.carried for state in states), strict=True)
        features = torch.cat([state.features for state in states])
        return SynthesisState(states[0].layer, features, tuple(torch.cat(parts) for parts in carried))


class Generator(Protocol):
    """A style-based generator, cut open where SFE needs it. A family is a torch module that also is this.

    latent_avg: the mean of w, [style_dim].
    """

    spec: GeneratorSpec
    latent_avg: Tensor

    def mapping(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """Map z [B,style_dim] to w [B,style_dim]; truncation < 1 pulls w towards `latent_avg`."""
        ...

    def style_space(self, w_plus: Tensor, layers: int | None = None) -> StyleSpace:
        """Compute the style vectors of a W+ code [B,N,style_dim]; with `layers`, those of a run up to outs[layers]."""
        ...

    def first_styles(self, styles: StyleSpace, layers: int) -> StyleSpace:
        """Cut style vectors to those of a run up to outs[layers]."""
        ...

    def style_maps(self) -> tuple[tuple[Tensor, ...], ...]:
        """List the linear maps from w to style vectors by latent: for each of n_styles, weights [C,style_dim]."""
        ...

    def layers(self) -> list[nn.Module]:
        """List the modules that make outs[1], outs[2], ..., in order."""
        ...

    def start(self, batch: int) -> SynthesisState:
        """Begin with the constant input, outs[0]."""
        ...

    def run(
        self,
        state: SynthesisState,
        styles: StyleSpace,
        stop_layer: int | None = None,
        *,
        read_layers: Sequence[int] = (),
        change: Callable[[int, Tensor], Tensor] | None = None,
        noise: str | int = "stored",
        features_only: bool = False,
    ) -> SynthesisState:
        """Run from `state` to outs[stop_layer] (the last by default) and what is carried there.

        read_layers: layers whose features come back in `read`. change: called with the number and the features of each
        of them; what it returns, of the same shape, takes their place before anything else reads them. noise: "stored",
        "none", "random" or a seed. features_only: leave out what only pictures need. The features after the last layer
        of a whole run may be dropped (an empty tensor) unless read.
        """
        ...

    def picture(self, state: SynthesisState) -> Tensor:
        """Return the picture [B,3,R,R], about [-1,1], float32, of a state after one of `picture_layers`."""
        ...

    def broadcast(self, w: Tensor) -> Tensor:
        """Repeat w [B,style_dim] for every layer: W+ code [B,n_styles,style_dim]."""
        ...

    def synthesize(self, styles: StyleSpace, *, noise: str | int = "stored") -> Tensor:
        """Make pictures [B,3,R,R], about [-1,1], from style vectors."""
        ...

    def __call__(self, w_plus: Tensor, *, noise: str | int = "stored") -> Tensor:
        """Make pictures [B,3,R,R], about [-1,1], from W+ codes [B,N,style_dim]."""
        ...

    def mean_latent(self, samples: int = 65536) -> Tensor:
        """Estimate the mean of w over `samples` seeded draws: [style_dim]."""
        ...

    def fingerprint(self) -> str:
        """Name these weights by a few digits, the same in every dtype and on every device."""
        ...

    def stored_dtype(self, name: str, tensor: Tensor, dtype: torch.dtype, feature_layer: int) -> torch.dtype:
        """Say in which type a floating point tensor of this generator stands in a model of type `dtype`.

        name: as in the state dict; feature_layer: k of F_k, up to which delta, a small difference, is computed.
        """
        ...

    def draw_weights(self, random: torch.Generator) -> None:
        """Fill all tensors with numbers drawn from `random` that keep activations near unit size."""
        ...


class GeneratorModule(nn.Module):
    """The methods of a `Generator` that follow from a family's others."""

    def broadcast(self, w: Tensor) -> Tensor:
        """Repeat w [B,style_dim] for every layer: W+ code [B,n_styles,style_dim]."""
        return w[:, None].expand(-1, self.spec.n_styles, -1)

    def synthesize(self, styles: StyleSpace, *, noise: str | int = "stored") -> Tensor:
        """Make pictures [B,3,R,R], about [-1,1], from style vectors."""
        return self.picture(self.run(self.start(len(styles)), styles, noise=noise))

    def forward(self, w_plus: Tensor, *, noise: str | int = "stored") -> Tensor:
        """Make pictures [B,3,R,R], about [-1,1], from W+ codes [B,N,style_dim]."""
        return self.synthesize(self.style_space(w_plus), noise=noise)

    @torch.no_grad()
    def fingerprint(self) -> str:
        """Name these weights by 16 hexadecimal digits, the same in every dtype and on every device.

        A hash of what every training step moves and no dtype of a model rounds (`SFENetworks.stored_dtype`): biases
        and strengths, and the first rows of the matrices of mapping and styles, all brought to float16. Mean, noise
        and convolutions are left out: they may be measured, drawn or rounded.
        """
        digest = hashlib.sha256()
        for name, values in sorted(self.named_parameters()):
            if values.ndim <= 2:
                part = values[:_ROWS] if values.ndim == 2 else values
                digest.update(name.encode() + part.detach().cpu().half().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    @torch.no_grad()
    def mean_latent(self, samples: int = 65536) -> Tensor:
        """Estimate the mean of w over `samples` seeded draws: [style_dim]."""
        random = torch.Generator().manual_seed(0)
        z = torch.randn(samples, self.spec.style_dim, generator=random)
        return self.mapping(z.to(self.latent_avg.device)).mean(dim=0)


def truncated(w: Tensor, latent_avg: Tensor, truncation: float) -> Tensor:
    """Pull w towards the mean: latent_avg + truncation * (w - latent_avg); 1 leaves it bit for bit."""
    return w if truncation == 1.0 else latent_avg + truncation * (w - latent_avg)


def noise_picture(kind: str | int, layer: int, stored: Tensor, batch: int) -> Tensor | None:
    """Return a layer's noise by `Generator.run`'s word for it: like `stored` [1,1,r,r], or [batch,1,r,r], or None."""
    if kind == "stored":
        return stored
    if kind == "none":
        return None
    shape = (batch, *stored.shape[1:])
    if kind == "random":
        return torch.randn(shape, device=stored.device, dtype=torch.promote_types(stored.dtype, torch.float32))
    if isinstance(kind, int):
        random = torch.Generator().manual_seed(kind * 64 + layer)
        return torch.randn(shape, generator=random).to(stored.device)
    raise ValueError(f"noise is {kind!r}; expected 'stored', 'none', 'random' or an integer seed.")
