"""Layers of MobileStyleGAN (Belousov 2021): depthwise separable convolutions and Haar wavelets.

A style scales the input channels; demodulation is folded into the weights, so nothing is divided out again.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...nn.convolution import arithmetic_dtype

SLOPE = 0.2


class Modulation(nn.Linear):
    """The linear map from a latent [B,D] to a style [B,C], in float32 at least, as all of its scale is folded in."""

    def reset_parameters(self) -> None:
        """Start near style 1, as StyleGAN2's modulation does."""
        nn.init.normal_(self.weight, std=1 / math.sqrt(self.in_features))
        nn.init.ones_(self.bias)


class StyledLayer(nn.Module):
    """Scale by the style, convolve, add noise and bias, leaky ReLU 0.2 without a gain.

    noise: [1,1,r,r], its strength folded in. A subclass convolves.
    """

    def __init__(self, in_channels: int, out_channels: int, style_dim: int, side: int):
        super().__init__()
        self.modulation = Modulation(style_dim, in_channels)
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("noise", 0.1 * torch.randn(1, 1, side, side))

    def convolve(self, x: Tensor) -> Tensor:
        """x: [B,I,r,r], scaled. Returns [B,O,r,r] with the bias."""
        raise NotImplementedError

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        """x: [B,I,r,r]; style: [B,I]; noise: [1 or B,1,r,r] or None."""
        x = self.convolve(x * style.to(x.dtype)[:, :, None, None])
        in_place = not torch.is_grad_enabled()
        if noise is not None:
            x = x.add_(noise.to(x.dtype)) if in_place else x + noise.to(x.dtype)
        return F.leaky_relu(x, SLOPE, inplace=in_place)


class FirstLayer(StyledLayer):
    """The plain 3 x 3 convolution at 4 px."""

    def __init__(self, channels: int, style_dim: int):
        super().__init__(channels, channels, style_dim, 4)
        self.weight = nn.Parameter(torch.randn(channels, channels, 3, 3) / math.sqrt(9 * channels))

    def convolve(self, x: Tensor) -> Tensor:
        dtype = arithmetic_dtype(self.weight)
        return F.conv2d(x.to(dtype), self.weight.to(dtype), self.bias.to(dtype), padding=1)


class SeparableLayer(StyledLayer):
    """Depthwise 3 x 3 convolution, then pointwise 1 x 1."""

    def __init__(self, in_channels: int, out_channels: int, style_dim: int, side: int):
        super().__init__(in_channels, out_channels, style_dim, side)
        self.depthwise = nn.Parameter(torch.randn(in_channels, 1, 3, 3) / 3)
        self.pointwise = nn.Parameter(torch.randn(out_channels, in_channels, 1, 1) / math.sqrt(in_channels))

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
        return inverse_haar(x * style.to(x.dtype)[:, :, None, None])


class ToPicture(nn.Module):
    """1 x 1 convolution with a style to the wavelets of an RGB picture."""

    def __init__(self, channels: int, style_dim: int):
        super().__init__()
        self.modulation = Modulation(style_dim, channels)
        self.weight = nn.Parameter(torch.randn(12, channels, 1, 1) / math.sqrt(channels))
        self.bias = nn.Parameter(torch.zeros(12))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """x: [B,C,r,r]; style: [B,C]. Returns [B,3,2r,2r], float32 at least."""
        dtype = arithmetic_dtype(self.weight)
        x = F.conv2d((x * style.to(x.dtype)[:, :, None, None]).to(dtype), self.weight.to(dtype))
        return inverse_haar(x.to(self.bias.dtype) + self.bias[:, None, None])


def inverse_haar(x: Tensor) -> Tensor:
    """Transform wavelet bands [B,4C,r,r] back to [B,C,2r,2r].

    The first C channels are LL; the others are [C,3] in the order LH, HL, HH, where the first letter is the band
    across rows' pairs (height) for LH and HL as the published files have them: LH differs down, HL across.
    """
    channels = x.shape[1] // 4
    ll, lh, hl, hh = x[:, :channels], x[:, channels::3], x[:, channels + 1 :: 3], x[:, channels + 2 :: 3]
    # Each axis takes a factor of 1 / sqrt 2.
    low, high = ll * 0.5, lh * 0.5
    even, odd = low + high, low - high
    low, high = hl * 0.5, hh * 0.5
    across_even, across_odd = low + high, low - high
    shape = len(x), channels, 2 * x.shape[2], 2 * x.shape[3]
    out = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    for row, (same, across) in enumerate(((even, across_even), (odd, across_odd))):
        out[:, :, row::2, 0::2] = same + across
        out[:, :, row::2, 1::2] = same - across
    return out
