"""How a face moved from one frame to the next, by its pixels: far steadier than its landmarks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..faces.blur import gaussian_blur

# Side in px of the crops that are compared, deviations of the blurs that they are compared at, steps at each.
SIDE = 96
_BLURS, _STEPS = (4.0, 1.5), 6
# What counts lies about the middle of the crop: deviation as a share of the side.
_WINDOW = 0.22
# Grey levels of 255 beyond this change for another reason: a blink, speech, a hand.
_ROBUST = 6.0
# Landmarks are never off by more than this (shares of the side, radians): then both crops show different things.
_FARTHEST, _LARGEST = 0.12, 0.25
# What is left of the difference, as a share of the crop's own variance, if both show one thing.
_UNLIKE = 0.5


def moved(before: Tensor, after: Tensor) -> Tensor | None:
    """Find the similarity that brings a crop to the next one: [2,3], float64, px of `before` to px of `after`.

    before, after: [3,SIDE,SIDE] of 0 to 255, which show the face at about the same place. Iterated least squares on
    grey pixels (Lucas and Kanade), from coarse to fine; light and contrast that change as a whole are taken out. None
    where they cannot be brought together.
    """
    found = torch.zeros(4)  # a, b, x, y of x' = (1 + a) x - b y + x, y' = b x + (1 + a) y + y, in half sides
    axis = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    window = torch.exp(-0.5 * (x.square() + y.square()) / (2 * _WINDOW) ** 2)
    for blur in _BLURS:
        first, second = (gaussian_blur(crop.float().mean(dim=0, keepdim=True), blur) for crop in (before, after))
        for _ in range(_STEPS):
            a, b, dx, dy = found
            grid = torch.stack([(1 + a) * x - b * y + dx, b * x + (1 + a) * y + dy], dim=-1)[None]
            now = F.grid_sample(second[None], grid, mode="bicubic", padding_mode="border", align_corners=False)[0, 0]
            along_y, along_x = torch.gradient(now, spacing=2 / SIDE)
            turn = [along_x * x + along_y * y, along_y * x - along_x * y]
            slopes = torch.stack([*turn, along_x, along_y, torch.ones_like(now), now], dim=-1)
            off = first[0] - now
            off = off - (off * window).sum() / window.sum()
            weight = window / (1 + (off / _ROBUST).square())
            normal = torch.einsum("hw,hwi,hwj->ij", weight, slopes, slopes)
            wanted = torch.einsum("hw,hwi,hw->i", weight, slopes, off)
            step = torch.linalg.lstsq(normal + 1e-3 * torch.eye(6), wanted).solution
            found = found + step[:4]
    spread = first[0] - (first[0] * window).sum() / window.sum()
    left, had = ((part.square() * window).sum() / window.sum() for part in (off, spread))
    if had < 1 or left > _UNLIKE * had:  # a single colour says nothing
        return None
    a, b, dx, dy = found.double().tolist()
    if not (abs(a) < _LARGEST and abs(b) < _LARGEST and abs(dx) < 2 * _FARTHEST and abs(dy) < 2 * _FARTHEST):
        return None
    half = SIDE / 2
    matrix = torch.tensor([[1 + a, -b], [b, 1 + a]], dtype=torch.float64)
    shift = torch.tensor([dx * half, dy * half], dtype=torch.float64)
    middle = torch.full((2,), half, dtype=torch.float64)
    return torch.cat([matrix, (middle + shift - matrix @ middle)[:, None]], dim=1)


def chained(second: Tensor, first: Tensor) -> Tensor:
    """Do one map [2,3] after another."""
    matrix = second[:, :2]
    return torch.cat([matrix @ first[:, :2], (matrix @ first[:, 2] + second[:, 2])[:, None]], dim=1)


def applied(matrix: Tensor, points: Tensor) -> Tensor:
    """Map points [n,2] by [2,3]."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def inverted(matrix: Tensor) -> Tensor:
    """Undo a map [2,3]."""
    inverse = torch.linalg.inv(matrix[:, :2])
    return torch.cat([inverse, -(inverse @ matrix[:, 2])[:, None]], dim=1)
