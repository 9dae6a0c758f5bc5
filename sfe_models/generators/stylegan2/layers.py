"""Layers of the StyleGAN2 generator, under the published checkpoint's parameter names.

Modulation is applied to the activations: scale the input channels by the style, convolve with one shared
weight, scale the output channels by the demodulation coefficients. This equals the per-sample weights of the
paper (Karras et al. 2020, equations 1 to 3), needs no grouped convolution and runs in channels_last.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...nn.convolution import Convolution3x3, arithmetic_dtype
from ...nn.derived import Derived
from ...nn.initial import normal
from .filters import blur_upsampled, upsample_rgb

LRELU_SLOPE = 0.2
LRELU_GAIN = math.sqrt(2)
_DEMODULATION_EPS = 1e-8


class EqualizedLinear(nn.Module):
    """Linear layer with equalised learning rate (Karras et al. 2018, section 4.1).

    weight: [out, in], used times lr_multiplier / sqrt(in); bias: [out], used times lr_multiplier.
    """

    def __init__(self, in_features: int, out_features: int, bias_init: float = 0.0, lr_multiplier: float = 1.0):
        super().__init__()
        self.lr_multiplier = lr_multiplier
        self.weight = nn.Parameter(normal(out_features, in_features, over=lr_multiplier))
        self.bias = nn.Parameter(torch.full((out_features,), float(bias_init)))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.lr_multiplier / math.sqrt(self.weight.shape[1])
        dtype = arithmetic_dtype(self.weight)
        out = F.linear((x * scale).to(dtype), self.weight.to(dtype))
        return out.to(self.bias.dtype) + self.bias * self.lr_multiplier


class MappingLayer(EqualizedLinear):
    """EqualizedLinear, then leaky ReLU 0.2 times sqrt 2."""

    def __init__(self, in_features: int, out_features: int, lr_multiplier: float = 0.01):
        super().__init__(in_features, out_features, lr_multiplier=lr_multiplier)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(super().forward(x), LRELU_SLOPE) * LRELU_GAIN


class PixelNorm(nn.Module):
    """Divide by the root mean square over dimension 1."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


def wide(dtype: torch.dtype) -> torch.dtype:
    """Return float32, or float64 for float64: the type in which styles and RGB are computed."""
    return torch.promote_types(dtype, torch.float32)


def _square_sum(weight: Tensor) -> Tensor:
    """[1,O,I,k,k] to sum over the taps of (weight / sqrt(fan_in))^2: [O,I]."""
    return weight[0].to(wide(weight.dtype)).square().sum(dim=(2, 3)) / weight[0, 0].numel()


class ModulatedConv2d(nn.Module):
    """Modulated convolution, plain or upsampling by 2, with or without demodulation.

    weight: [1,O,I,k,k], used times 1 / sqrt(I k k); modulation: W to the style [I], bias near 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        style_dim: int,
        demodulate: bool = True,
        upsample: bool = False,
    ):
        super().__init__()
        self.weight = nn.Parameter(normal(1, out_channels, in_channels, kernel, kernel))
        self.modulation = EqualizedLinear(style_dim, in_channels, bias_init=1.0)
        self.demodulate, self.upsample = demodulate, upsample
        self._square_sum = Derived(_square_sum)
        self._convolution = Convolution3x3()

    def out_scale(self, style: Tensor) -> Tensor:
        """Compute each output channel's factor, demodulation included: style [B,I] to [B,O] (equation 3)."""
        if not self.demodulate:
            return style.new_ones(len(style), self.weight.shape[1])
        squares = self._square_sum(self.weight).to(style.dtype)
        return torch.rsqrt(F.linear(style.square(), squares, squares.new_full((len(squares),), _DEMODULATION_EPS)))

    def forward(self, x: Tensor, style: Tensor, bias: Tensor, gain: float = 1.0) -> Tensor:
        """x: [B,I,H,W]; style: [B,I]; bias: [O]. Returns gain * (convolved + bias), [B,O,H',W'], in the style's type.

        The style is brought to at most 1 before it meets the activations and its size is given back after the
        convolution, and the weight's 1 / sqrt(fan_in) is shared between both sides, so that float16 neither
        overflows nor loses small numbers where the result does not.
        """
        size = style.detach().abs().amax(dim=1, keepdim=True).clamp_min(1e-12)
        root = self.weight[0, 0].numel() ** -0.25
        dtype = arithmetic_dtype(self.weight)
        x = x * (style / size * root)[:, :, None, None]
        if self.upsample:
            weight = self.weight[0].transpose(0, 1).to(dtype)
            x = blur_upsampled(F.conv_transpose2d(x.to(dtype), weight, stride=2))
        elif self.weight.shape[-1] == 3:
            x = self._convolution(x, self.weight)
        else:
            x = F.conv2d(x.to(dtype), self.weight[0].to(dtype))
        scale = self.out_scale(style) * (size * (root * gain))
        return torch.addcmul((bias * gain)[:, None, None], x.to(style.dtype), scale[:, :, None, None])


class NoiseStrength(nn.Module):
    """The learned strength of a layer's noise: one number."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))


class ChannelBias(nn.Module):
    """The bias of a layer's activation: [C]."""

    def __init__(self, channels: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))


class StyledConv(nn.Module):
    """Modulated 3 x 3 convolution, noise, bias, leaky ReLU 0.2 times sqrt 2."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        style_dim: int,
        upsample: bool = False,
        clamp: float | None = None,
    ):
        super().__init__()
        self.conv = ModulatedConv2d(in_channels, out_channels, 3, style_dim, upsample=upsample)
        self.noise = NoiseStrength()
        self.activate = ChannelBias(out_channels)
        self.clamp = clamp

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        """x: [B,I,H,W]; style: [B,I]; noise: [1 or B,1,H',W'] at the output's size, or None for none."""
        x = self.conv(x, style, self.activate.bias, LRELU_GAIN)  # the gain passes through the leaky ReLU
        in_place = not torch.is_grad_enabled()
        if noise is not None:
            scaled = self.noise.weight * LRELU_GAIN * noise
            x = x.add_(scaled) if in_place else x + scaled
        x = F.leaky_relu(x, LRELU_SLOPE, inplace=in_place)
        return x if self.clamp is None else x.clamp(-self.clamp * LRELU_GAIN, self.clamp * LRELU_GAIN)


class ToRGB(nn.Module):
    """Modulated 1 x 1 convolution to RGB without demodulation, added to the upsampled picture so far."""

    def __init__(self, in_channels: int, style_dim: int, clamp: float | None = None):
        super().__init__()
        self.conv = ModulatedConv2d(in_channels, 3, 1, style_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))
        self.clamp = clamp

    def forward(self, x: Tensor, style: Tensor, rgb: Tensor | None) -> Tensor:
        """x: [B,I,H,W]; style: [B,I]; rgb: [B,3,H/2,W/2] or None. Returns [B,3,H,W], float32 at least."""
        out = self.conv(x, style, self.bias.flatten())
        if self.clamp is not None:
            out = out.clamp(-self.clamp, self.clamp)
        return out if rgb is None else out + upsample_rgb(rgb)
