"""Checksums in files: whatever byte of one changes, nothing else than what was written is read."""

import json
import random

import pytest
import torch
from safetensors.torch import load_file, save_file

from sfe_models.atomic import save_tensors
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.reading import read_safetensors
from sfe_models.checksums import KEY, tensor_checksum

TYPES = (torch.float32, torch.bfloat16, torch.float16, torch.int64, torch.uint8, torch.bool)


def tensors():
    drawn = torch.Generator().manual_seed(0)
    made = {str(i): torch.randn(3, 5 + i, generator=drawn).mul(4).abs().to(dtype) for i, dtype in enumerate(TYPES)}
    return made | {
        "whole rows": torch.randn(40000, generator=drawn),
        "scalar": torch.tensor(2.0),
        "none": torch.ones(0),
    }


@pytest.fixture
def path(tmp_path):
    return save_tensors(tensors(), tmp_path / "t.safetensors", {"format": "test", "name": "ü"})


def test_what_was_written_is_read(path):
    file = read_safetensors(path)
    assert file.verified and file.metadata["name"] == "ü"
    read = file.tensors()
    assert set(read) == set(tensors())
    assert all(
        torch.equal(read[name], tensor) and read[name].dtype == tensor.dtype for name, tensor in tensors().items()
    )


@pytest.mark.parametrize("seed", range(400))
def test_a_changed_byte_is_never_taken_for_what_was_written(path, seed):
    drawn = random.Random(seed)
    content = bytearray(path.read_bytes())
    place = drawn.randrange(len(content) if seed % 2 else 8 + int.from_bytes(content[:8], "little"))
    content[place] ^= 1 << drawn.randrange(8)
    path.write_bytes(content)
    try:
        file = read_safetensors(path)
        read = file.tensors()
    except CheckpointError as error:
        assert str(path) in str(error)
        return
    # Such as a space behind the header.
    assert file.metadata["format"] == "test" and file.metadata["name"] == "ü"
    assert set(read) == set(tensors()) and all(torch.equal(read[name], tensor) for name, tensor in tensors().items())


@pytest.mark.parametrize("dtype", TYPES)
def test_every_place_type_and_shape_counts(dtype):
    tensor = torch.arange(4096 * 8 * 3 + 5).remainder(2).to(dtype)
    expected = tensor_checksum(tensor)
    for place in (0, 1, 40000, len(tensor) - 1):
        other = tensor.clone()
        other[place] = 1 - other[place].to(torch.int64)
        assert tensor_checksum(other) != expected
    assert tensor_checksum(tensor.reshape(1, -1)) != expected
    assert tensor_checksum(tensor.roll(1)) != expected
    assert tensor_checksum(tensor.to(torch.float64)) != expected
    assert tensor_checksum(tensor.clone()) == expected


def test_files_without_checksums_are_read(tmp_path):
    save_file({"a": torch.ones(2)}, tmp_path / "old.safetensors", {"format": "test"})
    file = read_safetensors(tmp_path / "old.safetensors")
    assert not file.verified and torch.equal(file.tensors()["a"], torch.ones(2))


@pytest.mark.parametrize("sums", ["", "5", "[]", "{}", json.dumps({"": "0" * 12})])
def test_damaged_checksums_are_reported(path, sums):
    save_file(load_file(path), path, {"format": "test", "name": "ü", KEY: sums})
    with pytest.raises(CheckpointError, match="its description is not what was written"):
        read_safetensors(path)


def test_tensors_are_compared_when_they_are_read(path):
    metadata, changed = read_safetensors(path).metadata, load_file(path)
    changed["0"] = changed["0"] + 1
    save_file(changed, path, metadata)
    file = read_safetensors(path)
    assert torch.equal(file.tensors(["1"])["1"], changed["1"])
    with pytest.raises(CheckpointError, match="0 is not what was written"):
        file.tensors()


def test_others_may_read_what_was_written(tmp_path):
    """As with any file: the permissions are those of the umask."""
    path = save_tensors({"a": torch.ones(2)}, tmp_path / "t.safetensors")
    (tmp_path / "plain").write_text("")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
