"""MobileFaceNet (Chen et al. 2018): who a face is, small enough for a loss and for measuring on a CPU.

The weights are foamliu's (Apache-2.0), from the ONNX file of that repository, whose BatchNorms are folded into the
convolutions.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.errors import CheckpointError
from ..checkpoints.measuring_weights import MOBILEFACENET
from ..checkpoints.present import find_weights
from .identity import Frozen
from .onnx_weights import read_onnx
from .views import View, checked_pictures

# Table 1 of the paper, as foamliu built it: (expansion, channels, blocks, stride of the first one).
_STAGES = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
_FIRST, _LAST, _EMBEDDING, _SEEN = 64, 512, 128, 7
# Five points brought to the places of ArcFace's 112 px template.
_VIEW = View(0.5018, 0.4961, 0.7505, 112)
# Mean and deviation of ImageNet, for pictures in [0,1].
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class InvertedResidual(nn.Module):
    """MobileNetV2's block without normalisations: 1 x 1 and 3 x 3 depthwise, each with ReLU6, then 1 x 1."""

    def __init__(self, in_channels: int, out_channels: int, expansion: int, stride: int):
        super().__init__()
        hidden = in_channels * expansion
        self.expand = nn.Conv2d(in_channels, hidden, 1)
        self.depthwise = nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden)
        self.project = nn.Conv2d(hidden, out_channels, 1)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """x: [B,I,H,W]. Returns [B,O,H/stride,W/stride]."""
        y = self.project(F.relu6(self.depthwise(F.relu6(self.expand(x)))))
        return x + y if self.residual else y


class MobileFaceNet(Frozen):
    """Embed aligned faces (FFHQ's alignment) by identity. Frozen."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, _FIRST, 3, 2, 1)
        self.depthwise = nn.Conv2d(_FIRST, _FIRST, 3, 1, 1, groups=_FIRST)
        self.pointwise = nn.Conv2d(_FIRST, _FIRST, 1)
        blocks, before = [], _FIRST
        for expansion, width, depth, stride in _STAGES:
            for i in range(depth):
                blocks.append(InvertedResidual(before, width, expansion, 1 if i else stride))
                before = width
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Conv2d(before, _LAST, 1)
        self.whole = nn.Conv2d(_LAST, _LAST, _SEEN, groups=_LAST)
        self.embedding = nn.Conv2d(_LAST, _EMBEDDING, 1)
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)
        self.requires_grad_(False).train()

    def embed(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1], aligned as FFHQ's. Returns [B,128], each of length 1."""
        face = ((_VIEW(checked_pictures(image)) + 1) / 2 - self.mean) / self.deviation
        return F.normalize(self.forward(face), dim=1)

    def forward(self, face: Tensor) -> Tensor:
        """face: [B,3,112,112] in RGB, normalised. Returns the embeddings as they come, [B,128]."""
        x = F.relu6(self.first(face))
        x = F.relu(self.pointwise(F.relu(self.depthwise(x))))
        x = F.relu6(self.last(self.blocks(x)))
        return self.embedding(self.whole(x)).flatten(1)


def load_mobilefacenet(path: Path | str) -> MobileFaceNet:
    """Read `MobileFaceNet.onnx`, frozen: its convolutions in the graph's order. Raises CheckpointError."""
    tensors = read_onnx(path).of("Conv")
    network = MobileFaceNet()
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    wanted = [[module.weight.shape, module.bias.shape] for module in convolutions]
    if [[tensor.shape for tensor in pair] for pair in tensors] != wanted:
        raise CheckpointError(
            f"{path} does not hold the expected MobileFaceNet ({len(convolutions)} convolutions of its shapes); it "
            f"holds {len(tensors)} convolutions. Get it from foamliu/MobileFaceNet."
        )
    for module, (weight, bias) in zip(convolutions, tensors, strict=True):
        module.weight.data, module.bias.data = weight, bias
    return network.requires_grad_(False)


def find_mobilefacenet(folder: Path | str) -> Path:
    """Return MobileFaceNet's file in `folder`. Raises MissingWeightsError."""
    return find_weights(MOBILEFACENET, folder)
