"""The residual discriminator of StyleGAN2-ADA (Karras et al. 2020a), under NVIDIA's parameter names."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...nn.initial import normal
from .filters import blur_for_downsampling, downsample
from .layers import LRELU_GAIN, LRELU_SLOPE, EqualizedLinear
from .spec import StyleGAN2Spec

# Pictures of a group whose deviations the minibatch statistic shows.
_GROUP = 4


class EqualizedConv2d(nn.Module):
    """Convolution with equalised learning rate, bias and leaky ReLU; stride 2 smooths first.

    weight: [O,I,k,k], used times 1 / sqrt(I k k).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        down: bool = False,
        bias: bool = True,
        activate: bool = True,
        gain: float = 1.0,
    ):
        super().__init__()
        self.weight = nn.Parameter(normal(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.down, self.activate, self.gain = down, activate, gain

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,I,H,W]. Returns [B,O,H,W], or half the size with `down`."""
        weight = self.weight / math.sqrt(self.weight[0].numel())
        if self.down and weight.shape[-1] == 1:
            x = F.conv2d(downsample(x), weight)
        elif self.down:
            x = F.conv2d(blur_for_downsampling(x), weight, stride=2)
        else:
            x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        if self.bias is not None:
            x = x + self.bias[:, None, None]
        gain = self.gain
        if self.activate:
            x, gain = F.leaky_relu(x, LRELU_SLOPE), gain * LRELU_GAIN
        return x if gain == 1.0 else x * gain


class DiscriminatorBlock(nn.Module):
    """Two convolutions to half the size, beside a 1 x 1 skip; the first block also reads the picture."""

    def __init__(self, in_channels: int, out_channels: int, from_rgb: bool):
        super().__init__()
        half = math.sqrt(0.5)
        self.fromrgb = EqualizedConv2d(3, in_channels, 1) if from_rgb else None
        self.conv0 = EqualizedConv2d(in_channels, in_channels, 3)
        self.conv1 = EqualizedConv2d(in_channels, out_channels, 3, down=True, gain=half)
        self.skip = EqualizedConv2d(in_channels, out_channels, 1, down=True, bias=False, activate=False, gain=half)

    def forward(self, x: Tensor) -> Tensor:
        x = x if self.fromrgb is None else self.fromrgb(x)
        return self.skip(x) + self.conv1(self.conv0(x))


def minibatch_std(x: Tensor) -> Tensor:
    """Append one channel: the mean standard deviation over groups of four pictures (Karras et al. 2018, section 3).

    x: [B,C,H,W] with B divisible by min(4, B). Picture i is grouped with i + B / group, and so on.
    """
    batch, _, height, width = x.shape
    group = min(_GROUP, batch)
    if batch % group:
        raise ValueError(f"A batch of {batch} cannot be split into groups of {group} for the minibatch statistic.")
    grouped = x.view(group, batch // group, *x.shape[1:])
    std = torch.sqrt(grouped.var(dim=0, unbiased=False) + 1e-8).mean(dim=(1, 2, 3))
    return torch.cat([x, std.repeat(group).view(-1, 1, 1, 1).expand(-1, 1, height, width)], dim=1)


class DiscriminatorEpilogue(nn.Module):
    """Minibatch statistic, 3 x 3 convolution, two linear layers: [B,C,4,4] to logits [B,1]."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = EqualizedConv2d(channels + 1, channels, 3)
        self.fc = EqualizedLinear(channels * 16, channels)
        self.out = EqualizedLinear(channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(minibatch_std(x)).flatten(1)
        return self.out(F.leaky_relu(self.fc(x), LRELU_SLOPE) * LRELU_GAIN)


class Discriminator(nn.Module):
    """Discriminator of the StyleGAN2-ADA kind for the pictures of a generator of this description.

    Parameter names are NVIDIA's (`b1024.conv0.weight`, ...), less the constant `resample_filter` buffers.
    """

    def __init__(self, spec: StyleGAN2Spec):
        super().__init__()
        self.spec = spec
        for i in range(spec.n_resolutions - 1, 0, -1):
            block = DiscriminatorBlock(spec.channels[i], spec.channels[i - 1], spec.resolution == 4 * 2**i)
            self.add_module(f"b{4 * 2**i}", block)
        self.b4 = DiscriminatorEpilogue(spec.channels[0])

    def forward(self, image: Tensor) -> Tensor:
        """image: [B,3,R,R] in [-1,1]. Returns logits [B,1]."""
        x = image
        for block in self.children():
            x = block(x)
        return x
