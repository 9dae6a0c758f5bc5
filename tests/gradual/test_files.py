"""Bundles of gradual models."""

import pytest
import torch
from gradual import small
from safetensors import safe_open
from safetensors.torch import save_file

from sfe_models.checkpoints.bundle import bundle_spec, load_bundle, save_bundle
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.load import load_generator, load_networks
from sfe_models.directions.files import attached, bundle_directions
from sfe_models.domain import DEMO
from sfe_models.evaluation.speed import benchmark_directions
from sfe_models.gradual.files import is_gradual, load_any, load_gradual, save_gradual
from sfe_models.gradual.networks import GradualNetworks
from sfe_models.gradual.pipeline import GradualPipeline
from sfe_models.gradual.spec import gradual_spec
from sfe_models.pipeline import Pipeline


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    networks = small.networks()
    directions = attached(benchmark_directions(networks.spec))
    return save_gradual(networks, tmp_path_factory.mktemp("files") / "g.safetensors", "a test", directions)


def test_saved_and_loaded_it_is_bit_identical(path):
    networks, loaded = small.networks(), load_gradual(path)
    assert loaded.gradual == networks.gradual and loaded.spec == networks.spec and loaded.folded
    for name, tensor in networks.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
    inversion = GradualPipeline(loaded).invert(small.pictures())
    assert torch.equal(inversion.residuals[1], GradualPipeline(networks).invert(small.pictures()).residuals[1])


def test_other_readers_find_what_they_need_and_refuse_the_rest(path):
    assert is_gradual(path) and not is_gradual("demo") and not is_gradual("random:tiny-64")
    assert bundle_spec(path).name == "tiny-64" and len(bundle_directions(path)) == 2
    assert load_generator(path).fingerprint() == small.networks().generator.fingerprint()
    assert type(load_any(path)) is GradualPipeline and type(load_any("random:tiny-64")) is Pipeline
    with pytest.raises(CheckpointError, match="holds a gradual model"):
        load_bundle(path)


def test_half_precision_stays_close(path):
    full, half = (GradualPipeline(load_gradual(path, dtype)) for dtype in (None, torch.float16))
    assert (
        half.networks.dtype == torch.float16
        and half.networks.parts.stages[0].aligner.temperature.dtype == torch.float32
    )
    a, b = (p.edit(small.pictures()) for p in (full, half))
    assert (a - b).abs().mean() < 0.02


def test_a_model_around_the_demo_holds_its_own_parts_alone(tmp_path):
    networks = GradualNetworks(DEMO, gradual_spec(DEMO)).eval().requires_grad_(False)
    demo = load_networks("demo", torch.float32)
    networks.generator, networks.e4e_encoder = demo.generator, demo.e4e_encoder
    path = save_gradual(networks.fold(), tmp_path / "g.safetensors", base="demo")
    with safe_open(path, "pt") as file:
        assert {name.partition(".")[0] for name in file.keys()} == {"parts"}
    with pytest.raises(CheckpointError, match="uses that of the model 'demo'"):
        load_generator(path)
    loaded = load_gradual(path)
    for name, tensor in networks.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_damaged_and_foreign_files(path, tmp_path, networks):
    with pytest.raises(CheckpointError, match="holds no gradual model"):
        load_gradual(save_bundle(networks, tmp_path / "sfe.safetensors"))
    with safe_open(path, "pt") as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()
    del metadata["checksums"]
    for changed, message in (({"gradual": "{}"}, "damaged metadata"), ({"version": "1"}, "version 1, method gradual")):
        save_file(tensors, tmp_path / "bad.safetensors", metadata | changed)
        with pytest.raises(CheckpointError, match=message):
            load_gradual(tmp_path / "bad.safetensors")
