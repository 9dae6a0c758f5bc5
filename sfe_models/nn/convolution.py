"""Convolution that takes the fastest exact way there is on the device at hand."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .derived import Derived
from .winograd import transform_weight, winograd_conv3x3

# From here on the matrix products outweigh the transforms (benchmarks/winograd.py).
_MIN_CHANNELS = 128
_MIN_PIXELS = 256
# float32 stands F(4, 3)'s rounding (3e-6); bfloat16 only F(2, 3)'s. Other types are convolved directly.
_TILE = {torch.float32: 4, torch.bfloat16: 2}


def winograd_tile(x: Tensor, weight: Tensor) -> int | None:
    """Say which m of Winograd's F(m, 3) suits a 3 x 3, stride 1 convolution of x here; None for direct."""
    if x.device.type != "cpu" or (torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)):
        return None
    m = _TILE.get(x.dtype)
    height, width = x.shape[-2:]
    large = min(weight.shape[:2]) >= _MIN_CHANNELS and height * width >= _MIN_PIXELS
    return m if m and large and height % m == 0 and width % m == 0 else None


class Convolution3x3:
    """Convolve with a 3 x 3 weight, stride 1, zero padding 1, and remember the weight's transform.

    keep: hold the transform of a frozen weight between calls (F(4, 3) in float32 takes four times the weight's
    memory); otherwise it is computed in every call, at about a tenth of the convolution's time.
    """

    def __init__(self, keep: bool = False):
        self.keep = keep
        self._transforms = {m: Derived(lambda weight, m=m: transform_weight(weight, m)) for m in (2, 4)}

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """x: [B,I,H,W]; weight: [O,I,3,3]; bias: [O]. Returns [B,O,H,W]."""
        m = winograd_tile(x, weight)
        if m is None:
            return F.conv2d(x, weight, bias, padding=1)
        transformed = self._transforms[m](weight) if self.keep else transform_weight(weight, m)
        return winograd_conv3x3(x, transformed, bias, m)

    def __deepcopy__(self, memo):
        return type(self)(self.keep)

    def __reduce__(self):
        return type(self), (self.keep,)


class Conv2d(nn.Conv2d):
    """nn.Conv2d, with Winograd's method where it pays (3 x 3, stride 1, inference on a CPU).

    Works in its weight's number format, whatever the input's: in a half-precision model what runs beside the
    convolutions (residual sums above all) stays float32.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        plain_3x3 = self.kernel_size == (3, 3) and self.stride == (1, 1) and self.padding == (1, 1)
        self.convolution = Convolution3x3() if plain_3x3 and self.groups == 1 else None

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.weight.dtype)
        bias = None if self.bias is None else self.bias.to(x.dtype)
        if self.convolution is None:
            return self._conv_forward(x, self.weight, bias)
        return self.convolution(x, self.weight, bias)


class Linear(nn.Linear):
    """nn.Linear that multiplies in its weight's number format and adds its bias in the bias's own."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.to(self.weight.dtype), self.weight).to(self.bias.dtype) + self.bias


class PReLU(nn.PReLU):
    """nn.PReLU with one slope per channel, kept in float32 in a half-precision model."""

    def forward(self, x: Tensor) -> Tensor:
        return F.prelu(x, self.weight.to(x.dtype))


def conv3x3(in_channels: int, out_channels: int, stride: int = 1, bias: bool = False) -> Conv2d:
    """Make a 3 x 3 convolution with padding 1."""
    return Conv2d(in_channels, out_channels, 3, stride, 1, bias=bias)


def conv1x1(in_channels: int, out_channels: int, stride: int = 1, bias: bool = False) -> Conv2d:
    """Make a 1 x 1 convolution."""
    return Conv2d(in_channels, out_channels, 1, stride, bias=bias)
