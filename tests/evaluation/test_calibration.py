"""Calibration on judges whose scores are known functions of the strength."""

import math

import pytest
import torch

from sfe_models.evaluation.calibration import CalibrationRule, Trial, calibrate

SPAN = (-4.0, 6.0)
RULE = CalibrationRule()


def sigmoid(strength, slope=0.5, offset=0.0):
    return 1 / (1 + math.exp(-slope * (strength - offset)))


def run(score, wanted, rule=RULE, span=SPAN, tried=None):
    """Calibrate one picture for each wanted score; score: strength to score."""

    def measure(index, strengths):
        if tried is not None:
            tried.append(list(zip(index, strengths, strict=True)))
        return [Trial(s, score(s), torch.tensor(s)) for s in strengths]

    return calibrate(measure, wanted, [Trial(0.0, score(0.0), torch.tensor(0.0))] * len(wanted), span, rule)


@pytest.mark.parametrize("slope", [0.2, 0.5, 2.0, 8.0])
@pytest.mark.parametrize("offset", [-3.0, 0.0, 4.0])
def test_finds_the_strength_on_a_monotone_judge(slope, offset):
    def score(s):
        return sigmoid(s, slope, offset)

    wanted = [score(s) for s in (-7.0, -3.0, -0.5, 0.0, 1.0, 5.0, 11.0)]
    for found, want in zip(run(score, wanted), wanted, strict=True):
        assert found.reached and abs(found.trial.score - want) <= RULE.tolerance
        assert found.trial.score == score(found.trial.strength) and 2 * SPAN[0] <= found.trial.strength <= 2 * SPAN[1]
        assert found.trial.picture == pytest.approx(found.trial.strength)


def test_a_smaller_tolerance_comes_nearer():
    rule = CalibrationRule(tolerance=1e-6, evaluations=40)
    (found,) = run(lambda s: sigmoid(s, 0.7, 1.0), [sigmoid(3.21, 0.7, 1.0)], rule)
    assert found.reached and found.trial.strength == pytest.approx(3.21, abs=1e-4)


def test_few_trials_are_enough():
    tried = []
    run(sigmoid, [sigmoid(s) for s in (-4, -2, 2, 4, 6)], tried=tried)
    assert sum(map(len, tried)) <= 4 * 5


def test_not_reached_beyond_the_multiple_of_the_range():
    reachable, beyond = run(lambda s: 0.5 + 0.01 * s, [0.5 + 0.01 * 11, 0.5 + 0.01 * 15])
    assert reachable.reached and not beyond.reached
    assert beyond.trial.strength == 2 * SPAN[1]  # as near as it came
    assert not run(lambda s: 0.5, [0.8])[0].reached  # does not move
    assert not run(lambda s: 0.5 - 0.05 * s, [0.8])[0].reached  # moves the wrong way
    saturated = run(lambda s: min(0.7, 0.5 + 0.1 * s), [0.9])[0]
    assert not saturated.reached and saturated.trial.score == 0.7


def test_what_is_there_already_needs_no_edit():
    tried = []
    (found,) = run(sigmoid, [0.51], tried=tried)
    assert found.reached and found.trial.strength == 0 and not tried


def test_pictures_do_not_meet():
    wanted = [0.2, 0.55, 0.9]
    alone = [run(sigmoid, [one])[0].trial.strength for one in wanted]
    assert [found.trial.strength for found in run(sigmoid, wanted)] == alone


def test_a_jump_ends_after_the_allowed_trials():
    tried = []
    (found,) = run(lambda s: 1.0 if s > 1.3 else 0.0, [0.5], tried=tried)
    assert not found.reached and len(tried) == RULE.evaluations


def test_a_good_guess_is_enough_and_a_bad_one_does_no_harm():
    def tries(guess):
        tried = []

        def measure(index, strengths):
            tried.extend(strengths)
            return [Trial(s, sigmoid(s), torch.tensor(s)) for s in strengths]

        start = Trial(0.0, sigmoid(0.0), torch.tensor(0.0))
        (found,) = calibrate(measure, [sigmoid(3.0)], [start], SPAN, RULE, [guess])
        assert found.reached
        return tried

    assert tries(3.0) == [3.0]
    assert tries(-3.0) == tries(None) and tries(11.0)[0] == 11.0
