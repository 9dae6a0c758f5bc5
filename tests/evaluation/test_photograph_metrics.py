"""What photographs are compared by: colours and surroundings by hand, the networks' laws, what is missing."""

import pytest
import torch
from perception.measuring_files import write_measuring_files

from sfe_models.evaluation import photograph_metrics
from sfe_models.evaluation.metrics import INFO, ROWS, load_metrics
from sfe_models.evaluation.photograph_metrics import (
    PHOTOGRAPH_INFO,
    Described,
    colour_offset,
    face_of_aligned,
    outside_difference,
)


@pytest.fixture(scope="module")
def photograph():
    coarse = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(2)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=(128, 128), mode="bilinear")


def test_the_face_of_an_aligned_crop_lies_in_its_middle(photograph):
    face = face_of_aligned(photograph)
    assert face.shape == (128, 128) and face[70, 64] == 1 and 0.2 < face.mean() < 0.4
    assert not face[:20].any() and not face[:, :20].any() and not face[:, 108:].any()


def test_an_offset_of_levels_is_said_in_levels(photograph):
    brighter = photograph + 4 / 127.5
    assert torch.allclose(colour_offset(brighter, photograph), torch.full((2,), 4.0), atol=1e-3)
    redder = photograph.clone()
    redder[:, 0] += 3 / 127.5
    assert torch.allclose(colour_offset(redder, photograph), torch.full((2,), 1.0), atol=1e-3)


def test_the_face_counts_for_colours_and_what_is_around_it_for_the_surroundings(photograph):
    face = face_of_aligned(photograph)
    inside = photograph + 0.1 * (face == 1)
    around = photograph + 0.1 * (face == 0)
    assert colour_offset(inside, photograph).min() > 10 and outside_difference(inside, photograph).max() == 0
    assert colour_offset(around, photograph).max() < 0.5
    assert torch.allclose(outside_difference(around, photograph), torch.full((2,), 12.75), atol=0.1)


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    return load_metrics(write_measuring_files(tmp_path_factory.mktemp("weights")), photographs=True)


def test_a_photograph_equals_itself_by_every_metric(metrics, photograph):
    assert {"st_lpips", "mobile", "colour", "outside"} <= set(metrics.paired)
    for row in metrics.compare(photograph, photograph):
        assert all(row[key] == 0 for key in ("st_lpips", "colour", "outside"))
        assert row["mobile"] == pytest.approx(1, abs=1e-5) and row.get("dlib", 0) == 0
    rows = metrics.compare(photograph, photograph.flip(3))
    assert all(row["st_lpips"] > 0 and row["mobile"] < 1 and row["outside"] > 0 for row in rows)


def test_missing_files_are_named_in_their_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(photograph_metrics, "find_spec", lambda name: None)
    monkeypatch.setattr("sfe_models.perception.dlib_identity.find_spec", lambda name: None)
    monkeypatch.setattr("sfe_models.checkpoints.present.find_spec", lambda name: None)
    metrics = load_metrics(tmp_path, photographs=True)
    assert metrics.needs["st_lpips"] == f"needs alex_shift_tolerant.pth in {tmp_path}"
    assert metrics.needs["mobile"] == f"needs MobileFaceNet.onnx in {tmp_path}"
    assert metrics.needs["dlib"] == "needs `pip install dlib-bin`"
    assert set(metrics.paired) == {"l2", "ms_ssim", "colour", "outside"}


def test_every_metric_is_explained_once():
    assert set(ROWS) == {*INFO, *PHOTOGRAPH_INFO} and len({info.key for info in ROWS}) == len(ROWS)


def test_a_photograph_is_described_once_whatever_it_is_compared_with(photograph):
    seen = []

    def describe(pictures):
        seen.append(pictures)
        return pictures.mean(dim=(2, 3))

    metric = Described(describe, lambda a, b: (a - b).abs().sum(dim=1))
    assert not metric(photograph, photograph).any()
    assert torch.allclose(metric(photograph + 0.5, photograph), torch.full((2,), 1.5), atol=1e-5)
    assert sum(pictures is photograph for pictures in seen) == 2  # once as the one, once as the other
    assert torch.allclose(metric(photograph, photograph + 0.5), torch.full((2,), 1.5), atol=1e-5)
