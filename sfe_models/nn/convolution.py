"""Convolution that takes the fastest exact way there is on the device at hand."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .derived import Derived
from .winograd import transform_weight, winograd_conv3x3

# By the weight's type: m of F(m, 3), and the channels from which on the matrix products outweigh the transforms
# (benchmarks/winograd.py). float32 stands F(4, 3)'s rounding (3e-6); bfloat16 only F(2, 3)'s. Other types are
# convolved directly.
_TILE = {torch.float32: (4, 128), torch.bfloat16: (2, 512)}
_MIN_PIXELS = 256


def winograd_tile(x: Tensor, weight: Tensor) -> int | None:
    """Say which m of Winograd's F(m, 3) suits a 3 x 3, stride 1 convolution of x here; None for direct."""
    if x.device.type != "cpu" or (torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)):
        return None
    if weight.dtype not in _TILE:
        return None
    m, channels = _TILE[weight.dtype]
    height, width = x.shape[-2:]
    large = min(weight.shape[:2]) >= channels and height * width >= _MIN_PIXELS
    return m if large and height % m == 0 and width % m == 0 else None


class Convolution3x3:
    """Convolve with a 3 x 3 weight, stride 1, zero padding 1, and keep a frozen weight's transform.

    F(4, 3)'s transform takes four times the weight's memory, F(2, 3)'s 1.8 times.
    """

    def __init__(self):
        self._transforms = {m: Derived(partial(transform_weight, m=m)) for m in (2, 4)}

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """x: [B,I,H,W]; weight: [O,I,3,3]; bias: [O]. Works in the weight's type; returns [B,O,H,W] in it."""
        x, bias = x.to(weight.dtype), None if bias is None else bias.to(weight.dtype)
        m = winograd_tile(x, weight)
        if m is None:
            return F.conv2d(x, weight, bias, padding=1)
        return winograd_conv3x3(x, self._transforms[m](weight), bias, m)

    def __deepcopy__(self, memo):
        return type(self)()


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
        if self.convolution is not None:
            return self.convolution(x, self.weight, self.bias)
        dtype = self.weight.dtype
        return self._conv_forward(x.to(dtype), self.weight, None if self.bias is None else self.bias.to(dtype))


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
