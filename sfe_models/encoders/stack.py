"""The residual stack on features that the Fuser and the Feature Editor share."""

from __future__ import annotations

from torch import Tensor, nn

from ..nn.convolution import PReLU, conv1x1, conv3x3


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
    """1 x 1 convolution with bias, then residual blocks."""

    def __init__(self, in_channels: int, out_channels: int, blocks: int):
        super().__init__()
        self.conv = conv1x1(in_channels, out_channels, bias=True)
        self.body = nn.Sequential(*(FeatureBlock(out_channels) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,in_channels,r,r]. Returns [B,out_channels,r,r]."""
        return self.body(self.conv(x).to(x.dtype))
