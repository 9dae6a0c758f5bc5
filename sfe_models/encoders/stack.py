"""The residual block of IResNet, and the stack of blocks on features that the Fuser and the Feature Editor share."""

from __future__ import annotations

from torch import Tensor, nn

from ..nn.convolution import PReLU, conv1x1, conv3x3


class IBasicBlock(nn.Module):
    """Residual block of IResNet: BN, conv, BN, PReLU, conv (stride), BN, beside a shortcut."""

    sequence = ("bn1", "conv1", "bn2", "prelu", "conv2", "bn3")

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, downsample: bool | None = None):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = conv3x3(in_channels, out_channels)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.prelu = PReLU(out_channels)
        self.conv2 = conv3x3(out_channels, out_channels, stride)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = None
        if stride != 1 or in_channels != out_channels if downsample is None else downsample:
            self.downsample = nn.Sequential(conv1x1(in_channels, out_channels, stride), nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(x)
        y = self.prelu(self.bn2(self.conv1(y)))
        y = self.bn3(self.conv2(y))
        return y + (x if self.downsample is None else self.downsample(x))


class FeatureBlock(nn.Module):
    """Residual block without a change of size: BN, conv, BN, PReLU, conv, BN."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(channels),
            conv3x3(channels, channels),
            nn.BatchNorm2d(channels),
            PReLU(channels),
            conv3x3(channels, channels),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + x


class FeatureStack(nn.Module):
    """1 x 1 convolution with bias, or a block in its place, then residual blocks; see `DomainSpec.stack_start`."""

    def __init__(self, in_channels: int, out_channels: int, blocks: int, start: str = "convolution"):
        super().__init__()
        if start == "block":
            self.conv = IBasicBlock(in_channels, out_channels)
        else:
            self.conv = conv1x1(in_channels, out_channels, bias=True)
        self.body = nn.Sequential(*(FeatureBlock(out_channels) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,in_channels,r,r]. Returns [B,out_channels,r,r]."""
        return self.body(self.conv(x).to(x.dtype))
