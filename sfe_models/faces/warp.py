"""Crops out of photos and back: each in one antialiased resampling."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .alignment import FaceAlignment
from .landmarks import FaceError

# Samples that are worked on at once, to keep memory small.
_SAMPLES = 1 << 22


def check_photo(photo: Tensor, alignment: FaceAlignment) -> None:
    """Require a photo [C,H,W] of the size that the alignment was made for."""
    if photo.ndim != 3 or tuple(photo.shape[1:]) != alignment.photo_size:
        height, width = alignment.photo_size
        raise FaceError(
            f"The photo is {tuple(photo.shape)}; the alignment was made for one of {width} x {height} px. Use the "
            "photo that was aligned."
        )


def crop_face(photo: Tensor, alignment: FaceAlignment) -> Tensor:
    """Cut the crop [C,h,w] out of a photo [C,H,W] of any value range.

    Bilinear, of the mean of n x n samples a pixel where the photo is n times finer; outside of the photo its
    reflection is seen.
    """
    check_photo(photo, alignment)
    if alignment.is_identity and alignment.crop_size == alignment.photo_size:
        return photo.clone()
    size = alignment.crop_size

    def positions(points: Tensor) -> Tensor:
        return alignment.to_photo(points / points.new_tensor([size[1], size[0]]))

    return _resample(photo, positions, (0, 0, *size), alignment.scale, "reflection")


def crop_in_photo(crop: Tensor, alignment: FaceAlignment, box: tuple[int, int, int, int]) -> Tensor:
    """Draw a crop [C,h,w] where it lies in the photo, in a box (top, left, height, width): [C,height,width].

    Outside of the crop its border goes on.
    """
    height, width = crop.shape[1:]

    def positions(points: Tensor) -> Tensor:
        return alignment.to_crop(points) * points.new_tensor([width, height])

    return _resample(crop, positions, box, 1 / alignment.resized((height, width)).scale, "border")


def photo_box(alignment: FaceAlignment) -> tuple[int, int, int, int] | None:
    """Return the box (top, left, height, width) of the photo that the crop touches; None if it touches none."""
    height, width = alignment.photo_size
    low, high = alignment.quad().amin(dim=0).floor(), alignment.quad().amax(dim=0).ceil()
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(width, int(high[0])), min(height, int(high[1]))
    return (top, left, bottom - top, right - left) if right > left and bottom > top else None


def pixel_centres(box: tuple[int, int, int, int], finer: int = 1, device: torch.device | str = "cpu") -> Tensor:
    """Return (x, y) of the centres of `finer` x `finer` parts of each pixel in a box: [height*n,width*n,2]."""
    top, left, height, width = box
    rows = (torch.arange(height * finer, device=device) + 0.5) / finer + top
    columns = (torch.arange(width * finer, device=device) + 0.5) / finer + left
    return torch.stack([columns.expand(len(rows), -1), rows[:, None].expand(-1, len(columns))], dim=-1)


def _resample(source: Tensor, positions, box: tuple[int, int, int, int], scale: float, padding: str) -> Tensor:
    """Sample `source` [C,H,W] at `positions` (its px) of the pixels in `box`, `scale` source px wide each."""
    finer = max(1, math.ceil(scale - 1e-6))
    top, left, height, width = box
    sides = source.new_tensor([source.shape[2], source.shape[1]])
    rows = max(1, _SAMPLES // (width * finer**2))
    parts = []
    for first in range(0, height, rows):
        part = (top + first, left, min(rows, height - first), width)
        grid = positions(pixel_centres(part, finer, source.device).to(source.dtype)) / sides * 2 - 1
        sampled = F.grid_sample(source[None], grid[None], "bilinear", padding, align_corners=False)
        parts.append(F.avg_pool2d(sampled, finer) if finer > 1 else sampled)
    return torch.cat(parts, dim=2)[0]
