"""MobileStyleGAN (Belousov 2021, arXiv 2104.04767), cut open where SFE needs it.

outs[1] is the 4 px convolution; block I makes outs[2 + 3 I] (upsampled), outs[3 + 3 I] and outs[4 + 3 I]; layer n
reads w[n - 1]. The picture reads the last latent. There is no RGB skip, so nothing is carried before the picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base import GeneratorModule, StyleSpace, SynthesisState, noise_picture, truncated
from .layers import SLOPE, FirstLayer, SeparableLayer, ToPicture, Upsampling
from .spec import MobileStyleGANSpec
from .strips import MIN_RESOLUTION, BlockInputs, blocks_in_strips


class Mapping(nn.Module):
    """z to w: to unit root mean square, then linear layers, each with leaky ReLU 0.2 times sqrt 2."""

    def __init__(self, dim: int, layers: int):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(dim, dim) for _ in range(layers))

    def forward(self, z: Tensor) -> Tensor:
        """z: [B,D]. Returns [B,D]."""
        w = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.layers:
            w = F.leaky_relu(layer(w), SLOPE) * 2**0.5
        return w


class Block(nn.Module):
    """One resolution: upsampling and two convolutions."""

    def __init__(self, in_channels: int, out_channels: int, style_dim: int, side: int):
        super().__init__()
        self.up = Upsampling(in_channels, style_dim)
        self.conv1 = SeparableLayer(in_channels // 4, out_channels, style_dim, side)
        self.conv2 = SeparableLayer(out_channels, out_channels, style_dim, side)


class MobileStyleGAN(GeneratorModule):
    """MobileStyleGAN generator; `latent_avg` [style_dim] is the mean of w."""

    def __init__(self, spec: MobileStyleGANSpec):
        super().__init__()
        self.spec = spec
        channels, dim = spec.channels, spec.style_dim
        self.style = Mapping(dim, spec.mapping_layers)
        self.input = nn.Parameter(torch.randn(1, channels[0], 4, 4))
        self.conv1 = FirstLayer(channels[0], dim)
        self.blocks = nn.ModuleList(
            Block(before, after, dim, 8 * 2**i)
            for i, (before, after) in enumerate(zip(channels, channels[1:]))  # noqa: B905
        )
        self.to_picture = ToPicture(channels[-1], dim)
        self.register_buffer("latent_avg", torch.zeros(dim))

    def layer(self, number: int) -> FirstLayer | Upsampling | SeparableLayer:
        """Return the layer that makes outs[number]."""
        block, part = divmod(number - 2, 3)
        return self.conv1 if number == 1 else (lambda b: (b.up, b.conv1, b.conv2)[part])(self.blocks[block])

    def mapping(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """Map z [B,style_dim] to w [B,style_dim]; truncation < 1 pulls w towards `latent_avg`."""
        return truncated(self.style(z.to(self.latent_avg.dtype)), self.latent_avg, truncation)

    def style_space(self, w_plus: Tensor, layers: int | None = None) -> StyleSpace:
        """Compute the style vectors of a W+ code [B,N,style_dim]; with `layers`, those of a run up to outs[layers]."""
        spec = self.spec
        layers = spec.n_layers if layers is None else layers
        convs = tuple(self.layer(n).modulation(w_plus[:, n - 1]) for n in range(1, layers + 1))
        rgbs = (self.to_picture.modulation(w_plus[:, spec.n_layers]),) if layers == spec.n_layers else ()
        return StyleSpace(convs, rgbs)

    def first_styles(self, styles: StyleSpace, layers: int) -> StyleSpace:
        """Cut style vectors to those of a run up to outs[layers]."""
        return StyleSpace(styles.convs[:layers], styles.rgbs if layers == self.spec.n_layers else ())

    def style_maps(self) -> tuple[tuple[Tensor, ...], ...]:
        """List the linear maps from w to style vectors by latent: for each of n_styles, weights [C,style_dim]."""
        layers = [self.layer(n) for n in range(1, self.spec.n_layers + 1)]
        return tuple((layer.modulation.weight,) for layer in (*layers, self.to_picture))

    def layers(self) -> list[nn.Module]:
        """List the modules that make outs[1], outs[2], ..., in order."""
        return [self.layer(n) for n in range(1, self.spec.n_layers + 1)]

    def start(self, batch: int) -> SynthesisState:
        """Begin with the constant input, outs[0]."""
        return SynthesisState(0, self.input.expand(batch, -1, -1, -1))

    def run(
        self,
        state: SynthesisState,
        styles: StyleSpace,
        stop_layer: int | None = None,
        *,
        read_layers: Sequence[int] = (),
        noise: str | int = "stored",
        features_only: bool = False,
        window: tuple[float, float] | None = None,
    ) -> SynthesisState:
        """Run from `state` to outs[stop_layer]; see `Generator.run`. A whole run carries the picture.

        window: the state is a part of the features whose top left corner stands here, relative to the whole side.
        """
        last = self.spec.n_layers
        stop = last if stop_layer is None else stop_layer
        if not state.layer <= stop <= last:
            raise ValueError(f"Cannot run from layer {state.layer} to layer {stop}; the last is {last}.")
        x, read = state.features, {}
        x = x.to(styles.convs[0].dtype).contiguous(memory_format=torch.channels_last)
        number = state.layer
        while number < stop:
            count = 0 if window else self._blocks_for_strips(x, number, stop, read_layers)
            if count:
                picture = number + 3 * count == last and not features_only
                x = self._blocks_in_strips(x, styles, number, count, noise, picture)
                number += 3 * count
                if picture:
                    return SynthesisState(stop, x.new_empty(0), (x,), read)
                continue
            number += 1
            layer, style = self.layer(number), styles.convs[number - 1]
            if isinstance(layer, Upsampling):
                x = layer(x, style)
            else:
                x = layer(x, style, _seen(noise_picture(noise, number, layer.noise, len(x)), window, x))
            if number in read_layers:
                read[number] = x
        carried = (self.to_picture(x, styles.rgbs[0]),) if stop == last and not features_only else ()
        return SynthesisState(stop, x, carried, read)

    def _blocks_for_strips(self, x: Tensor, number: int, stop: int, read_layers: Sequence[int]) -> int:
        """How many whole blocks follow that are run in strips: at inference on a CPU, those that leave the cache."""
        if x.device.type != "cpu" or torch.is_grad_enabled() or number % 3 != 1 or number == 0:
            return 0
        if self.spec.layer_resolution(number + 3) < MIN_RESOLUTION:
            return 0
        stop = min([stop, *(n - 1 for n in read_layers if n > number)])
        return max(0, (stop - number) // 3)

    def _blocks_in_strips(
        self, x: Tensor, styles: StyleSpace, number: int, count: int, noise: str | int, picture: bool
    ) -> Tensor:
        inputs = []
        for first in range(number, number + 3 * count, 3):
            block = self.blocks[(first - 1) // 3]
            convs = block.conv1, block.conv2
            noises = tuple(noise_picture(noise, first + i, conv.noise, len(x)) for i, conv in enumerate(convs, 2))
            inputs.append(BlockInputs(convs, styles.convs[first : first + 3], noises))
        return blocks_in_strips(x, inputs, *((self.to_picture, styles.rgbs[0]) if picture else (None, None)))

    def picture(self, state: SynthesisState) -> Tensor:
        """Return the picture [B,3,R,R], about [-1,1], float32, of a whole run."""
        return state.carried[0]


def _seen(noise: Tensor | None, window: tuple[float, float] | None, x: Tensor) -> Tensor | None:
    """Cut the noise [1 or B,1,r,r] to what belongs to a window of the features x [B,C,h,w]."""
    if noise is None or window is None:
        return noise
    top, left = (round(place * noise.shape[2]) for place in window)
    return noise[:, :, top : top + x.shape[2], left : left + x.shape[3]]
