"""A small U-Net that says which of CelebAMask-HQ's 19 classes each pixel of an aligned crop shows.

The network and its weights are SimonEnkel's (lightweight-unet-face-parsing); parameter names are those of the file.
Small enough to score thousands of samples: for masks that a person sees, `faces.mask` has larger ones.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.assign import assign
from ..checkpoints.measuring_weights import FACE_CLASSES
from ..checkpoints.present import find_weights
from ..checkpoints.reading import tensors_of
from ..checkpoints.unpickling.torch_file import read_torch
from .views import checked_pictures

# The order of the network's outputs: its training numbered the masks' colours in an order of its own.
CLASSES = (
    "background", "upper lip", "left brow", "skin", "right ear", "right eye", "nose", "necklace", "left ear", "glasses",
    "lower lip", "right brow", "hat", "hair", "mouth", "neck", "cloth", "left eye", "earring",
)  # fmt: skip
# What belongs to the face, as opposed to what stands around it.
FACE = (
    "skin", "nose", "glasses", "left eye", "right eye", "left brow", "right brow", "mouth", "upper lip", "lower lip",
)  # fmt: skip
SIDE = 256
_WIDTHS = (32, 64, 128)


def _two_convolutions(in_channels: int, out_channels: int) -> nn.Sequential:
    first, second = nn.Conv2d(in_channels, out_channels, 3, 1, 1), nn.Conv2d(out_channels, out_channels, 3, 1, 1)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())


class FaceClasses(nn.Module):
    """Tell the parts of an aligned face apart. widths: channels at 256, 128 and 64 px."""

    def __init__(self, widths: tuple[int, int, int] = _WIDTHS):
        super().__init__()
        a, b, c = widths
        self.enc1, self.enc2, self.bottleneck = (
            _two_convolutions(3, a),
            _two_convolutions(a, b),
            _two_convolutions(b, c),
        )
        self.up1, self.dec1 = nn.ConvTranspose2d(c, b, 2, 2), _two_convolutions(2 * b, b)
        self.up2, self.dec2 = nn.ConvTranspose2d(b, a, 2, 2), _two_convolutions(2 * a, a)
        self.out = nn.Conv2d(a, len(CLASSES), 1)

    def forward(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1], aligned as FFHQ's. Returns the classes' probabilities, [B,19,256,256]."""
        fine, middle, coarse = self._contracted(image)
        middle = self.dec1(torch.cat([self.up1(coarse), middle], dim=1))
        fine = self.dec2(torch.cat([self.up2(middle), fine], dim=1))
        return self.out(fine).softmax(dim=1)

    def levels(self, image: Tensor) -> list[Tensor]:
        """Compute what a loss can compare, the pooled levels and the last: features of 128, 64 and 64 px."""
        fine, middle, coarse = self._contracted(image)
        return [F.max_pool2d(fine, 2), F.max_pool2d(middle, 2), coarse]

    def _contracted(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = checked_pictures(image)
        if x.shape[2:] != (SIDE, SIDE):
            x = F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True)
        x = x.contiguous(memory_format=torch.channels_last)
        fine = self.enc1(x)
        middle = self.enc2(F.max_pool2d(fine, 2))
        return fine, middle, self.bottleneck(F.max_pool2d(middle, 2))


def of_classes(probabilities: Tensor, *names: str) -> Tensor:
    """Add up the probabilities [B,19,H,W] of some of CLASSES: [B,H,W] in [0,1]."""
    return probabilities[:, [CLASSES.index(name) for name in names]].sum(dim=1)


def load_face_classes(path: Path | str) -> FaceClasses:
    """Read `model_best.pth`, frozen. Raises CheckpointError."""
    state = tensors_of(read_torch(path), path)
    with torch.device("meta"):
        network = FaceClasses()
    assign(network, state, Path(path), "small face parser")
    return network.requires_grad_(False).eval().to(memory_format=torch.channels_last)


def find_face_classes(folder: Path | str) -> Path:
    """Return the face parser's file in `folder`. Raises MissingWeightsError."""
    return find_weights(FACE_CLASSES, folder)
