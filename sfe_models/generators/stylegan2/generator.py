"""The StyleGAN2 generator with RGB skips (Karras et al. 2020), cut open where SFE needs it.

Layers are counted as in the published SFE code: outs[0] is the constant input, outs[1] the 4 x 4 convolution,
outs[2l] and outs[2l+1] the upsampling and the second convolution of 2^(l+2) px. Convolution number i makes
outs[i+1] and reads w[i]; the RGB layer of 2^(l+2) px reads w[2l+1], which it shares with the next resolution's
upsampling convolution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ...nn.convolution import arithmetic_dtype
from ...nn.initial import normal
from ..base import GeneratorModule, StyleSpace, SynthesisState, noise_picture, truncated
from .layers import EqualizedLinear, MappingLayer, ModulatedConv2d, NoiseStrength, PixelNorm, StyledConv, ToRGB
from .spec import StyleGAN2Spec
from .strips import MIN_RESOLUTION, synthesize_in_strips

# Brings the sum of all RGB layers of random weights to about [-1, 1].
_RGB_SCALE = 0.15


class _Constant(nn.Module):
    """The learned 4 x 4 input."""

    def __init__(self, channels: int):
        super().__init__()
        self.input = nn.Parameter(normal(1, channels, 4, 4))


class StyleGAN2(GeneratorModule):
    """StyleGAN2 generator.

    Parameter names are those of the published checkpoint (`g_ema`), less its constant `kernel` buffers.
    `latent_avg` [style_dim] is the mean of w, used for truncation and by the encoders.
    """

    signature = "conv1.conv.modulation.weight"

    def __init__(self, spec: StyleGAN2Spec):
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
            self.noises.register_buffer(f"noise_{i}", normal(1, 1, side, side))
        self.register_buffer("latent_avg", torch.zeros(dim))

    def conv(self, i: int) -> StyledConv:
        """Return convolution number i, which makes outs[i + 1]."""
        return self.conv1 if i == 0 else self.convs[i - 1]

    def to_rgb(self, i: int) -> ToRGB:
        """Return the RGB layer of 2^(i+2) px."""
        return self.to_rgb1 if i == 0 else self.to_rgbs[i - 1]

    def mapping(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """Map z [B,style_dim] to w [B,style_dim]; truncation < 1 pulls w towards `latent_avg`."""
        return truncated(self.style(z.to(self.style[1].weight.dtype)), self.latent_avg, truncation)

    def style_space(self, w_plus: Tensor, layers: int | None = None) -> StyleSpace:
        """Compute the style vectors of a W+ code [B,N,style_dim]; with `layers`, those of a run up to outs[layers].

        The RGB layer of outs[layers] reads one latent more than its convolutions. If the code ends before it, w_0
        stands in: features do not depend on it.
        """
        layers = self.spec.n_layers if layers is None else layers
        rgb_latents = [n if n < w_plus.shape[1] else 0 for n in range(1, layers + 1, 2)]
        return StyleSpace(
            tuple(self.conv(i).conv.modulation(w_plus[:, i]) for i in range(layers)),
            tuple(self.to_rgb(i).conv.modulation(w_plus[:, n]) for i, n in enumerate(rgb_latents)),
        )

    def first_styles(self, styles: StyleSpace, layers: int) -> StyleSpace:
        """Cut style vectors to those of a run up to outs[layers]."""
        return StyleSpace(styles.convs[:layers], styles.rgbs[: (layers + 1) // 2])

    def style_maps(self) -> tuple[tuple[Tensor, ...], ...]:
        """List the linear maps from w to style vectors by latent: for each of n_styles, weights [C,style_dim]."""
        spec = self.spec
        convs = [self.conv(i) for i in range(spec.n_layers)]
        rgbs = {2 * i + 1: self.to_rgb(i) for i in range(spec.n_resolutions)}
        latents = [[*convs[n : n + 1], *([rgbs[n]] if n in rgbs else [])] for n in range(spec.n_styles)]
        return tuple(tuple(_affine(layer.conv.modulation) for layer in layers) for layers in latents)

    def layers(self) -> list[nn.Module]:
        """List the modules that make outs[1], outs[2], ..., in order."""
        return [self.conv(i) for i in range(self.spec.n_layers)]

    def start(self, batch: int) -> SynthesisState:
        """Begin with the constant input, outs[0]."""
        constant = self.input.input.expand(batch, -1, -1, -1)
        return SynthesisState(0, constant)

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
        """Run from `state` to outs[stop_layer], carrying the RGB skip summed so far; see `Generator.run`.

        The skip is [B,3,r,r] (r/2 after an upsampling convolution), float32.
        """
        spec = self.spec
        stop = spec.n_layers if stop_layer is None else stop_layer
        if not state.layer <= stop <= spec.n_layers:
            raise ValueError(f"Cannot run from layer {state.layer} to layer {stop}; the last is {spec.n_layers}.")
        x, layer = state.features, state.layer
        picture = state.carried[0] if state.carried else None
        x = x.to(styles.convs[0].dtype).contiguous(memory_format=torch.channels_last)
        read = {}
        while layer < stop:
            if self._suits_strips(x, layer, stop, read_layers, features_only):
                x, picture = self._resolution_in_strips(x, picture, styles, layer, noise, keep=layer + 2 < stop)
                layer += 2
                continue
            x = self.conv(layer)(x, styles.convs[layer], self._noise(noise, layer, x))
            layer += 1
            if layer in read_layers:
                x = x if change is None else change(layer, x)
                read[layer] = x
            if layer % 2 and not features_only:
                picture = self.to_rgb(layer // 2)(x, styles.rgbs[layer // 2], picture)
        return SynthesisState(layer, x, () if picture is None or features_only else (picture,), read)

    def picture(self, state: SynthesisState) -> Tensor:
        """Return the RGB skip of a state: the picture [B,3,r,r] of its resolution, float32."""
        return state.carried[0]

    def stored_dtype(self, name: str, tensor: Tensor, dtype: torch.dtype, feature_layer: int) -> torch.dtype:
        """See `Generator.stored_dtype`.

        Convolutions take `dtype`, in bfloat16 only those after layer k; styles, noise and biases, which are small and
        act on whole channels, stay float32.
        """
        exact = ["conv1.", "to_rgb1."]
        exact += [f"convs.{i}." for i in range(feature_layer - 1)]
        exact += [f"to_rgbs.{i}." for i in range((feature_layer - 1) // 2)]
        if tensor.ndim != 5 or dtype == torch.bfloat16 and name.startswith(tuple(exact)):
            return torch.float32
        return dtype

    @torch.no_grad()
    def draw_weights(self, random: torch.Generator) -> None:
        """See `Generator.draw_weights`."""
        for module in self.modules():
            if isinstance(module, NoiseStrength):
                module.weight.normal_(0.1, 0.05, generator=random)
            elif isinstance(module, EqualizedLinear):
                module.weight.normal_(0, 1 / module.lr_multiplier, generator=random)
                module.bias.zero_()
            else:
                for tensor in (*module._parameters.values(), *module._buffers.values()):
                    tensor.normal_(0, 1.0 if tensor.ndim in (4, 5) else 0.1, generator=random)
        for module in self.modules():
            if isinstance(module, ModulatedConv2d):
                module.modulation.bias.fill_(1.0)
            elif isinstance(module, ToRGB):
                module.conv.weight.mul_(_RGB_SCALE)
                module.bias.zero_()

    def _noise(self, kind: str | int, layer: int, x: Tensor) -> Tensor | None:
        """Return the noise picture of convolution `layer`: [1 or B,1,r,r]."""
        return noise_picture(kind, layer, getattr(self.noises, f"noise_{layer}"), len(x))

    def _suits_strips(self, x: Tensor, layer: int, stop: int, read_layers: Sequence[int], features_only: bool) -> bool:
        return (
            x.device.type == "cpu"
            and not torch.is_grad_enabled()
            and not features_only
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


def _affine(modulation: EqualizedLinear) -> Tensor:
    """Return the weight [C,style_dim] as the network uses it."""
    return modulation.weight * (modulation.lr_multiplier / modulation.weight.shape[1] ** 0.5)
