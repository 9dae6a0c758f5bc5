"""Measures of points and classes: what moves them and what does not."""

import pytest
import torch

from sfe_models.faces.mask.regions import mean_face
from sfe_models.perception import face_measures as measures
from sfe_models.perception.face_classes import CLASSES

POINT_MEASURES = (measures.yaw, measures.pitch, measures.eyes_open, measures.mouth_open, measures.face_width)


@pytest.fixture
def points():
    return mean_face().float()[None]


@pytest.mark.parametrize("measure", POINT_MEASURES, ids=lambda measure: measure.__name__)
def test_place_size_and_turn_of_the_face_do_not_matter(points, measure):
    turn = torch.tensor([[0.8, 0.6], [-0.6, 0.8]])
    moved = points @ turn * 3 + torch.tensor([0.3, -2.0])
    assert torch.allclose(measure(moved), measure(points), atol=1e-4)


def moved(points, index, x=0.0, y=0.0):
    points = points.clone()
    points[:, index] += torch.tensor([x, y])
    return points


@pytest.mark.parametrize(
    ("measure", "index", "x", "y"),
    [
        (measures.yaw, 30, 0.05, 0.0),
        (measures.pitch, 30, 0.0, 0.05),
        (measures.eyes_open, [40, 41, 46, 47], 0.0, 0.01),
        (measures.mouth_open, 66, 0.0, 0.05),
        (measures.face_width, 15, 0.05, 0.0),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_measure_rises_with_what_it_is_named_after(points, measure, index, x, y):
    assert measure(moved(points, index, x, y)) > measure(points)


def test_a_face_that_looks_ahead_has_no_yaw_and_its_mirror_image_the_opposite(points):
    assert abs(float(measures.yaw(points))) < 0.02
    turned = moved(points, 30, 0.06)
    mirrored = turned * torch.tensor([-1.0, 1.0]) + torch.tensor([1.0, 0.0])
    mirrored[:, 36:48] = mirrored[:, [*range(42, 48), *range(36, 42)]]
    assert torch.allclose(measures.yaw(mirrored), -measures.yaw(turned), atol=1e-5)


def painted(name, region, side=64):
    """Classes [1,19,S,S]: skin everywhere, one class in a region of it."""
    classes = torch.zeros(1, len(CLASSES), side, side)
    classes[:, CLASSES.index("skin")] = 1
    classes[(slice(None), slice(None), *region)] = 0
    classes[(slice(None), CLASSES.index(name), *region)] = 1
    return classes


def test_shares_and_bangs_count_pixels():
    top, bottom = (slice(0, 32), slice(0, 64)), (slice(32, 64), slice(0, 64))
    assert torch.allclose(measures.share(painted("hair", top), "hair"), torch.zeros(1), atol=1e-4)
    assert measures.share(painted("hat", top), "hat") > measures.share(painted("skin", top), "hat")
    assert measures.bangs(painted("hair", top)) == 1 and measures.bangs(painted("hair", bottom)) == 0


def test_hair_light_lipstick_and_light_read_the_picture_where_the_class_is():
    left = (slice(0, 64), slice(0, 32))
    picture = torch.zeros(1, 3, 64, 64)
    picture[:, :, :, :32] = 1
    assert torch.allclose(measures.hair_light(picture, painted("hair", left)), torch.ones(1))
    picture = torch.zeros(1, 3, 64, 64)
    picture[:, 0, :, :32] = 1
    assert torch.allclose(measures.lipstick(picture, painted("upper lip", left)), torch.full((1,), 0.5))
    lit = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64)
    everywhere = painted("skin", left)
    assert torch.allclose(measures.light(lit, everywhere), torch.full((1,), 0.5), atol=0.02)
    assert torch.allclose(measures.light(lit.flip(3), everywhere), -measures.light(lit, everywhere), atol=1e-6)


def test_long_hair_lies_below_the_mouth_and_glasses_before_the_eyes():
    low, high = (slice(40, 64), slice(0, 64)), (slice(0, 32), slice(0, 64))
    assert measures.hair_length(painted("hair", low)) == 1 and measures.hair_length(painted("hair", high)) == 0
    eyes, sky = (slice(28, 36), slice(16, 48)), (slice(0, 8), slice(16, 48))
    assert measures.glasses(painted("glasses", eyes)) > measures.glasses(painted("glasses", sky)) + 5


def test_warm_hair_and_a_bright_face_read_the_picture_where_the_class_is():
    left = (slice(0, 64), slice(0, 32))
    picture = torch.zeros(1, 3, 64, 64)
    picture[:, 0, :, :32], picture[:, 2, :, :32] = 0.75, -0.25
    assert torch.allclose(measures.hair_warm(picture, painted("hair", left)), torch.full((1,), 0.5))
    assert torch.allclose(
        measures.brightness(torch.full_like(picture, 0.5), painted("hair", left)), torch.full((1,), 0.75)
    )


def test_a_dark_chin_is_a_beard():
    everywhere = painted("skin", (slice(0, 1), slice(0, 1)))
    picture = torch.full((1, 3, 64, 64), 0.5)
    assert abs(float(measures.beard(picture, everywhere))) < 1e-6
    picture[:, :, 48:] = -0.5
    assert measures.beard(picture, everywhere) > 0.2


def test_an_absent_class_gives_numbers():
    picture, classes = torch.rand(1, 3, 64, 64), torch.zeros(1, 19, 64, 64)
    for measure in (measures.hair_light, measures.hair_warm, measures.brightness, measures.lipstick, measures.light):
        assert measure(picture, classes).isfinite().all()
