"""BiSeNet for face parsing (Yu et al. 2018; the network and names of zllrunning/face-parsing.PyTorch, MIT).

Nineteen classes of CelebAMask-HQ, from crops of 512 px. The auxiliary heads that training used are not built.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LABELS = (
    "background", "skin", "left brow", "right brow", "left eye", "right eye", "glasses", "left ear", "right ear",
    "earring", "nose", "mouth", "upper lip", "lower lip", "neck", "necklace", "cloth", "hair", "hat",
)  # fmt: skip
SIDE = 512
# Of ImageNet, in [0,1].
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Heads of the training losses.
UNUSED = ("conv_out16.", "conv_out32.", "cp.resnet.fc.")


class ConvBNReLU(nn.Module):
    def __init__(self, n_in: int, n_out: int, kernel: int = 3):
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(n_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x)).relu()


class BasicBlock(nn.Module):
    """The residual block of ResNet-18."""

    def __init__(self, n_in: int, n_out: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.downsample = None
        if stride != 1 or n_in != n_out:
            self.downsample = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return (shortcut + self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))).relu()


class ResNet18(nn.Module):
    """Features at an eighth, a sixteenth and a thirty-second of the size."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        for i, (n_in, n_out, stride) in enumerate(((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)), 1):
            blocks = BasicBlock(n_in, n_out, stride), BasicBlock(n_out, n_out, 1)
            self.add_module(f"layer{i}", nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = F.max_pool2d(self.bn1(self.conv1(x)).relu(), 3, 2, 1)
        eighth = self.layer2(self.layer1(x))
        sixteenth = self.layer3(eighth)
        return eighth, sixteenth, self.layer4(sixteenth)


class AttentionRefinement(nn.Module):
    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.conv = ConvBNReLU(n_in, n_out)
        self.conv_atten = nn.Conv2d(n_out, n_out, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(n_out)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * self.bn_atten(self.conv_atten(F.adaptive_avg_pool2d(x, 1))).sigmoid()


class ContextPath(nn.Module):
    def __init__(self):
        super().__init__()
        self.resnet = ResNet18()
        self.arm16, self.arm32 = AttentionRefinement(256, 128), AttentionRefinement(512, 128)
        self.conv_head32, self.conv_head16 = ConvBNReLU(128, 128), ConvBNReLU(128, 128)
        self.conv_avg = ConvBNReLU(512, 128, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        eighth, sixteenth, last = self.resnet(x)
        context = self.arm32(last) + self.conv_avg(F.adaptive_avg_pool2d(last, 1))
        context = self.conv_head32(F.interpolate(context, size=sixteenth.shape[2:], mode="nearest"))
        context = self.arm16(sixteenth) + context
        return eighth, self.conv_head16(F.interpolate(context, size=eighth.shape[2:], mode="nearest"))


class FeatureFusion(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.convblk = ConvBNReLU(channels, channels, 1)
        self.conv1 = nn.Conv2d(channels, channels // 4, 1, bias=False)
        self.conv2 = nn.Conv2d(channels // 4, channels, 1, bias=False)

    def forward(self, spatial: Tensor, context: Tensor) -> Tensor:
        x = self.convblk(torch.cat([spatial, context], dim=1))
        return x + x * self.conv2(self.conv1(F.adaptive_avg_pool2d(x, 1)).relu()).sigmoid()


class Output(nn.Module):
    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.conv = ConvBNReLU(channels, channels)
        self.conv_out = nn.Conv2d(channels, classes, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_out(self.conv(x))


class BiSeNet(nn.Module):
    """Classes of every pixel of aligned crops."""

    labels = LABELS

    def __init__(self):
        super().__init__()
        self.cp = ContextPath()
        self.ffm = FeatureFusion(256)
        self.conv_out = Output(256, len(LABELS))

    def forward(self, pictures: Tensor) -> Tensor:
        """pictures: [B,3,H,W], normalised with ImageNet's mean and deviation; returns logits [B,19,H,W]."""
        logits = self.conv_out(self.ffm(*self.cp(pictures)))
        return F.interpolate(logits, size=pictures.shape[2:], mode="bilinear", align_corners=True)

    def parse(self, crops: Tensor, landmarks: Tensor | None = None) -> Tensor:
        """crops: [B,3,H,W] in [-1,1], aligned; the landmarks are not needed. Returns logits [B,19,H,W]."""
        small = F.interpolate(crops, size=(SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True)
        mean, deviation = (small.new_tensor(v)[:, None, None] for v in (_MEAN, _DEVIATION))
        logits = self((small * 0.5 + 0.5 - mean) / deviation)
        return F.interpolate(logits, size=crops.shape[2:], mode="bilinear", align_corners=False)
