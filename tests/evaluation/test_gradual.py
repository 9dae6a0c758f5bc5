"""Rows of gradual models beside the others."""

import pytest
import torch
from evaluation import small as portraits
from gradual import small

from sfe_models.evaluation.errors import EvaluationError
from sfe_models.evaluation.gradual import gradual_methods, looking_everywhere, one_stage_method
from sfe_models.evaluation.gradual_stages import looked_at, stage_reports
from sfe_models.evaluation.methods import invert
from sfe_models.gradual.pipeline import GradualPipeline
from sfe_models.gradual.spec import GradualSpec


@pytest.fixture(scope="module")
def networks():
    return small.networks(portraits.SPEC, keep=2)


@pytest.fixture(scope="module")
def people(small_pipeline):
    return invert(small_pipeline, small.pictures(portraits.SPEC))


def test_rows_do_what_their_pipelines_do(networks, small_pipeline, people):
    rows = {method.name: method for method in gradual_methods(networks, small_pipeline)}
    assert list(rows) == ["gradual", "gradual_unaligned", "gradual_plain_attention"]
    direction = portraits.directions()[0]
    pipeline = GradualPipeline(networks)
    inversion = pipeline.invert(people.image)
    made = {name: row.edited(people, [1], direction, [2.0]) for name, row in rows.items()}
    assert torch.allclose(made["gradual"], pipeline.edit(inversion[1:], [(direction, 2.0)]), atol=1e-4)
    assert torch.allclose(rows["gradual"].inverted(people), pipeline.edit(inversion), atol=1e-4)
    unaligned = GradualPipeline(networks, aligned=False)
    assert torch.allclose(made["gradual_unaligned"], unaligned.edit(inversion[1:], [(direction, 2.0)]), atol=1e-4)
    assert (made["gradual_plain_attention"] - made["gradual"]).abs().max() > 1e-3


def test_people_are_inverted_once_for_all_rows(networks, small_pipeline, people, monkeypatch):
    rows, calls = gradual_methods(networks, small_pipeline), []
    whole = GradualPipeline.invert
    monkeypatch.setattr(GradualPipeline, "invert", lambda self, image: calls.append(1) or whole(self, image))
    for row in rows:
        row.inverted(people)
        row.edited(people, [0], portraits.directions()[0], [1.0])
    assert len(calls) == 1


def test_the_copy_that_looks_everywhere_leaves_the_model_alone(networks):
    plain = looking_everywhere(networks)
    assert plain.gradual.keep == 0 and networks.gradual.keep == 2
    assert [stage.aligner.gradual.keep for stage in networks.parts.stages] == [2] * len(networks.parts.stages)


def test_models_that_do_not_belong_here(networks, small_pipeline):
    with pytest.raises(EvaluationError, match="expected one domain"):
        gradual_methods(small.networks(), small_pipeline)
    with pytest.raises(EvaluationError, match="more than one stage"):
        one_stage_method(networks, small_pipeline)
    single = small.networks(portraits.SPEC, spec=GradualSpec((7,), (8,), dim=8))
    assert one_stage_method(single, small_pipeline).name == "gradual_one_stage"


def test_queries_that_look_straight_ahead_stay_where_they_are():
    places = torch.tensor([[[1.3, 2.8], [0.0, 3.0]]])
    assert torch.allclose(looked_at(torch.eye(16)[None], places), places)


def test_queries_that_look_one_cell_to_the_left():
    shifted = torch.eye(16).roll(-1, dims=1)[None]
    places = torch.tensor([[[2.0, 1.0], [1.4, 2.0]]])
    assert torch.allclose(looked_at(shifted, places), places - torch.tensor([1.0, 0.0]))


def test_every_stage_is_reported(networks):
    reports = stage_reports(GradualPipeline(networks), [0, 1])
    assert [report.side for report in reports] == [8, 16, 32]
    for report in reports:
        assert 0 < report.gate < 1 and report.added > 0 and report.looked > 0
    still = [report.stayed / report.side for report in reports]  # the landmarks have moved by as much in each
    assert max(still) - min(still) < 1e-4 and still[0] > 0.02
