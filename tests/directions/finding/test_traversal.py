"""Traversal pictures: each cell is the picture of the moved code."""

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.stylespace import StyleChannelsDirection
from sfe_models.directions.finding.sefa import sefa
from sfe_models.directions.finding.traversal import seed_codes, traversal, traversal_picture
from sfe_models.domain import tiny_domain

STRENGTHS = (-2.0, 0.0, 2.0)


@pytest.fixture(scope="module")
def generator():
    return random_networks(tiny_domain(32)).generator


@pytest.fixture(scope="module")
def codes(generator):
    return seed_codes(generator, [1, 2])


def directions(generator):
    info = DirectionInfo("channel", "stylespace", "test")
    return [sefa(generator, "test", range(0, 3))[0], StyleChannelsDirection(info, ((1, 3),))]


@pytest.mark.parametrize("which", [0, 1])
def test_every_cell_is_its_own_picture(generator, codes, which):
    direction = directions(generator)[which]
    grid = traversal(generator, direction, STRENGTHS, codes, batch_size=4)
    assert grid.shape == (3, 64, 96) and grid.abs().max() <= 1
    for row in range(2):
        for column, value in enumerate(STRENGTHS):
            strength = torch.tensor([value])
            if which == 0:
                picture = generator(direction.move(codes[row : row + 1], strength))
            else:
                picture = generator.synthesize(direction.move(generator.style_space(codes[row : row + 1]), strength))
            cell = grid[:, 32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
            torch.testing.assert_close(cell, picture[0].clamp(-1, 1), rtol=0, atol=1e-4)


def test_strength_0_is_the_sample(generator, codes):
    grid = traversal(generator, directions(generator)[0], [0.0], codes)
    torch.testing.assert_close(grid[:, :32], generator(codes[:1])[0].clamp(-1, 1), rtol=0, atol=1e-4)


def test_seeds_decide_and_stand_alone(generator, codes):
    assert torch.equal(seed_codes(generator, [1, 2]), codes)
    torch.testing.assert_close(seed_codes(generator, [2])[0], codes[1], rtol=0, atol=1e-6)


def test_picture_with_strengths(generator, codes):
    grid = traversal(generator, directions(generator)[0], STRENGTHS, codes)
    plain, titled = traversal_picture(grid, STRENGTHS), traversal_picture(grid, STRENGTHS, "sefa 0")
    band = plain.height - 64
    assert plain.size == (96, 64 + band) and titled.height == 64 + 2 * band
    assert plain.crop((0, band, 96, plain.height)).tobytes() == titled.crop((0, 2 * band, 96, titled.height)).tobytes()
    for column in range(3):
        low, high = plain.crop((32 * column, 0, 32 * column + 32, band)).convert("L").getextrema()
        assert low < 128 < high


@pytest.mark.parametrize(
    "strengths, message", [([], "0 strengths"), ([float("nan")], "nan"), ([1, float("inf")], "inf")]
)
def test_bad_strengths(generator, codes, strengths, message):
    with pytest.raises(DirectionError, match=message):
        traversal(generator, directions(generator)[0], strengths, codes)


@pytest.mark.parametrize("shape", [(2, 16), (2, 7, 16), (0, 8, 16)])
def test_bad_codes(generator, shape):
    with pytest.raises(DirectionError, match=r"\[R,8,16\]"):
        traversal(generator, directions(generator)[0], [1.0], torch.zeros(shape))


def test_no_seed(generator):
    with pytest.raises(DirectionError, match="No seed"):
        seed_codes(generator, [])
