"""Scores by name: what they need, and what the real files say of photographs."""

import pytest
import torch

from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.perception.scores import FIND, LOAD, NAMES, SCORES, ScoreError, available, load_scorer, score_named


def test_every_score_has_a_range_and_a_network_and_every_network_a_score():
    assert {score.network for score in SCORES} == set(FIND) == set(LOAD) and len(set(NAMES)) == len(NAMES)
    assert all(score.span > 0 for score in SCORES)


def test_all_scores_of_a_batch_are_numbers_and_equal_those_of_its_pictures_alone(measuring_files, faces):
    scorer = load_scorer(NAMES, measuring_files)
    found = scorer(faces)
    assert scorer.names == NAMES and found.shape == (3, len(NAMES)) and found.isfinite().all()
    alone = torch.cat([scorer(face[None]) for face in faces])
    assert torch.allclose(found, alone, rtol=1e-3, atol=1e-3)


def test_only_the_networks_that_are_needed_are_loaded(measuring_files, faces, tmp_path):
    (tmp_path / "age-v1.onnx").write_bytes((measuring_files / "age-v1.onnx").read_bytes())
    scorer = load_scorer(["age"], tmp_path)
    assert set(scorer.networks) == {"age"}
    assert torch.allclose(scorer(faces)[:, 0], load_scorer(["yaw", "age"], measuring_files)(faces)[:, 1])
    with pytest.raises(MissingWeightsError, match=r"face_expression_model\.bin"):
        load_scorer(["age", "happiness"], tmp_path)


def test_what_is_there_is_used_and_what_is_missing_is_said(measuring_files, tmp_path):
    assert available(measuring_files) == (list(NAMES), [])
    with pytest.raises(MissingWeightsError, match=r"age-v1\.onnx"):
        available(tmp_path)
    (tmp_path / "age-v1.onnx").write_bytes((measuring_files / "age-v1.onnx").read_bytes())
    names, missing = available(tmp_path)
    assert names == ["age"] and len(missing) == len(FIND) - 1 and "gender-v1.onnx" in missing[0]


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ScoreError, match="expected one of age, small_age, gender, happiness"):
        score_named("anger")


def test_happiness_is_the_log_odds_of_its_class():
    logits = torch.tensor([[0.5, 2.0, -1.0, 0.0, 0.3, -2.0, 1.0]])
    probability = logits.softmax(dim=1)[:, 1]
    assert torch.allclose(score_named("happiness").of(torch.zeros(1), logits), probability.logit(), atol=1e-5)
