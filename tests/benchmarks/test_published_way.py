"""The benchmarks' baseline computes what the pipeline computes: only then do their times compare."""

import importlib
import sys
from pathlib import Path

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.domain import CARS_512, tiny_domain
from sfe_models.networks import SFENetworks
from sfe_models.pipeline import Pipeline

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
published_way = importlib.import_module("published_way")

SPEC = tiny_domain(64)
STRENGTHS = (-2.0, 3.0)


def close(ours, reference):
    return (ours - reference).norm() <= 1e-5 * reference.norm()


@pytest.fixture(scope="module")
def published():
    return published_way.as_published(random_networks(SPEC, folded=False))


@pytest.fixture(scope="module")
def pipeline():
    return Pipeline(random_networks(SPEC))


@pytest.fixture(scope="module")
def image():
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1


def direction(first_layer):
    rows = torch.randn(SPEC.n_styles, SPEC.generator.style_dim, generator=torch.Generator().manual_seed(2))
    rows[:first_layer] = 0
    return LinearDirection(DirectionInfo("random", "linear", SPEC.subject), rows, 0.5)


def test_inversion_equals_the_pipelines(published, pipeline, image):
    theirs, ours = published_way.invert(published, image), pipeline.invert(image, all_styles=True)
    assert close(ours.w, theirs.w)
    assert close(ours.w_e, theirs.w_e)
    assert close(ours.F_k, theirs.fused)
    assert close(pipeline.edit(ours), theirs.image)


@pytest.mark.parametrize("first_layer", [0, SPEC.feature_layer + 1], ids=["all layers", "fine layers"])
def test_edit_equals_the_pipelines(published, pipeline, image, first_layer):
    found, step = published_way.invert(published, image), direction(first_layer)
    theirs = published_way.edit(published, found, step, STRENGTHS)
    ours = pipeline.sweep(pipeline.invert(image), step, STRENGTHS)
    assert ours.shape == theirs.shape == (2, 2, 3, 64, 64)
    assert close(ours, theirs)


def test_convolutions_are_direct_and_batchnorm_is_there(published):
    assert not published.folded
    assert all(module.convolution is None for module in published.modules() if hasattr(module, "convolution"))


@pytest.mark.parametrize("networks", [SFENetworks.empty(SPEC, folded=True), SFENetworks.empty(CARS_512)])
def test_other_networks_are_refused(networks):
    with pytest.raises(ValueError, match="unfolded networks"):
        published_way.as_published(networks)
