"""The report of side effects: linear scores change as the vectors say."""

import pytest
import torch

from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.finding.scored_samples import ScoredSamples
from sfe_models.directions.finding.side_effects import fit_linear_scorer, side_effects

AXES = torch.eye(6)


def direction(vector, name="d", scale=1.0):
    return LinearDirection(DirectionInfo(name, "interfacegan", "test"), vector.reshape(-1, vector.shape[-1]), scale)


@pytest.fixture
def samples():
    codes = torch.randn(2000, 6, generator=torch.Generator().manual_seed(0))
    return ScoredSamples(codes, torch.stack([codes[:, 0] * 2, codes[:, 0] + codes[:, 1]], dim=1), ("x", "y"))


def test_changes_and_cosines_of_linear_scores(samples):
    report = side_effects([direction(AXES[0]), direction(AXES[1]), direction(AXES[2])], samples, strength=3.0)
    torch.testing.assert_close(report.changes, torch.tensor([[6.0, 3], [0, 3], [0, 0]]).double(), rtol=0, atol=0.02)
    half = 0.5**0.5
    torch.testing.assert_close(report.cosines, torch.tensor([[1, half], [0, half], [0, 0]]).double(), rtol=0, atol=0.01)
    torch.testing.assert_close(report.stds, samples.scores.double().std(dim=0))


def test_measures_with_the_scorer_given(samples):
    report = side_effects([direction(AXES[0], scale=0.5)], samples, lambda w: w[:, :2] ** 3, 2.0)
    expected = ((samples.codes[:, 0] + 1) ** 3 - samples.codes[:, 0] ** 3).mean().item()
    assert report.changes[0, 0].item() == pytest.approx(expected, rel=1e-4)
    assert report.changes[0, 1] == 0


def test_strength_0_changes_nothing(samples):
    assert not side_effects([direction(AXES[0])], samples, strength=0.0).changes.any()


def test_codes_of_w_plus(samples):
    codes = torch.stack([samples.codes, samples.codes.roll(1, dims=1)], dim=1)
    plus = ScoredSamples(codes, codes[:, 1, :1] * 1.0, ("second",))
    whole, second = direction(AXES[0]), direction(torch.stack([AXES[0] * 0, AXES[0]]))
    report = side_effects([whole, second], plus, lambda w: w[:, 1, 0])
    torch.testing.assert_close(report.changes[:, 0], torch.ones(2).double(), rtol=0, atol=1e-5)


def test_linear_scorer_is_least_squares(samples):
    scorer = fit_linear_scorer(samples, ridge=1e-9)
    torch.testing.assert_close(scorer(samples.codes), samples.scores.double(), rtol=0, atol=1e-5)


def test_table_in_words(samples):
    report = side_effects([direction(AXES[0], "smile")], samples)
    lines = report.describe().splitlines()
    assert lines[2] == "| direction | x | y |" and lines[4].startswith("| smile | +1.00 (+1.00)")


def test_no_direction(samples):
    with pytest.raises(DirectionError, match="at least one"):
        side_effects([], samples)


@pytest.mark.parametrize("shape", [(2, 6), (1, 5)])
def test_direction_of_another_space(samples, shape):
    with pytest.raises(DirectionError, match="'d'"):
        side_effects([direction(torch.ones(shape))], samples)


def test_scorer_of_another_shape(samples):
    with pytest.raises(DirectionError, match="x, y"):
        side_effects([direction(AXES[0])], samples, lambda w: w[:, 0])


def test_codes_that_are_all_the_same():
    with pytest.raises(DirectionError, match="same"):
        fit_linear_scorer(ScoredSamples(torch.ones(5, 3), torch.zeros(5, 1), ("a",)))
