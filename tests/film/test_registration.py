"""How a face moved is told by its pixels, and landmarks that shiver do not move the crop."""

import math

import pytest
import torch
import torch.nn.functional as F
from faces.people import face

from sfe_models.film.following import Looking, follow
from sfe_models.film.registration import SIDE, applied, chained, inverted, moved

SIZE = (240, 320)


@pytest.fixture(scope="module")
def wall():
    """A picture [3,240,320] of 0 to 255 with structure of all sizes."""
    random = torch.Generator().manual_seed(2)
    sizes = ((6, 8), (15, 20), (40, 53))
    parts = [
        F.interpolate(torch.rand(1, 3, *size, generator=random), SIZE, mode="bicubic", align_corners=False)[0]
        for size in sizes
    ]
    return (sum(parts) / 3 * 255).clamp(0, 255)


def shown(picture, angle=0.0, scale=1.0, x=0.0, y=0.0):
    """A picture as a camera sees it that is turned by radians, nearer by a factor, and moved by px; and the map."""
    height, width = picture.shape[1:]
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    matrix = torch.tensor([[c, -s], [s, c]], dtype=torch.float64)
    middle = torch.tensor([width / 2, height / 2], dtype=torch.float64)
    shift = torch.tensor([x, y], dtype=torch.float64)
    there = torch.cat([matrix, (middle + shift - matrix @ middle)[:, None]], dim=1)
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    at = applied(inverted(there), torch.stack([columns, rows], dim=-1).reshape(-1, 2).double())
    grid = (at / torch.tensor([width, height]) * 2 - 1).float().reshape(1, height, width, 2)
    seen = F.grid_sample(picture[None], grid, mode="bicubic", padding_mode="reflection", align_corners=False)
    return seen[0].clamp(0, 255), there


@pytest.mark.parametrize("motion", [(0.0, 1.0, 2.3, -1.7), (0.05, 1.0, 0.0, 0.0), (-0.02, 1.03, -1.0, 2.0)])
def test_a_known_motion_is_found_to_a_tenth_of_a_pixel(wall, motion):
    crop = wall[:, 70 : 70 + SIDE, 90 : 90 + SIDE]
    after, there = shown(crop, *motion)
    found = moved(crop, after * 0.9 + 12 + 2 * torch.randn(after.shape, generator=torch.Generator().manual_seed(1)))
    corners = torch.tensor([[24.0, 24.0], [72.0, 24.0], [24.0, 72.0], [72.0, 72.0]], dtype=torch.float64)
    assert (applied(found, corners) - applied(there, corners)).abs().max() < 0.12


def test_maps_are_undone():
    there = torch.tensor([[0.9, -0.2, 3.0], [0.2, 0.9, -5.0]], dtype=torch.float64)
    same = chained(inverted(there), there)
    assert torch.allclose(same, torch.eye(2, 3, dtype=torch.float64), atol=1e-12)


def test_what_is_somewhere_else_cannot_be_brought_together(wall):
    crop = wall[:, 70 : 70 + SIDE, 90 : 90 + SIDE]
    assert moved(crop, shown(crop, x=30.0)[0]) is None


def test_the_crop_follows_a_hand_that_shakes_and_not_the_detector(wall):
    """Of a camera that shakes by 1.5 px and landmarks that are off by 0.8 px the crop follows the camera alone."""
    random = torch.Generator().manual_seed(3)
    shake, jitter = 1.5 * torch.randn(30, 2, generator=random), 0.8 * torch.randn(30, 5, 2, generator=random)
    pictures, faces = [], []
    for (x, y), off in zip(shake.tolist(), jitter, strict=True):
        picture, there = shown(wall, x=x, y=y)
        pictures.append(picture.round().byte())
        faces.append(applied(there, face(150, 120, 1.3).double()) + off)
    queue = iter(faces)
    looking = Looking(lambda picture: [next(queue)])
    for picture in pictures:
        looking.see(picture)
    plan = follow(looking, [i / 25 for i in range(30)], (64, 64))
    middle = torch.stack([place.alignment.quad().mean(dim=0) for place in plan.places]) - shake
    steps = (middle[1:] - middle[:-1]).square().mean().sqrt()
    assert steps < 0.1
    found = torch.stack([points.mean(dim=0) for points in faces]) - shake
    assert (found[1:] - found[:-1]).square().mean().sqrt() > 0.4
