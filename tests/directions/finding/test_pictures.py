"""Differences of pictures lead from the first to the second, on the chosen layers only."""

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError
from sfe_models.directions.finding.pictures import picture_difference, style_difference
from sfe_models.domain import tiny_domain

ONE = torch.ones(1)


@pytest.fixture(scope="module")
def generator():
    return random_networks(tiny_domain(64)).generator


@pytest.fixture
def codes(generator):
    shape = (2, 1, generator.spec.n_styles, 16)
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


def test_strength_1_gives_the_second_code(codes):
    first, second = codes
    direction = picture_difference(first, second, "test", "a to b")
    torch.testing.assert_close(direction.move(first, ONE), second, rtol=0, atol=1e-6)
    assert torch.equal(direction.move(first, 0 * ONE), first)
    assert direction.info.family == "pictures" and "W+" in direction.info.source


def test_strength_1_gives_the_second_styles(generator, codes):
    first, second = (generator.style_space(w) for w in codes)
    direction = style_difference(generator, codes[0], codes[1], "test", "a to b")
    moved = direction.move(first, ONE)
    for a, b in zip((*moved.convs, *moved.rgbs), (*second.convs, *second.rgbs), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)
    still = direction.move(first, 0 * ONE)
    assert all(torch.equal(a, b) for a, b in zip(still.convs, first.convs, strict=True))


def test_means_of_batches(codes):
    first, second = codes
    many = torch.cat([second - 1, second + 3])
    direction = picture_difference(first, many, "test", "mean")
    torch.testing.assert_close(direction.move(first, ONE), second + 1, rtol=0, atol=1e-5)
    assert "means of 2 and 1 pictures" in direction.info.source


def test_layers_of_w_plus(codes):
    direction = picture_difference(codes[0], codes[1], "test", "part", range(3, 5))
    changed = (direction.move(codes[0], ONE) != codes[0]).any(dim=2)[0]
    assert changed.nonzero()[:, 0].tolist() == [3, 4]


def test_layers_of_style_space(generator, codes):
    first = generator.style_space(codes[0])
    moved = style_difference(generator, codes[0], codes[1], "test", "part", [2, 3]).move(first, ONE)
    assert [not torch.equal(a, b) for a, b in zip(moved.convs, first.convs, strict=True)] == [
        i in (2, 3) for i in range(9)
    ]
    # The RGB layer of 8 px, number 1, reads style 3.
    assert [not torch.equal(a, b) for a, b in zip(moved.rgbs, first.rgbs, strict=True)] == [i == 1 for i in range(5)]


def test_without_rgb_layers(generator, codes):
    direction = style_difference(generator, codes[0], codes[1], "test", "no rgb", rgb=False)
    first = generator.style_space(codes[0])
    moved = direction.move(first, ONE)
    assert all(torch.equal(a, b) for a, b in zip(moved.rgbs, first.rgbs, strict=True))
    assert "without RGB" in direction.info.source


@pytest.mark.parametrize("shape", [(1, 9, 16), (1, 10, 8), (0, 10, 16), (10, 16)])
def test_codes_that_do_not_fit(codes, shape):
    with pytest.raises(DirectionError, match="codes"):
        picture_difference(codes[0], torch.zeros(shape), "test", "bad")


def test_codes_of_another_generator(generator):
    with pytest.raises(DirectionError, match="8 x 16"):
        style_difference(generator, torch.zeros(1, 8, 16), torch.ones(1, 8, 16), "test", "bad")


def test_equal_pictures(generator, codes):
    with pytest.raises(DirectionError, match="same"):
        picture_difference(codes[0], codes[0], "test", "bad")
    with pytest.raises(DirectionError, match="same"):
        style_difference(generator, codes[0], codes[0], "test", "bad")


def test_not_finite(codes):
    with pytest.raises(DirectionError, match="not finite"):
        picture_difference(codes[0], codes[1] / 0, "test", "bad")


def test_unknown_layer(codes):
    with pytest.raises(DirectionError, match="Layer 10"):
        picture_difference(codes[0], codes[1], "test", "bad", [10])
