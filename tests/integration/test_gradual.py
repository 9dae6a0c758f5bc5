"""A gradual model in a graph: no Δ between Apply Direction and Synthesize, and the library's own pictures."""

import pytest
import torch
from integration.parts import Trial
from integration.test_same_as_library import assert_same, portraits

from sfe_models.checkpoints.bundle import bundle_attached
from sfe_models.checkpoints.load import load_networks
from sfe_models.gradual.files import load_gradual, save_gradual
from sfe_models.gradual.networks import GradualNetworks
from sfe_models.gradual.pipeline import GradualPipeline
from sfe_models.gradual.spec import gradual_spec

NAME = "gradual-trial.safetensors"


@pytest.fixture(scope="module")
def gradual(base):
    """A drawn gradual model around the trial model's generator and e4e, with its directions."""
    trial = base / "models/sfe/trial.safetensors"
    torch.manual_seed(0)
    whole = load_networks(trial, torch.float32)
    networks = GradualNetworks(whole.spec, gradual_spec(whole.spec)).eval().requires_grad_(False)
    networks.generator, networks.e4e_encoder = whole.generator, whole.e4e_encoder
    for stage in networks.parts.stages:
        stage.fusion.fuse.weight.data.normal_(0, 0.1)
    path = base / "models/sfe" / NAME
    save_gradual(networks.fold(), path, directions=bundle_attached(trial))
    return GradualPipeline(load_gradual(path))


def test_an_edit_goes_straight_to_synthesize(server, gradual, directions):
    graph = Trial(model=NAME)
    node = graph.show(graph.add("SFE_Synthesize", features=graph.apply("smile", 1.5))[0])
    kept = graph.show(graph.reconstruction)
    result = server.run(graph.api())
    assert result.status == "success", result.error
    image = portraits().image
    assert_same(server.pictures(result, node), gradual.edit(image, [(directions["smile"], 1.5)]))
    assert_same(server.pictures(result, kept), gradual.edit(image))


def test_compute_delta_says_what_to_do_instead(server, gradual):
    graph = Trial(model=NAME)
    graph.show(graph.finish(graph.delta(graph.apply())))
    result = server.run(graph.api())
    assert result.status == "error" and "connect the edit of Apply Direction to Synthesize" in str(result.error)
