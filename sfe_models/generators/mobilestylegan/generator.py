"""MobileStyleGAN (Belousov 2021, arXiv 2104.04767), cut open where SFE needs it.

outs[1] is the 4 px convolution; block I makes outs[2 + 3 I] (upsampled), outs[3 + 3 I] and outs[4 + 3 I]; layer n
reads w[n - 1]. The picture reads the last latent. There is no RGB skip, so nothing is carried before the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...nn.convolution import arithmetic_dtype
from ...nn.initial import normal
from ..base import GeneratorModule, StyleSpace, SynthesisState, noise_picture, truncated
from .layers import SLOPE, FirstConvolution, Modulation, SeparableConvolution, ToPicture, Upsampling
from .spec import MobileStyleGANSpec
from .strips import MIN_RESOLUTION, Noises, Picture, block_in_strips, rows_of

# Random weights: how far styles lie from 1, what a convolution makes up for leaky ReLU, and the deviation of pixels.
_STYLE_SIZE, _GAIN, _PICTURE_SIZE = 0.3, 1.3, 0.4


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
        self.conv1 = SeparableConvolution(in_channels // 4, out_channels, style_dim, side)
        self.conv2 = SeparableConvolution(out_channels, out_channels, style_dim, side)

    @property
    def layers(self) -> tuple[Upsampling, SeparableConvolution, SeparableConvolution]:
        return self.up, self.conv1, self.conv2

    def forward(
        self, x: Tensor, styles: Sequence[Tensor], noises: Noises, picture: Picture | None, by_band: bool
    ) -> Tensor:
        """Run one picture's block in strips; see `block_in_strips`."""
        return block_in_strips(x, (self.conv1, self.conv2), styles, noises, picture, by_band)


