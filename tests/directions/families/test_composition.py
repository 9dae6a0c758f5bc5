"""Scaled, negated and averaged directions."""

import pytest
import torch

from sfe_models.directions.base import DirectionError, DirectionInfo, StyleSpaceDirection, WPlusDirection
from sfe_models.directions.families.composition import averaged, negated, scaled
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.families.style_offset import StyleOffsetDirection
from sfe_models.generators.base import StyleSpace

D = 4
W = torch.randn(2, 6, D, generator=torch.Generator().manual_seed(0))
STRENGTH = torch.tensor([1.5, -2.0])


def linear(seed, subject="human faces"):
    vector = torch.randn(6, D, generator=torch.Generator().manual_seed(seed))
    return LinearDirection(DirectionInfo(f"d{seed}", "test", subject, (-2.0, 4.0)), vector)


def offset(seed):
    random = torch.Generator().manual_seed(seed)
    parts = tuple(torch.randn(3, generator=random) for _ in range(3))
    return StyleOffsetDirection(DirectionInfo(f"s{seed}", "test", "human faces"), parts[:2], parts[2:])


STYLES = StyleSpace((torch.ones(2, 3), torch.zeros(2, 3)), (torch.ones(2, 3),))


def values(styles):
    return torch.cat((*styles.convs, *styles.rgbs), dim=1)


def test_scaled_is_a_stronger_direction():
    assert torch.equal(scaled(linear(1), 2.0).move(W, STRENGTH), linear(1).move(W, 2 * STRENGTH))
    moved = scaled(offset(1), 2.0).move(STYLES, STRENGTH)
    assert torch.equal(values(moved), values(offset(1).move(STYLES, 2 * STRENGTH)))
    assert isinstance(scaled(offset(1), 2.0), StyleSpaceDirection) and isinstance(
        scaled(linear(1), 2.0), WPlusDirection
    )
    assert negated(linear(1)).info.strength_range == (-4.0, 2.0)


def test_a_step_and_its_negative_cancel():
    assert torch.allclose(negated(linear(1)).move(linear(1).move(W, STRENGTH), STRENGTH), W, atol=1e-6)
    there = offset(1).move(STYLES, STRENGTH)
    assert torch.allclose(values(negated(offset(1)).move(there, STRENGTH)), values(STYLES), atol=1e-6)


def test_averaged_is_the_mean_of_the_moves():
    moved = averaged([linear(1), linear(2)]).move(W, STRENGTH)
    mean = (linear(1).move(W, STRENGTH) + linear(2).move(W, STRENGTH)) / 2
    assert torch.allclose(moved, mean, atol=1e-6)
    assert torch.equal(averaged([linear(1), linear(2)]).move(W, 0 * STRENGTH), W)
    styles = averaged([offset(1), offset(2)], "both").move(STYLES, STRENGTH)
    mean = (values(offset(1).move(STYLES, STRENGTH)) + values(offset(2).move(STYLES, STRENGTH))) / 2
    assert torch.allclose(values(styles), mean, atol=1e-6)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(DirectionError, match=r"'d1' \(W\+\), 's1' \(style space\)"):
        averaged([linear(1), offset(1)])
    with pytest.raises(DirectionError, match="cars and human faces"):
        averaged([linear(1), linear(2, "cars")])
    with pytest.raises(DirectionError, match="at least one"):
        averaged([])
    for factor in (0, float("inf"), True):
        with pytest.raises(DirectionError, match="cannot be scaled"):
            scaled(linear(1), factor)
