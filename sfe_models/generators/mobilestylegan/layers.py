"""Layers of MobileStyleGAN (Belousov 2021): depthwise separable convolutions and Haar wavelets.

A style scales the input channels; demodulation is folded into the weights, so nothing is divided out again.
"""

from __future__ import annotations

import abc
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...nn.convolution import arithmetic_dtype
from ...nn.initial import initialise, normal

SLOPE = 0.2


class Modulation(nn.Linear):
    """The linear map from a latent [B,D] to a style [B,C], in float32 at least, as all of its scale is folded in."""

    def reset_parameters(self) -> None:
        """Start near style 1, as StyleGAN2's modulation does."""
        initialise(self.weight, nn.init.normal_, std=1 / math.sqrt(self.in_features))
        nn.init.ones_(self.bias)


def scaled(x: Tensor, style: Tensor) -> Tensor:
    """Scale the channels of x [B,C,r,r] by a style [B,C]."""
    return x * style.to(x.dtype)[:, :, None, None]


class StyledConvolution(nn.Module, abc.ABC):
    """Scale by the style, convolve, add noise and bias, leaky ReLU 0.2 without a gain.

    noise: [1,1,r,r], its strength folded in.
    """

    def __init__(self, in_channels: int, out_channels: int, style_dim: int, side: int):
        super().__init__()
        self.modulation = Modulation(style_dim, in_channels)
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("noise", normal(1, 1, side, side, times=0.1))

    @abc.abstractmethod
    def convolve(self, x: Tensor) -> Tensor:
        """x: [B,I,r,r], scaled. Returns [B,O,r,r], the bias added."""

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        """x: [B,I,r,r]; style: [B,I]; noise: [1 or B,1,r,r] or None. Returns [B,O,r,r]."""
        x = self.convolve(scaled(x, style))
        in_place = not torch.is_grad_enabled()
        if noise is not None:
            x = x.add_(noise.to(x.dtype)) if in_place else x + noise.to(x.dtype)
        return F.leaky_relu(x, SLOPE, inplace=in_place)


class FirstConvolution(StyledConvolution):
    """The plain 3 x 3 convolution at 4 px."""

    def __init__(self, channels: int, style_dim: int):
        super().__init__(channels, channels, style_dim, 4)
        self.weight = nn.Parameter(normal(channels, channels, 3, 3, over=math.sqrt(9 * channels)))

    def convolve(self, x: Tensor) -> Tensor:
        dtype = arithmetic_dtype(self.weight)
        # In channels_last torch would turn the 9 MB of weights round, for each picture of 4 px.
        return F.conv2d(x.to(dtype).contiguous(), self.weight.to(dtype), self.bias.to(dtype), padding=1)


class SeparableConvolution(StyledConvolution):
    """Depthwise 3 x 3 convolution, then pointwise 1 x 1."""

    def __init__(self, in_channels: int, out_channels: int, style_dim: int, side: int):
        super().__init__(in_channels, out_channels, style_dim, side)
        self.depthwise = nn.Parameter(normal(in_channels, 1, 3, 3, over=3))
        self.pointwise = nn.Parameter(normal(out_channels, in_channels, 1, 1, over=math.sqrt(in_channels)))

    def convolve(self, x: Tensor) -> Tensor:
        dtype = arithmetic_dtype(self.pointwise)
        x = F.conv2d(x.to(dtype), self.depthwise.to(dtype), padding=1, groups=x.shape[1])
        return F.conv2d(x, self.pointwise.to(dtype), self.bias.to(dtype))


class Upsampling(nn.Module):
    """Scale the wavelet bands by the style and transform them back."""

    def __init__(self, channels: int, style_dim: int):
        super().__init__()
        self.modulation = Modulation(style_dim, channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """x: [B,4C,r,r]; style: [B,4C]. Returns [B,C,2r,2r]."""
        return inverse_haar(scaled(x, style))


class ToPicture(nn.Module):
    """1 x 1 convolution with a style to the wavelets of an RGB picture."""

    def __init__(self, channels: int, style_dim: int):
        super().__init__()
        self.modulation = Modulation(style_dim, channels)
        self.weight = nn.Parameter(normal(12, channels, 1, 1, over=math.sqrt(channels)))
        self.bias = nn.Parameter(torch.zeros(12))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """x: [B,C,r,r]; style: [B,C]. Returns [B,3,2r,2r], float32 at least."""
        dtype = arithmetic_dtype(self.weight)
        x = F.conv2d(scaled(x, style).to(dtype), self.weight.to(dtype))
        return inverse_haar(x.to(self.bias.dtype) + self.bias[:, None, None])


def inverse_haar(x: Tensor) -> Tensor:
    """Transform wavelet bands [B,4C,r,r] back to [B,C,2r,2r], in channels_last; orthonormal.

    The first C channels are the LL band; the others are [C,3], the bands LH, HL, HH. Each place becomes 2 x 2 pixels,
    half the sum of its bands, where LH changes its sign in the second row, HL in the second column, and HH in the row
    and in the column.
    """
    channels = x.shape[1] // 4
    x = x.permute(0, 2, 3, 1) * 0.5
    ll, lh, hl, hh = x[..., :channels], x[..., channels::3], x[..., channels + 1 :: 3], x[..., channels + 2 :: 3]
    rows = [_row(ll + lh, hl + hh), _row(ll - lh, hl - hh)]
    return torch.stack(rows, dim=2).flatten(1, 2).permute(0, 3, 1, 2)


def _row(low: Tensor, high: Tensor) -> Tensor:
    """Lay low + high and low - high [B,r,r,C] side by side: [B,r,2r,C]."""
    return torch.stack((low + high, low - high), dim=3).flatten(2, 3)
