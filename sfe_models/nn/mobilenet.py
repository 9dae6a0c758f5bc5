"""MobileNetV2 (Sandler et al. 2018) without its classifier: a small backbone with features at four sizes.

Parameter names are those of torchvision's `features.0` ... `features.17`, so that published weights can start it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .convolution import Conv2d

# Expansion, width, blocks, stride of the first block (table 2 of the paper).
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
# Blocks whose output is kept: the last of 1/4, 1/8, 1/16 and 1/32 of the picture, and their widths.
_TAPS = (3, 6, 13, 17)
WIDTHS = (24, 32, 96, 320)
# Of ImageNet's pictures, which published weights were trained on, for pictures in [0,1].
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(out_channels)]


class InvertedResidual(nn.Module):
    """Expand by 1 x 1, depthwise 3 x 3, project by 1 x 1, beside a shortcut where sizes allow."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int):
        super().__init__()
        hidden = in_channels * expansion
        parts: list[nn.Module] = []
        if expansion != 1:
            parts.append(nn.Sequential(*_conv(in_channels, hidden, 1), nn.ReLU6()))
        parts.append(nn.Sequential(*_conv(hidden, hidden, 3, stride, hidden), nn.ReLU6()))
        self.conv = nn.Sequential(*parts, *_conv(hidden, out_channels, 1))
        self.shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    """Pictures to features at 1/4, 1/8, 1/16 and 1/32 of their size."""

    def __init__(self):
        super().__init__()
        blocks: list[nn.Module] = [nn.Sequential(*_conv(3, 32, 3, 2), nn.ReLU6())]
        before = 32
        for expansion, width, depth, stride in _STAGES:
            for i in range(depth):
                blocks.append(InvertedResidual(before, width, 1 if i else stride, expansion))
                before = width
        self.features = nn.Sequential(*blocks)

    def forward(self, image: Tensor, levels: int = len(_TAPS)) -> list[Tensor]:
        """image: [B,3,h,w] in [-1,1], sides divisible by 32. Returns [B,24,h/4,w/4] ... [B,320,h/32,w/32].

        levels: how many of the four are wanted, the finest first; the rest is not computed.
        """
        mean, std = (torch.tensor(v, dtype=image.dtype, device=image.device)[:, None, None] for v in (_MEAN, _STD))
        x, taps = ((image + 1) / 2 - mean) / std, []
        for i, block in enumerate(self.features[: _TAPS[levels - 1] + 1]):
            x = block(x)
            if i in _TAPS:
                taps.append(x)
        return taps
