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


def arithmetic_dtype(weight: Tensor) -> torch.dtype:
    """Return the type to compute in with this weight.

    That is the weight's own, but for float16 on a CPU without the instructions: torch would emulate every
    product (10 to 700 times slower than float32), so the weight is widened and float32 computed.
    """
    emulated = weight.dtype == torch.float16 and weight.device.type == "cpu" and not _cpu_has_float16()
    return torch.float32 if emulated else weight.dtype


def _cpu_has_float16() -> bool:
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_fp16_supported", None)  # absent without oneDNN
    return supported is not None and supported()


def winograd_tile(x: Tensor, weight: Tensor, dtype: torch.dtype) -> int | None:
    """Say which m of Winograd's F(m, 3) suits a 3 x 3, stride 1 convolution of x here; None for direct."""
    if x.device.type != "cpu" or (torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)):
        return None
    if dtype not in _TILE or torch.compiler.is_compiling():  # Winograd's writes into given tensors do not compile
        return None
    m, channels = _TILE[dtype]
    height, width = x.shape[-2:]
    large = min(weight.shape[-4:-2]) >= channels and height * width >= _MIN_PIXELS
    return m if large and height % m == 0 and width % m == 0 else None


def _transform(weight: Tensor, m: int) -> Tensor:
    return transform_weight(weight.view(weight.shape[-4:]).to(arithmetic_dtype(weight)), m)


class Convolution3x3:
    """Convolve with a 3 x 3 weight, stride 1, zero padding 1, and keep a frozen weight's transform.

    F(4, 3)'s transform takes four times the weight's memory, F(2, 3)'s 1.8 times.
    """

    def __init__(self):
        self._transforms = {m: Derived(partial(_transform, m=m)) for m in (2, 4)}

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """x: [B,I,H,W]; weight: the parameter, [O,I,3,3] or [1,O,I,3,3]; bias: [O]. Returns [B,O,H,W]."""
        dtype = arithmetic_dtype(weight)
        x, bias = x.to(dtype), None if bias is None else bias.to(dtype)
        m = winograd_tile(x, weight, dtype)
        if m is None:
            return F.conv2d(x, weight.view(weight.shape[-4:]).to(dtype), bias, padding=1)
        return winograd_conv3x3(x, self._transforms[m](weight), bias, m)

    def __deepcopy__(self, memo):
        return type(self)()


class Conv2d(nn.Conv2d):
    """nn.Conv2d, with Winograd's method where it pays (3 x 3, stride 1, inference on a CPU).

    Works in its weight's dtype, whatever the input's: in a half-precision model what runs beside the
    convolutions (residual sums above all) stays float32.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        plain_3x3 = self.kernel_size == (3, 3) and self.stride == (1, 1) and self.padding == (1, 1)
        self.convolution = Convolution3x3() if plain_3x3 and self.groups == 1 else None

    def forward(self, x: Tensor) -> Tensor:
        if self.convolution is not None:
            return self.convolution(x, self.weight, self.bias)
        dtype = arithmetic_dtype(self.weight)
        bias = None if self.bias is None else self.bias.to(dtype)
        return self._conv_forward(x.to(dtype), self.weight.to(dtype), bias)


class Linear(nn.Linear):
    """nn.Linear that multiplies in its weight's dtype and adds its bias in the bias's own."""

    def forward(self, x: Tensor) -> Tensor:
        dtype = arithmetic_dtype(self.weight)
        return F.linear(x.to(dtype), self.weight.to(dtype)).to(self.bias.dtype) + self.bias


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
