"""The StyleGAN2 generator with RGB skips (Karras et al. 2020), cut open where SFE needs it.

Layers are counted as in the published SFE code: outs[0] is the constant input, outs[1] the 4 x 4 convolution,
outs[2l] and outs[2l+1] the upsampling and the second convolution of 2^(l+2) px. Convolution number i makes
outs[i+1] and reads w[i]; the RGB layer of 2^(l+2) px reads w[2l+1], which it shares with the next resolution's
upsampling convolution.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...domain import GeneratorSpec
from ...nn.convolution import arithmetic_dtype
from ..base import StyleSpace, SynthesisState
from .layers import MappingLayer, PixelNorm, StyledConv, ToRGB, wide
from .strips import MIN_RESOLUTION, synthesize_in_strips


class _Constant(nn.Module):
    """The learned 4 x 4 input."""

    def __init__(self, channels: int):
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, 4, 4))


class Generator(nn.Module):
    """StyleGAN2 generator.

    Parameter names are those of the published checkpoint (`g_ema`), less its constant `kernel` buffers.
    `latent_avg` [style_dim] is the mean of w, used for truncation and by the encoders.
    """

    def __init__(self, spec: GeneratorSpec):
        super().__init__()
        self.spec = spec
        channels, dim, clamp = spec.channels, spec.style_dim, spec.conv_clamp
        self.style = nn.Sequential(PixelNorm(), *(MappingLayer(dim, dim) for _ in range(spec.mapping_layers)))
        self.input = _Constant(channels[0])
        self.conv1 = StyledConv(channels[0], channels[0], dim, clamp=clamp)
        self.to_rgb1 = ToRGB(channels[0], dim, clamp)
        self.convs, self.to_rgbs = nn.ModuleList(), nn.ModuleList()
        for before, after in zip(channels, channels[1:], strict=False):
            self.convs.append(StyledConv(before, after, dim, upsample=True, clamp=clamp))
            self.convs.append(StyledConv(after, after, dim, clamp=clamp))
            self.to_rgbs.append(ToRGB(after, dim, clamp))
        self.noises = nn.Module()
        for i in range(spec.n_layers):
            side = spec.layer_resolution(i + 1)
            self.noises.register_buffer(f"noise_{i}", torch.randn(1, 1, side, side))
        self.register_buffer("latent_avg", torch.zeros(dim))

    def conv(self, i: int) -> StyledConv:
        """Return convolution number i, which makes outs[i + 1]."""
        return self.conv1 if i == 0 else self.convs[i - 1]

    def to_rgb(self, i: int) -> ToRGB:
        """Return the RGB layer of 2^(i+2) px."""
        return self.to_rgb1 if i == 0 else self.to_rgbs[i - 1]

    def mapping(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """Map z [B,style_dim] to w [B,style_dim]; truncation < 1 pulls w towards `latent_avg`."""
        w = self.style(z.to(self.style[1].weight.dtype))
        return w if truncation == 1.0 else self.latent_avg + truncation * (w - self.latent_avg)

    def broadcast(self, w: Tensor) -> Tensor:
        """Repeat w [B,style_dim] for every layer: W+ code [B,n_styles,style_dim]."""
        return w[:, None].expand(-1, self.spec.n_styles, -1)

    @torch.no_grad()
    def mean_latent(self, samples: int = 65536, seed: int = 0) -> Tensor:
        """Estimate the mean of w over `samples` seeded draws: [style_dim]."""
        random = torch.Generator().manual_seed(seed)
        z = torch.randn(samples, self.spec.style_dim, generator=random)
        return self.mapping(z.to(self.latent_avg.device)).mean(dim=0)

    def style_space(self, w_plus: Tensor, layers: int | None = None) -> StyleSpace:
        """Compute the style vectors of a W+ code [B,N,style_dim]; with `layers`, of the first layers only.

        The RGB layers included are those that a run up to outs[layers] passes. N needs to be `layers` + 1 only
        if outs[layers] ends a resolution, whose RGB layer reads one latent more; without it, that RGB layer is
        left out.
        """
        layers = self.spec.n_layers if layers is None else layers
        n_rgbs = min((layers + 1) // 2, w_plus.shape[1] // 2)
        return StyleSpace(
            tuple(self.conv(i).conv.modulation(w_plus[:, i]) for i in range(layers)),
            tuple(self.to_rgb(i).conv.modulation(w_plus[:, 2 * i + 1]) for i in range(n_rgbs)),
        )

    def start(self, batch: int) -> SynthesisState:
        """Begin with the constant input, outs[0]."""
        constant = self.input.input.expand(batch, -1, -1, -1)
        return SynthesisState(0, constant, None)

    def _noise(self, kind: str | int, layer: int, x: Tensor) -> Tensor | None:
        """Return the noise picture of convolution `layer`: [1 or B,1,r,r]."""
        if kind == "stored":
            return getattr(self.noises, f"noise_{layer}")
        if kind == "none":
            return None
        side = self.spec.layer_resolution(layer + 1)
        shape = (len(x), 1, side, side)
        if kind == "random":
            return torch.randn(shape, device=x.device, dtype=wide(x.dtype))
        if isinstance(kind, int):
            random = torch.Generator().manual_seed(kind * 64 + layer)
            return torch.randn(shape, generator=random).to(x.device)
        raise ValueError(f"noise is {kind!r}; expected 'stored', 'none', 'random' or an integer seed.")

    def run(
        self,
        state: SynthesisState,
        styles: StyleSpace,
        stop_layer: int | None = None,
        *,
        read_layers: Sequence[int] = (),
        noise: str | int = "stored",
        rgb: bool = True,
    ) -> SynthesisState:
        """Run from `state` to outs[stop_layer] (the last by default) and the RGB skip that belongs to it.

        read_layers: layers whose features come back in `read`. noise: "stored", "none", "random" or a seed.
        rgb=False leaves the RGB layers out, for runs that only want features. The features after the last
        layer of a whole run are dropped (an empty tensor) unless read.
        """
        spec = self.spec
        stop = spec.n_layers if stop_layer is None else stop_layer
        if not state.layer <= stop <= spec.n_layers:
            raise ValueError(f"Cannot run from layer {state.layer} to layer {stop}; the last is {spec.n_layers}.")
        x, picture, layer = state.features, state.rgb, state.layer
        x = x.to(styles.convs[0].dtype).contiguous(memory_format=torch.channels_last)
        read = {}
        while layer < stop:
            if self._suits_strips(x, layer, stop, read_layers, rgb):
                x, picture = self._resolution_in_strips(x, picture, styles, layer, noise, keep=layer + 2 < stop)
                layer += 2
                continue
            x = self.conv(layer)(x, styles.convs[layer], self._noise(noise, layer, x))
            layer += 1
            if layer in read_layers:
                read[layer] = x
            if rgb and layer % 2:
                picture = self.to_rgb(layer // 2)(x, styles.rgbs[layer // 2], picture)
        return SynthesisState(layer, x, picture, read)

    def _suits_strips(self, x: Tensor, layer: int, stop: int, read_layers: Sequence[int], rgb: bool) -> bool:
        return (
            x.device.type == "cpu"
            and not torch.is_grad_enabled()
            and rgb
            and layer % 2 == 1
            and layer + 2 <= stop
            and not {layer + 1, layer + 2} & set(read_layers)
            and self.spec.conv_clamp is None
            and self.spec.layer_resolution(layer + 1) >= MIN_RESOLUTION
            and (stop == self.spec.n_layers or layer + 2 < stop)
        )

    def _resolution_in_strips(
        self, x: Tensor, picture: Tensor, styles: StyleSpace, layer: int, noise: str | int, keep: bool
    ) -> tuple[Tensor, Tensor]:
        parts = self.conv(layer), self.conv(layer + 1), self.to_rgb((layer + 1) // 2)
        noises = self._noise(noise, layer, x), self._noise(noise, layer + 1, x)
        vectors = styles.convs[layer], styles.convs[layer + 1], styles.rgbs[(layer + 1) // 2]
        x = x.to(arithmetic_dtype(parts[0].conv.weight))
        return synthesize_in_strips(*parts, x, picture, vectors, noises, keep)

    def synthesize(self, styles: StyleSpace, *, noise: str | int = "stored") -> Tensor:
        """Make pictures [B,3,R,R], about [-1,1], from style vectors."""
        return self.run(self.start(len(styles.convs[0])), styles, noise=noise).rgb

    def forward(self, w_plus: Tensor, *, noise: str | int = "stored") -> Tensor:
        """Make pictures [B,3,R,R], about [-1,1], from W+ codes [B,N,style_dim]."""
        return self.synthesize(self.style_space(w_plus), noise=noise)