class MobileStyleGAN(GeneratorModule):
    """MobileStyleGAN generator; `latent_avg` [style_dim] is the mean of w."""

    def __init__(self, spec: MobileStyleGANSpec):
        super().__init__()
        self.spec = spec
        channels, dim = spec.channels, spec.style_dim
        self.style = Mapping(dim, spec.mapping_layers)
        self.input = nn.Parameter(normal(1, channels[0], 4, 4))
        self.conv1 = FirstConvolution(channels[0], dim)
        self.blocks = nn.ModuleList(
            Block(before, after, dim, 8 * 2**i) for i, (before, after) in enumerate(pairwise(channels))
        )
        self.to_picture = ToPicture(channels[-1], dim)
        self.register_buffer("latent_avg", torch.zeros(dim))

    def layer(self, number: int) -> FirstConvolution | Upsampling | SeparableConvolution:
        """Return the layer that makes outs[number]."""
        if number == 1:
            return self.conv1
        block, part = divmod(number - 2, 3)
        return self.blocks[block].layers[part]

    def mapping(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """Map z [B,style_dim] to w [B,style_dim]; truncation < 1 pulls w towards `latent_avg`."""
        return truncated(self.style(z.to(self.latent_avg.dtype)), self.latent_avg, truncation)

    def style_space(self, w_plus: Tensor, layers: int | None = None) -> StyleSpace:
        """Compute the style vectors of a W+ code [B,N,style_dim]; with `layers`, those of a run up to outs[layers].

        The picture's is left out of a code that ends before its latent.
        """
        last = self.spec.n_layers
        layers = last if layers is None else layers
        convs = tuple(self.layer(n).modulation(w_plus[:, n - 1]) for n in range(1, layers + 1))
        rgbs = (self.to_picture.modulation(w_plus[:, last]),) if layers == last < w_plus.shape[1] else ()
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
        change: Callable[[int, Tensor], Tensor] | None = None,
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
        x, layer, read = state.features, state.layer, {}
        x = x.to(styles.convs[0].dtype).contiguous(memory_format=torch.channels_last)
        with_picture = stop == last and not features_only
        while layer < stop:
            end = layer if window else self._end_of_strips(x, layer, stop, read_layers)
            if end > layer:
                x = self._blocks_in_strips(x, styles, layer, end, noise, with_picture and end == last)
                layer = end
                if with_picture and end == last:
                    return SynthesisState(stop, x.new_empty(0), (x,), read)
                continue
            layer += 1
            x = self._layer(layer, x, styles.convs[layer - 1], noise, window)
            if layer in read_layers:
                x = x if change is None else change(layer, x)
                read[layer] = x
        return SynthesisState(stop, x, (self.to_picture(x, styles.rgbs[0]),) if with_picture else (), read)

    def _layer(
        self, number: int, x: Tensor, style: Tensor, noise: str | int, window: tuple[float, float] | None
    ) -> Tensor:
        """Run the layer that makes outs[number]."""
        layer = self.layer(number)
        if isinstance(layer, Upsampling):
            return layer(x, style)
        return layer(x, style, _seen(self._noise(noise, number, x), window, x))

    def _noise(self, kind: str | int, number: int, x: Tensor) -> Tensor | None:
        """Return the noise picture of a convolution: [1 or B,1,r,r]."""
        return noise_picture(kind, number, self.layer(number).noise, len(x))

    def _end_of_strips(self, x: Tensor, layer: int, stop: int, read_layers: Sequence[int]) -> int:
        """Up to which layer blocks run in strips, from a layer on; that layer itself where none does.

        Only at inference on a CPU, for blocks that are too large for its cache, and not past a layer that is read.
        """
        begins_block = layer % 3 == 1
        if x.device.type != "cpu" or torch.is_grad_enabled() or not begins_block:
            return layer
        if self.spec.layer_resolution(layer + 1) < MIN_RESOLUTION:
            return layer
        stop = min([stop, *(n - 1 for n in read_layers if n > layer)])
        return layer + max(0, stop - layer) // 3 * 3

    def _blocks_in_strips(
        self, x: Tensor, styles: StyleSpace, start: int, end: int, noise: str | int, with_picture: bool
    ) -> Tensor:
        """Run the blocks after outs[start] up to outs[end], and the picture's layer, one picture after the other."""
        dtype, found = arithmetic_dtype(self.blocks[0].conv1.pointwise), []
        noises = [self._noise(noise, layer + part, x) for layer in range(start, end, 3) for part in (2, 3)]
        for i in range(len(x)):
            rows = rows_of(x[i], dtype)
            own = [None if n is None else n[i % len(n)] for n in noises]
            for number, layer in enumerate(range(start, end, 3)):
                last = layer + 3 == end
                picture = Picture(self.to_picture, styles.rgbs[0][i], dtype) if last and with_picture else None
                some = [style[i] for style in styles.convs[layer : layer + 3]]
                pair = own[2 * number : 2 * number + 2]
                rows = self.blocks[layer // 3](rows, some, pair, picture, by_band=not last)
            found.append(rows)
        return (torch.stack(found) if len(found) > 1 else found[0][None]).permute(0, 3, 1, 2)

    def picture(self, state: SynthesisState) -> Tensor:
        """Return the picture [B,3,R,R], about [-1,1], float32, of a whole run."""
        return state.carried[0]

    def stored_dtype(self, name: str, tensor: Tensor, dtype: torch.dtype, feature_layer: int) -> torch.dtype:
        """Always float32: without demodulation nothing keeps activations within the range of float16."""
        return torch.float32

    @torch.no_grad()
    def draw_weights(self, random: torch.Generator) -> None:
        """See `Generator.draw_weights`."""

        def normal(tensor: Tensor, size: float) -> None:
            tensor.normal_(0, size, generator=random)

        normal(self.input, 1.0)
        normal(self.latent_avg, 0.1)
        for module in self.modules():
            if isinstance(module, Modulation):
                normal(module.weight, _STYLE_SIZE * module.in_features**-0.5)
                module.bias.fill_(1.0)
            elif isinstance(module, nn.Linear):
                normal(module.weight, module.in_features**-0.5)
                module.bias.zero_()
            elif isinstance(module, FirstConvolution | SeparableConvolution):
                if isinstance(module, SeparableConvolution):
                    normal(module.depthwise, 1 / 3)
                weight = module.weight if isinstance(module, FirstConvolution) else module.pointwise
                normal(weight, _GAIN * weight[0].numel() ** -0.5)
                normal(module.bias, 0.1)
                normal(module.noise, 0.1)
            elif isinstance(module, ToPicture):
                normal(module.weight, _PICTURE_SIZE * module.weight.shape[1] ** -0.5)
                module.bias.zero_()


def _seen(noise: Tensor | None, window: tuple[float, float] | None, x: Tensor) -> Tensor | None:
    """Cut the noise [1 or B,1,r,r] to what belongs to a window of the features x [B,C,h,w]."""
    if noise is None or window is None:
        return noise
    top, left = (round(place * noise.shape[2]) for place in window)
    return noise[:, :, top : top + x.shape[2], left : left + x.shape[3]]
