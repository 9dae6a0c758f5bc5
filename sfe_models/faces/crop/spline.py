"""Interpolation by cubic B-splines (Unser 1999): much less blur in a round trip than bicubic, at the same cost."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# The prefilter turns values into a spline's coefficients. It is recursive with the pole sqrt(3) - 2, so its response
# falls to 3e-5 within this reach; positions are px with the first pixel's centre at 0.5.
_POLE = math.sqrt(3) - 2
REACH = 8


def prefiltered(picture: Tensor, plain: int = 0) -> Tensor:
    """Give the coefficients of the spline through the values of a picture [C,H,W]; the picture is mirrored beyond it.

    plain: so many last channels are left as they are: their spline is smoother and never exceeds their values.
    """
    if plain:
        values, rest = picture[:-plain], picture[-plain:]
        return torch.cat([prefiltered(values), rest])
    rows, columns = (_mirrored(n, picture.device) for n in picture.shape[1:])
    return _filtered(_filtered(picture[:, rows][:, :, columns], 1), 2)


def _filtered(picture: Tensor, dim: int) -> Tensor:
    """Filter along one axis and take REACH px off its ends. Sums of shifted pictures are faster than a convolution."""
    weights = [_POLE**tap for tap in range(REACH + 1)]
    whole, length = weights[0] + 2 * sum(weights[1:]), picture.shape[dim] - 2 * REACH
    out = picture.narrow(dim, REACH, length) * (weights[0] / whole)
    for tap in range(1, REACH + 1):
        pair = picture.narrow(dim, REACH - tap, length) + picture.narrow(dim, REACH + tap, length)
        out.add_(pair, alpha=weights[tap] / whole)
    return out


def _mirrored(length: int, device: torch.device) -> Tensor:
    """Indices from REACH before the first to REACH after the last, mirrored at both ends with the ends repeated."""
    index = torch.arange(-REACH, length + REACH, device=device).remainder(2 * length)
    return torch.minimum(index, 2 * length - 1 - index)


def bilinear(picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample a picture [C,H,W] at positions [h,w]: [C,h,w]; the border goes on beyond it."""
    height, width = picture.shape[1:]
    grid = torch.stack([x * (2 / width) - 1, y * (2 / height) - 1], dim=-1).to(picture.dtype)
    return F.grid_sample(picture[None], grid[None], "bilinear", "border", align_corners=False)[0]


def gathered(picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample as `bilinear` does, but read the four px around each position only: for few points of a large picture."""
    height, width = picture.shape[1:]
    x, y = x - 0.5, y - 0.5
    left, top = x.floor(), y.floor()
    rows = [(top + n).clamp(0, height - 1).long() for n in (0, 1)]
    columns = [(left + n).clamp(0, width - 1).long() for n in (0, 1)]
    right, below = (x - left).to(torch.float32), (y - top).to(torch.float32)
    upper, lower = (
        torch.lerp(picture[:, row, columns[0]].float(), picture[:, row, columns[1]].float(), right) for row in rows
    )
    return torch.lerp(upper, lower, below)


def sample(coefficients: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Evaluate a spline [C,H,W] at positions [h,w]: [C,h,w].

    The sixteen weights of a position are those of four bilinear samples (Sigg and Hadwiger 2005).
    """
    height, width = coefficients.shape[1:]
    x0, x1, right = _halves(x)
    y0, y1, below = _halves(y)
    grid = coefficients.new_empty(4, *x.shape, 2)
    for half, (column, row) in enumerate(((x0, y0), (x1, y0), (x0, y1), (x1, y1))):
        torch.mul(column, 2 / width, out=grid[half, :, :, 0])
        torch.mul(row, 2 / height, out=grid[half, :, :, 1])
    grid = grid.sub_(1).flatten(0, 1)
    found = F.grid_sample(coefficients[None], grid[None], "bilinear", "border", align_corners=False)[0]
    found = found.unflatten(1, (4, x.shape[0]))
    upper, lower = (torch.lerp(found[:, i], found[:, i + 1], right) for i in (0, 2))
    return torch.lerp(upper, lower, below)


def _halves(position: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where to sample linearly for the first two and for the last two coefficients, and the weight of the latter."""
    whole = torch.floor(position - 0.5)
    t = position - 0.5 - whole
    first, third, last = (1 - t) ** 3 / 6, (1 + 3 * t * (1 + t - t * t)) / 6, t**3 / 6
    weight = third + last
    before = whole - 0.5 + (1 - weight - first) / (1 - weight)
    return before, whole + 1.5 + last / weight, weight
