"""Crops out of photos and back: each in one antialiased resampling, piece by piece.

Only the part of a photo that a piece of the crop sees is ever converted to float32, so that time and memory follow
the crop and not the photo. Pixel centres lie at halves, in the photo and in the crop.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ..crop import spline
from ..errors import FaceError
from .alignment import FaceAlignment
from .padding import faded_padding

Box = tuple[int, int, int, int]  # top, left, height, width

# Samples of a piece: on a CPU small enough for its caches, elsewhere large enough to keep the device busy.
_CPU_SAMPLES, _SAMPLES = 1 << 17, 1 << 22
# Up to this scale one sample a pixel is enough.
_ONE_SAMPLE = 1.25
# Pixels that are read beyond a position: those of the prefilter, two of the spline, one for rounding.
_REACH = spline.REACH + 3


def check_photo(photo: Tensor, alignment: FaceAlignment) -> None:
    """Require a photo [C,H,W] of the size that the alignment was made for."""
    if photo.ndim != 3 or tuple(photo.shape[1:]) != alignment.photo_size:
        height, width = alignment.photo_size
        raise FaceError(
            f"The photo is {tuple(photo.shape)}; the alignment was made for one of {width} x {height} px. Use the "
            "photo that was aligned."
        )


def crop_face(photo: Tensor, alignment: FaceAlignment) -> Tensor:
    """Cut the crop [C,h,w] out of a photo [C,H,W] of any value range; float32 of a photo in integers.

    Interpolated by cubic splines; where the photo is finer than the crop, the mean of n x n bilinear samples a pixel
    with n the photo's px per px of the crop, rounded up. Outside of the photo its reflection is seen, blurred and
    faded as FFHQ's (`padding`).
    """
    check_photo(photo, alignment)
    if alignment.is_identity and alignment.crop_size == alignment.photo_size:
        return photo.clone() if photo.is_floating_point() else photo.float()
    size = alignment.crop_size
    crop = photo.new_empty((photo.shape[0], *size), dtype=_computed(photo))
    for (top, left, height, width), part in resampled(
        photo, alignment.crop_to_photo, (0, 0, *size), alignment.scale, reflected=True
    ):
        crop[:, top : top + height, left : left + width] = part
    return faded_padding(crop, alignment)


def resampled(
    source: Tensor, matrix: Tensor, box: Box, scale: float, reflected: bool = False, plain: int = 0
) -> Iterator[tuple[Box, Tensor]]:
    """Give the pixels of a box from `source` [C,H,W], piece by piece: (box of the piece, [C,h,w]).

    matrix: [2,3], px in which the box counts to px of the source; scale: px of the source that one px of the box
    spans; reflected: beyond its edges the source is reflected, otherwise its border goes on; plain: so many last
    channels keep within their own values, as masks must.
    """
    finer = 1 if scale <= _ONE_SAMPLE else math.ceil(scale - 1e-6)
    samples = _CPU_SAMPLES if source.device.type == "cpu" else _SAMPLES
    side = max(16, math.isqrt(samples) // finer)
    limits = source.shape[2], source.shape[1]
    dtype = _computed(source)
    for piece in _pieces(box, side):
        axes = _positions(matrix, piece, finer, source.device)
        axes = [_within(axis, limit, reflected).to(dtype) for axis, limit in zip(axes, limits, strict=True)]
        (left, right), (top, bottom) = (_span(axis, limit) for axis, limit in zip(axes, limits, strict=True))
        part = source[:, top:bottom, left:right].to(dtype)
        x, y = (axis - first for axis, first in zip(axes, (left, top), strict=True))
        if finer == 1:
            yield piece, spline.sample(spline.prefiltered(part, plain), x, y)
        else:
            # The mean of many samples needs no better interpolation.
            yield piece, F.avg_pool2d(spline.bilinear(part, x, y), finer)


def _computed(source: Tensor) -> torch.dtype:
    return source.dtype if source.dtype in (torch.float32, torch.float64) else torch.float32


def _pieces(box: Box, side: int) -> Iterator[Box]:
    top, left, height, width = box
    for y in range(top, top + height, side):
        for x in range(left, left + width, side):
            yield y, x, min(side, top + height - y), min(side, left + width - x)


def _positions(matrix: Tensor, piece: Box, finer: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """x and y, in the source, of the centres of `finer` x `finer` parts of each pixel of a piece."""
    top, left, height, width = piece
    rows = ((torch.arange(height * finer) + 0.5) / finer)[:, None].to(device)
    columns = ((torch.arange(width * finer) + 0.5) / finer).to(device)
    (a, b, c), (d, e, f) = matrix.tolist()
    return (
        a * columns + (b * rows + (a * left + b * top + c)),
        d * columns + (e * rows + (d * left + e * top + f)),
    )


def _within(positions: Tensor, limit: int, reflected: bool) -> Tensor:
    """Bring positions into [0, limit], by reflection at both ends or by going to the nearer end."""
    if not reflected:
        return positions.clamp(0, limit)
    positions = positions.remainder(2 * limit)
    return torch.minimum(positions, 2 * limit - positions)


def _span(positions: Tensor, limit: int) -> tuple[int, int]:
    """First and last px (exclusive) that interpolation at these positions reads."""
    low, high = (int(v) for v in positions.aminmax())
    return max(0, low - _REACH), min(limit, high + 1 + _REACH)


def photo_box(alignment: FaceAlignment, quad: Tensor | None = None) -> Box | None:
    """Return the box of the photo that the crop touches, or a quad [4,2] of the photo; None if it touches none."""
    height, width = alignment.photo_size
    quad = alignment.quad() if quad is None else quad
    low, high = quad.amin(dim=0).floor(), quad.amax(dim=0).ceil()
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(width, int(high[0])), min(height, int(high[1]))
    return (top, left, bottom - top, right - left) if right > left and bottom > top else None


def pixel_centres(size: tuple[int, int], device: torch.device | str = "cpu") -> Tensor:
    """Return (x, y) of the centres of all pixels of a picture of (height, width): [height,width,2]."""
    height, width = size
    rows, columns = torch.arange(height, device=device) + 0.5, torch.arange(width, device=device) + 0.5
    return torch.stack([columns.expand(height, -1), rows[:, None].expand(-1, width)], dim=-1)
