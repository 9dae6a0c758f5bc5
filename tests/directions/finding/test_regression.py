"""Directions by regression: a planted attribute is found, what is kept stays, and codes' spread is minded."""

import pytest
import torch

from sfe_models.directions.base import DirectionError
from sfe_models.directions.finding.regression import STEP, RegressionTraining, train_regression
from sfe_models.directions.finding.scored_samples import ScoredSamples

EXACT = RegressionTraining(ridge=1e-9)
# How differently the numbers of a code vary.
SPREAD = torch.linspace(0.3, 3, 8, dtype=torch.float64)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def planted(codes, **slopes):
    scores = torch.stack([codes.flatten(1) @ slope.flatten() for slope in slopes.values()], dim=1)
    return ScoredSamples(codes, scores, tuple(slopes))


@pytest.fixture(scope="module")
def samples():
    """Codes of W whose scores "a" and "b" share a slope, and "c", which is "a" again in another unit."""
    first, second = normal(8, seed=1), normal(8, seed=2)
    return planted(normal(4000, 8) * SPREAD, a=first, b=first + second, c=-3 * first)


def rise(direction, samples, name):
    """What strength 1 raises a planted score by, in its standard deviations; exact, as scores are linear."""
    moved = direction.move(samples.codes[:, None], torch.ones(len(samples.codes)))[:, 0]
    slope = torch.linalg.lstsq(samples.codes, samples.column(name)[:, None]).solution[:, 0]
    return ((moved - samples.codes) @ slope).mean().item() / samples.column(name).std().item()


def test_strength_1_raises_the_score_by_its_step_and_leaves_what_is_kept(samples):
    alone = train_regression(samples, ["a"], [], "test", how=EXACT).direction
    keeping = train_regression(samples, ["a"], ["b"], "test", how=EXACT).direction
    assert rise(alone, samples, "b") > 0.1  # the planted side effect
    for direction in (alone, keeping):
        assert rise(direction, samples, "a") == pytest.approx(STEP, rel=0.03)  # extremes are cut off
    assert rise(keeping, samples, "b") == pytest.approx(0, abs=1e-3)


def test_no_shorter_change_does_the_same(samples):
    """In the codes' own spread; a change along what hardly varies would be as long as they never are."""
    direction = train_regression(samples, ["a"], ["b"], "test", how=EXACT).direction
    change = direction.vector[0].double() / SPREAD
    slopes = torch.stack([normal(8, seed=1), normal(8, seed=1) + normal(8, seed=2)]) * SPREAD
    outside = change - torch.linalg.pinv(slopes) @ (slopes @ change)
    assert outside.norm() < 0.1 * change.norm()


def test_scores_of_one_thing_are_averaged(samples):
    both = planted(samples.codes, a=normal(8, seed=1), d=normal(8, seed=3))
    direction = train_regression(both, ["a", "d"], [], "test", how=EXACT).direction
    assert rise(direction, both, "a") + rise(direction, both, "d") == pytest.approx(2 * STEP, rel=0.03)


def test_groups_of_latents_move_by_what_they_do():
    """The score reads latent 2 alone: the group that holds it moves, the other does not."""
    slope = torch.zeros(3, 6, dtype=torch.float64)
    slope[2] = normal(6, seed=5)
    found = train_regression(planted(normal(4000, 3, 6), a=slope), ["a"], [], "test", [(0, 1), (2,)], EXACT)
    vector = found.direction.vector
    assert vector.shape == (3, 6) and torch.equal(vector[0], vector[1])
    assert vector[0].norm() < 0.05 * vector[2].norm()
    assert found.explained["a"] > 0.99


def test_noise_is_told_from_what_codes_explain(samples):
    noisy = ScoredSamples(samples.codes, normal(4000, 1, seed=9), ("noise",))
    assert abs(train_regression(noisy, ["noise"], [], None).explained["noise"]) < 0.05


@pytest.mark.parametrize(
    "attributes, keep, groups, message",
    [
        (["a"], ["a"], None, "cannot be raised and kept"),
        (["a"], ["c"], None, "Nothing raises 'a' alone"),
        (["a"], [], [(0,), (0,)], "each of 0 to 0"),
        (["x"], [], None, "no scores of 'x'"),
    ],
)
def test_what_cannot_be_is_refused(samples, attributes, keep, groups, message):
    with pytest.raises(DirectionError, match=message):
        train_regression(samples, attributes, keep, None, groups, EXACT)


def test_scores_that_do_not_differ_teach_nothing(samples):
    constant = ScoredSamples(samples.codes, torch.ones(4000, 1), ("a",))
    with pytest.raises(DirectionError, match="do not differ"):
        train_regression(constant, ["a"], [], None)
    with pytest.raises(DirectionError, match="expected 1 or more"):
        RegressionTraining(components=0)
