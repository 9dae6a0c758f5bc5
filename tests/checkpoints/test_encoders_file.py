"""Encoders without their generator: what is written is what is joined, and only with the right generator."""

import pytest
import torch
from photo.small import SPEC, STEPS, generator, networks, packaged_encoders

from sfe_models.checkpoints.encoders_file import is_encoders_file, join, read_encoders, save_encoders
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.cli import main
from sfe_models.pipeline import Pipeline


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file of encoders; only read."""
    return packaged_encoders(tmp_path_factory.mktemp("encoders") / "encoders.safetensors")


def picture():
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1


def inverted(model):
    pipeline = Pipeline(model)
    return pipeline.edit(pipeline.invert(picture()))


def test_joined_with_their_generator_they_are_the_whole_model(file, tmp_path):
    whole, joined = networks().fold(), join(read_encoders(file), generator())
    held = joined.state_dict()
    assert all(torch.equal(tensor, held[name]) for name, tensor in whole.state_dict().items())
    want = inverted(whole)
    torch.testing.assert_close(inverted(joined), want, rtol=0, atol=1e-5)  # a file's tensors lie elsewhere in memory
    half = packaged_encoders(tmp_path / "half.safetensors", dtype=torch.float16)
    assert half.stat().st_size < 0.75 * file.stat().st_size
    near = inverted(join(read_encoders(half), generator()))
    assert 0 < (near - want).abs().max() < 0.02


def test_no_tensor_of_the_generator_is_in_the_file(file):
    encoders = read_encoders(file)
    assert {name.partition(".")[0] for name in encoders.file.header} == set(STEPS) == set(encoders.trained)
    assert encoders.spec == SPEC and encoders.trained == STEPS and encoders.source == "Drawn at random."
    assert encoders.generator == generator().fingerprint()


def test_weights_come_back_as_training_left_them(file):
    want = networks().inverter.state_dict()
    got = read_encoders(file).weights("inverter")
    assert want.keys() == got.keys() and all(torch.equal(got[name], want[name]) for name in want)
    with pytest.raises(CheckpointError, match="has no discriminator"):
        read_encoders(file).weights("discriminator")


def test_the_identity_is_that_of_the_weights(file, tmp_path):
    same, other = (packaged_encoders(tmp_path / f"{seed}.safetensors", seed) for seed in (0, 1))
    identity = read_encoders(file).identity
    assert read_encoders(same).identity == identity != read_encoders(other).identity


def test_another_generator_is_refused(file):
    other = generator()
    torch.nn.init.normal_(other.conv1.bias)
    with pytest.raises(CheckpointError, match="belongs to the generator"):
        join(read_encoders(file), other)


def test_damage_is_noticed(file, tmp_path):
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    damaged = tmp_path / "encoders.safetensors"
    damaged.write_bytes(content)
    with pytest.raises(CheckpointError, match="is damaged"):
        join(read_encoders(damaged), generator())


def test_what_is_not_finite_in_half_is_not_written(tmp_path):
    made = networks()
    torch.nn.init.constant_(made.inverter.expand.weight, 1e6)
    with pytest.raises(CheckpointError, match="inverter.expand.weight is not finite"):
        save_encoders(made, tmp_path / "encoders.safetensors", torch.float16, STEPS)
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_no_encoders(tmp_path, file):
    (tmp_path / "text").write_text("text")
    assert is_encoders_file(file) and not is_encoders_file(tmp_path / "text") and not is_encoders_file(tmp_path)
    with pytest.raises(CheckpointError, match="safetensors"):
        read_encoders(tmp_path / "text")


def test_inspect_says_how_long_they_were_trained(file, capsys):
    assert main(["inspect", str(file)]) == 0
    assert "e4e_encoder 5 steps, inverter 3 steps, feature_editor 0 steps" in capsys.readouterr().out
