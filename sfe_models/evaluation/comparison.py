"""How pictures are brought to be compared, and what a metric says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from ..checkpoints.present import find_file
from ..checkpoints.weight_file import WeightFile

# The side at which the paper's code compares pictures by L2 and LPIPS.
COMPARED_SIDE = 256


@dataclass(frozen=True)
class MetricInfo:
    """What a row of the tables says: its key in JSON, its name, what it is, and whether more is better."""

    key: str
    name: str
    meaning: str
    more_is_better: bool = False


def as_saved(image: Tensor) -> Tensor:
    """Clip pictures [B,3,H,W] to [-1,1] and round them to 8 bits, as a saved file holds them; float32."""
    return ((image.float() + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1


def compared(image: Tensor) -> Tensor:
    """Bring pictures [B,3,H,W] with a side above 256 px to 256 x 256 (bilinear, antialiased); others stay as they are.

    Pictures that are wider than high are squeezed into the square, as the published code does.
    """
    if max(image.shape[2:]) <= COMPARED_SIDE:
        return image
    size = (COMPARED_SIDE, COMPARED_SIDE)
    return F.interpolate(image, size=size, mode="bilinear", align_corners=False, antialias=True)


def l2(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared error of pictures [B,3,H,W] in [-1,1] (not [0,1], which gives a quarter of it), at 256 px: [B]."""
    return (compared(a) - compared(b)).square().mean(dim=(1, 2, 3))


def needed(files: tuple[WeightFile, ...], folder: Path | str) -> str:
    """Say in a table's row what is missing where: "needs FILE in FOLDER"."""
    missing = [file.name for file in files if find_file(file, [folder]) is None]
    return f"needs {' and '.join(missing)} in {folder}"
