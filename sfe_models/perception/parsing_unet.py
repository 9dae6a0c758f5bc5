"""L_FP of GANI: how far apart two faces are to the contracting path of a network that parses faces.

The network is CelebAMask-HQ's U-Net (Lee et al. 2020, MaskGAN); names are those of its published file. E2Style, whose
weights of the losses GANI shares, compares the four pooled levels and the centre; GANI's paper says no more than that
there are five, so this loss is a reconstruction. Its numbers with the small parser are others.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.assign import assign
from ..checkpoints.errors import CheckpointError
from ..checkpoints.measuring_weights import PARSING_UNET
from ..checkpoints.present import find_weights
from ..checkpoints.reading import tensors_of
from ..checkpoints.unpickling.torch_file import read_torch
from .face_classes import FaceClasses
from .views import checked_pictures

WIDTHS = (16, 32, 64, 128, 256)
_POOLED = ("conv1", "conv2", "conv3", "conv4")
_PATH = (*_POOLED, "center")


class TwoConvolutions(nn.Module):
    """Twice 3x3, BatchNorm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv1, self.conv2 = (
            nn.Sequential(nn.Conv2d(before, out_channels, 3, 1, 1), nn.BatchNorm2d(out_channels), nn.ReLU())
            for before in (in_channels, out_channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x))


class ContractingPath(nn.Module):
    """The half of the U-Net that the loss looks at. widths: channels of its five levels."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        for name, before, width in zip(_PATH, (3, *widths), widths, strict=False):
            self.add_module(name, TwoConvolutions(before, width))

    def levels(self, image: Tensor) -> list[Tensor]:
        """image: [B,3,H,W] in [-1,1]. Returns features of 1/2, 1/4, 1/8 and twice 1/16 of its size."""
        x, levels = image, []
        for name in _POOLED:
            x = F.max_pool2d(getattr(self, name)(x), 2)
            levels.append(x)
        return [*levels, self.center(x)]


class ParsingDistance(nn.Module):
    """Sum over the levels of a parser of 1 - cosine of all features of a level. Frozen."""

    def __init__(self, parser: ContractingPath | FaceClasses):
        super().__init__()
        self.parser = parser.requires_grad_(False).eval()

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """a, b: [B,3,H,W] in [-1,1], of 32 px or more. Returns the distances [B]."""
        if a.shape != b.shape:
            raise ValueError(f"The parsing distance got pictures of the shapes {tuple(a.shape)} and {tuple(b.shape)}.")
        checked_pictures(a, 32)
        levels = (self.parser.levels(x) for x in (a, b))
        apart = [1 - F.cosine_similarity(x.flatten(1), y.flatten(1)) for x, y in zip(*levels, strict=True)]
        return torch.stack(apart).sum(dim=0)


def load_parsing_unet(path: Path | str) -> ContractingPath:
    """Read the contracting path of the published file, frozen. Raises CheckpointError."""
    state = tensors_of(read_torch(path), path)
    kept = {name: tensor for name, tensor in state.items() if name.partition(".")[0] in _PATH}
    try:
        widths = tuple(kept[f"{name}.conv1.0.weight"].shape[0] for name in _PATH)
    except KeyError as error:
        raise CheckpointError(
            f"{path} holds no {error.args[0]} of CelebAMask-HQ's U-Net; expected {PARSING_UNET.name} of "
            f"{PARSING_UNET.source}."
        ) from error
    with torch.device("meta"):
        network = ContractingPath(widths)
    assign(network, kept, Path(path), "U-Net that parses faces")
    return network.requires_grad_(False).eval()


def find_parsing_unet(folder: Path | str) -> Path:
    """Return the U-Net's file in `folder`. Raises MissingWeightsError."""
    return find_weights(PARSING_UNET, folder)
