"""The row of a refined inversion: nearer to the picture, refined once a batch, edited from there."""

import pytest
import torch
from evaluation import small

from sfe_models.evaluation import refined
from sfe_models.evaluation.methods import invert, pipeline_methods
from sfe_models.evaluation.refined import RefinedMethod


@pytest.fixture(scope="module")
def people(small_pipeline):
    return invert(small_pipeline, torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1)


def test_some_steps_come_nearer_and_none_change_nothing(small_pipeline, people):
    method = pipeline_methods(small_pipeline, ["sfe"])[0]
    plain = method.inverted(people)
    assert torch.equal(RefinedMethod(method, 0).inverted(people), plain)
    row = RefinedMethod(method, 3)
    errors = [(made - people.image).square().mean() for made in (plain, row.inverted(people))]
    assert row.name == "sfe_refine_3" and errors[1] < errors[0]


def test_a_batch_is_refined_once_however_often_it_is_edited(small_pipeline, people, monkeypatch):
    calls = []
    monkeypatch.setattr(refined, "refine", lambda pipeline, inversion, image, steps: calls.append(steps) or inversion)
    method = pipeline_methods(small_pipeline, ["sfe"])[0]
    row, direction = RefinedMethod(method, 5), small.directions()[0]
    row.inverted(people)
    edited = row.edited(people, [1], direction, [1.0])
    assert calls == [5] and torch.equal(edited, method.edited(people, [1], direction, [1.0]))
    row.inverted(people[[0]])
    assert calls == [5, 5]
