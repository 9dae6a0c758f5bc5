"""Averaged directions."""

import pytest
import torch

from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.composition import averaged
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.families.stylespace import StyleOffsetDirection
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


def test_an_unknown_subject_goes_with_any():
    assert averaged([linear(1, None), linear(2, "cars")]).info.subject == "cars"
    assert averaged([linear(1, None)]).info.subject is None
