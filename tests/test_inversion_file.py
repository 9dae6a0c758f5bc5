"""Inversions in files: what was kept comes back, belongs to its generator, and is whole."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from windows import locks, needs_proc

from sfe_models.checkpoints.bundle import load_bundle, save_bundle
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.domain import tiny_domain
from sfe_models.inversion_file import load_inversion, save_inversion
from sfe_models.pipeline import InputError, Pipeline
from sfe_models.values import GradualInversion

SPEC = tiny_domain(32)


@pytest.fixture(scope="module")
def pipeline():
    return Pipeline(random_networks(SPEC))


@pytest.fixture(scope="module")
def inversion(pipeline):
    return pipeline.invert(torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1)


@pytest.fixture
def path(inversion, tmp_path):
    return save_inversion(inversion, tmp_path / "anna.safetensors")


def picture(pipeline, inversion):
    return pipeline.synthesize(pipeline.feature_edit(inversion))


def same_but_for_rounding(pipeline, kept, inversion):
    """The numbers are the same; their layout in memory may not be, which convolutions round by."""
    for name in ("w", "w_e", "F_k", "F_w_e", "picture"):
        assert torch.equal(getattr(kept, name), getattr(inversion, name))
    assert all(map(torch.equal, kept.carried, inversion.carried))
    torch.testing.assert_close(picture(pipeline, kept), picture(pipeline, inversion), rtol=0, atol=1e-4)


def test_what_was_kept_comes_back(pipeline, inversion, path):
    kept = load_inversion(path)
    assert (kept.domain, kept.generator) == (SPEC.name, pipeline.networks.generator.fingerprint())
    same_but_for_rounding(pipeline, kept, inversion)


@needs_proc
def test_a_file_that_is_in_use_is_written_anew(inversion, path):
    with locks():
        kept = load_inversion(path)
        save_inversion(inversion[1], path)
    assert len(kept) == 2 and len(load_inversion(path)) == 1


def test_files_from_before_generators_had_fingerprints_still_work(pipeline, inversion, path):
    tensors = {"rgb" if name == "carried.0" else name: tensor for name, tensor in load_file(path).items()}
    save_file(tensors, path, {"format": "sfe-inversion", "domain": SPEC.name})
    kept = load_inversion(path)
    assert kept.generator == ""
    same_but_for_rounding(pipeline, kept, inversion)


def test_an_inversion_of_another_generator_of_that_name_is_refused(inversion, path):
    other = Pipeline(random_networks(SPEC, seed=1))
    for one in (inversion, load_inversion(path)):
        with pytest.raises(InputError, match=f"of another generator.*{inversion.generator}"):
            other.start_edit(one)
        with pytest.raises(InputError, match="Invert again"):
            picture(other, one)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_same_model_in_another_dtype_takes_it(pipeline, path, tmp_path, dtype):
    bundle = save_bundle(pipeline.networks, tmp_path / "model.safetensors")
    other = Pipeline(load_bundle(bundle, dtype))
    assert other.start_edit(load_inversion(path)).steps == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: t | {"w": t["w"][0]}, "is of shape"),
        (lambda t: t | {"w": t["w"].round().long()}, "w is torch.int64"),
        (lambda t: t | {"F_k": t["F_k"][:1]}, "F_k is of shape"),
        (lambda t: {name: tensor[:0] for name, tensor in t.items()}, "is of shape"),
        (lambda t: t | {"picture": t["picture"] * float("nan")}, "picture holds numbers that are not finite"),
    ],
)
def test_damaged_inversions_are_named(path, change, named):
    changed = {name: tensor.contiguous() for name, tensor in change(load_file(path)).items()}
    save_file(changed, path, {"format": "sfe-inversion", "domain": SPEC.name})
    with pytest.raises(CheckpointError, match=f"anna.safetensors is a damaged inversion: .*{named}"):
        load_inversion(path)


def test_other_files_are_no_inversions(path):
    tensors = load_file(path)
    del tensors["w_e"]
    save_file(tensors, path, {"format": "sfe-inversion", "domain": SPEC.name})
    with pytest.raises(CheckpointError, match="is no saved inversion"):
        load_inversion(path)


def gradual_inversion():
    parts = [torch.randn(2, 4, side, side, generator=torch.Generator().manual_seed(side)) for side in (4, 8)]
    picture = torch.zeros(2, 3, 16, 16)
    w, doubled = torch.ones(2, 6, 8), tuple(2 * part for part in parts)
    return GradualInversion(w, tuple(parts), doubled, picture, "tiny", "abc")


def test_inversions_of_gradual_models_survive_a_file(tmp_path):
    inversion = gradual_inversion()
    again = load_inversion(save_inversion(inversion, tmp_path / "anna.safetensors"))
    assert type(again) is GradualInversion and (again.domain, again.generator) == ("tiny", "abc")
    for name in ("residuals", "features"):
        assert all(torch.equal(a, b) for a, b in zip(getattr(again, name), getattr(inversion, name), strict=True))
    assert torch.equal(again.w, inversion.w) and torch.equal(again.picture, inversion.picture)


def test_a_gradual_inversion_that_lacks_a_stage(tmp_path):
    path = save_inversion(gradual_inversion(), tmp_path / "anna.safetensors")
    with safe_open(path, "pt") as file:
        tensors, format = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()["format"]
    del tensors["residuals.0"]
    save_file(tensors, path, {"format": format})
    with pytest.raises(CheckpointError, match="is no saved inversion"):
        load_inversion(path)
