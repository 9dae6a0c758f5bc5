"""Signed-distance shapes, soft fills and smooth profiles on planes of pixels.

Distances are in scene units (the picture spans [-REACH,REACH] in both directions, y down), negative inside. Everything
here is built of correctly rounded operations only (no exp, sin or pow), so a picture has the same bits in every batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

REACH = 0.9  # The picture shows [-REACH, REACH] of the scene in both directions; smaller is closer to the face.


@dataclass(frozen=True)
class Screen:
    """Hold pixel-centre coordinates: x [1,1,S], y [1,S,1] in (-REACH,REACH), pixel = 2 REACH / S, a pixel's width."""

    x: Tensor
    y: Tensor
    pixel: float

    @staticmethod
    def of(size: int, like: Tensor) -> Screen:
        """Make the grid of a picture of size x size pixels on the device of `like`."""
        line = (torch.arange(size, device=like.device, dtype=like.dtype) + 0.5) * (2.0 * REACH / size) - REACH
        return Screen(line.view(1, 1, size), line.view(1, size, 1), 2.0 * REACH / size)


def mix(a: Tensor | float, b: Tensor | float, t: Tensor) -> Tensor:
    """Interpolate from a (t = 0) to b (t = 1)."""
    return a + (b - a) * t


def smoothstep(low: float, high: float, x: Tensor) -> Tensor:
    """Rise smoothly from 0 at low to 1 at high (low > high falls)."""
    t = ((x - low) * (1.0 / (high - low))).clamp(0, 1)
    return t * t * (3 - 2 * t)


def fill(distance: Tensor, softness: float | Tensor) -> Tensor:
    """Return coverage in [0,1]: 1 inside, 0 outside, with an edge about `softness` wide."""
    t = (0.5 - distance * (1.0 / softness)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def bell(square: Tensor) -> Tensor:
    """Fall smoothly from 1 at 0 to 0 at 1 and beyond, as a function of a squared radius."""
    t = (1 - square).clamp(min=0)
    return t * t * t


def blob(x: Tensor, y: Tensor, radius_x: float | Tensor, radius_y: float | Tensor) -> Tensor:
    """Return a round, soft spot of the given radii at the origin."""
    return bell((x / radius_x).square() + (y / radius_y).square())


def wave(x: Tensor) -> Tensor:
    """Return a smooth wave in [-1,1] of period 1, close to sin(2 pi x)."""
    f = x - torch.floor(x + 0.5)
    return f * (8 - 16 * f.abs())


def ellipse(x: Tensor, y: Tensor, radius_x: float | Tensor, radius_y: float | Tensor) -> Tensor:
    """Return about the distance to an axis-parallel ellipse at the origin."""
    sx, sy = x / radius_x, y / radius_y
    k0 = (sx.square() + sy.square()).sqrt()
    k1 = ((sx / radius_x).square() + (sy / radius_y).square()).sqrt()
    return k0 * (k0 - 1) / (k1 + 1e-6)


def circle(x: Tensor, y: Tensor, radius: float | Tensor) -> Tensor:
    """Return the distance to a circle at the origin."""
    return (x.square() + y.square()).sqrt() - radius


def box(x: Tensor, y: Tensor, half_x: float | Tensor, half_y: float | Tensor, corner: float | Tensor) -> Tensor:
    """Return the distance to a rectangle at the origin with rounded corners."""
    qx, qy = x.abs() - half_x + corner, y.abs() - half_y + corner
    outside = (qx.clamp(min=0).square() + qy.clamp(min=0).square()).sqrt()
    return outside + torch.maximum(qx, qy).clamp(max=0) - corner


def segment(x: Tensor, y: Tensor, start: tuple, end: tuple, radius: float | Tensor) -> Tensor:
    """Return the distance to a capsule between two points, given as pairs of numbers or tensors."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    px, py = x - start[0], y - start[1]
    t = ((px * dx + py * dy) / (dx * dx + dy * dy + 1e-6)).clamp(0, 1)
    return ((px - dx * t).square() + (py - dy * t).square()).sqrt() - radius


def smooth_min(a: Tensor, b: Tensor, width: float) -> Tensor:
    """Join two shapes with a rounded seam of the given width."""
    h = (width - (a - b).abs()).clamp(min=0)
    return torch.minimum(a, b) - h * h * (0.25 / width)


def smooth_max(a: Tensor, b: Tensor, width: float) -> Tensor:
    """Intersect two shapes with a rounded edge of the given width."""
    return -smooth_min(-a, -b, width)


def paint(image: Tensor, alpha: Tensor, colour: Tensor) -> None:
    """Lay a colour over the image in place.

    image: [B,3,S,S]; alpha: [B,S,S] in [0,1]; colour: broadcastable to the image.
    """
    image += (colour - image) * alpha.unsqueeze(1)


def tint(image: Tensor, alpha: Tensor, factor: Tensor) -> None:
    """Multiply the image in place by a colour where alpha is 1; shapes as in paint."""
    image *= 1 + (factor - 1) * alpha.unsqueeze(1)
