"""A run ends where its loss no longer falls, and not before."""

import torch

from sfe_models.tuning import optimise as module
from sfe_models.tuning.optimise import Steps, optimise
from sfe_models.tuning.stopping import Falling


def asked(losses) -> list[bool]:
    falling = Falling()
    return [falling(torch.tensor(now)) for now in losses]


def test_a_loss_that_stays_is_told_after_thirty_steps():
    assert asked([[1.0]] * 40) == [True] * 30 + [False] * 10


def test_a_loss_that_falls_goes_on_however_slowly_it_began():
    steady = [[0.999**step] for step in range(100)]  # by 3 % within 30 steps
    assert all(asked(steady))
    assert asked([[0.9999**step] for step in range(40)])[-1] is False  # by 0.3 %


def test_one_picture_that_falls_is_enough():
    assert all(asked([[1.0, 0.99**step] for step in range(60)]))


def test_optimisation_ends_early_and_goes_on_to_the_next_stage(alone, person, monkeypatch):
    monkeypatch.setattr(module, "_W_RATE", 1e-9)
    seen = []
    optimise(alone, person, Steps(60, 3, 0), progress=lambda now: seen.append(now.done))
    assert 30 <= len(seen) < 60
