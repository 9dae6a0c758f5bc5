"""A perceptual distance for training on two cores: MobileNetV2's first levels, compared as LPIPS compares features.

No heads are fitted to what people say, so it measures nothing; as a loss it costs a thirtieth of AlexNet's and asks for
edges and textures where L1 and L2 are content with their mean.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ..checkpoints.assign import assign
from ..checkpoints.measuring_weights import MOBILENET
from ..checkpoints.present import find_weights
from ..checkpoints.reading import tensors_of
from ..checkpoints.unpickling.torch_file import read_torch
from ..nn.mobilenet import MobileNetV2
from .lpips import unit_normalise
from .views import checked_pictures

_LEVELS = 3
_MIN_SIDE = 32


class MobileNetDistance(nn.Module):
    """Mean squared differences of unit feature vectors at 1/4, 1/8 and 1/16 of the size, summed."""

    def __init__(self):
        super().__init__()
        self.backbone = MobileNetV2()

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """a, b: [B,3,H,W] in [-1,1], at least 32 px, sides divisible by 16. Returns the distances [B]."""
        if a.shape != b.shape:
            raise ValueError(f"MobileNet's distance got pictures of the shapes {tuple(a.shape)} and {tuple(b.shape)}.")
        checked_pictures(a, _MIN_SIDE)
        levels = (self.backbone(x, _LEVELS) for x in (a, b))
        differences = (unit_normalise(x) - unit_normalise(y) for x, y in zip(*levels, strict=True))
        return torch.stack([d.square().sum(dim=1).mean(dim=(1, 2)) for d in differences]).sum(dim=0)


def load_backbone(backbone: MobileNetV2, path: Path | str) -> None:
    """Fill a backbone with the published weights; the classifier is left out. Raises CheckpointError."""
    names = backbone.state_dict()
    weights = {name: tensor for name, tensor in tensors_of(read_torch(path), path).items() if name in names}
    assign(backbone, weights, Path(path), "MobileNetV2")


def load_mobilenet_distance(path: Path | str) -> MobileNetDistance:
    """Read the published weights. Raises CheckpointError."""
    network = MobileNetDistance()
    load_backbone(network.backbone, path)
    return network.requires_grad_(False).eval()


def find_mobilenet(folder: Path | str) -> Path:
    """Return MobileNetV2's file in `folder` or in its package. Raises MissingWeightsError."""
    return find_weights(MOBILENET, folder)
