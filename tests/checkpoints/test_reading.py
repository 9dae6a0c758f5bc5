"""Reading from unknown sources: the contents decide, every failure is one error, nothing runs."""

import argparse
import io
import os
import pickle
import subprocess
import warnings
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch

from sfe_models.checkpoints.containers import sniff
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.reading import read_numpy, read_safetensors, tensors_of
from sfe_models.checkpoints.unpickling.torch_file import read_torch

STATE = {"conv.weight": torch.arange(6.0).reshape(2, 3), "steps": torch.tensor(3)}
READERS = [read_torch, read_numpy, read_safetensors]


class Call:
    """Run a function where an unrestricted unpickler reads it."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def torch_bytes(content, legacy=False):
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def script_bytes():
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(torch.nn.Identity(), torch.zeros(1)), buffer)
    return buffer.getvalue()


def npy_bytes(array, allow_pickle=False):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


SAMPLES = {
    "torch-zip": torch_bytes(STATE),
    "torch-legacy": torch_bytes(STATE, legacy=True),
    "torchscript": script_bytes(),
    "safetensors": safetensors.torch.save(STATE, {"kind": "sfe"}),
    "pickle": pickle.dumps({"G": 1}),
    "npy": npy_bytes(np.arange(4)),
    "html": b"\xef\xbb\xbf\n<!DOCTYPE html><html>login</html>",
    "git-lfs-pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
    "empty": b"",
    "unknown": b"just text",
}


@pytest.fixture
def write(tmp_path):
    def write(content, name="model.jpg"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def assert_same_state(actual, expected=STATE):
    assert list(actual) == list(expected)
    assert all(torch.equal(actual[key], expected[key]) for key in expected)


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_contents_decide_and_not_the_name(write, kind):
    assert sniff(write(SAMPLES[kind], "any.safetensors")).kind == kind


@pytest.mark.parametrize("length", [0x0280, 0x0380, 0x0480, 0x0580])
def test_a_safetensors_header_whose_length_looks_like_a_pickle(write, length):
    content = safetensors.torch.save(STATE)
    size = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + size].rstrip(b" ").ljust(length)
    file = read_safetensors(write(length.to_bytes(8, "little") + header + content[8 + size :]))
    assert torch.equal(file.tensors()["conv.weight"], STATE["conv.weight"])


@pytest.mark.parametrize("kind", ["torch-zip", "torch-legacy"])
def test_what_torch_saves_is_read(write, kind):
    assert_same_state(read_torch(write(SAMPLES[kind])))


@pytest.mark.parametrize("legacy", [False, True])
def test_options_of_published_files_are_read(write, legacy):
    opts = argparse.Namespace(lr=np.float64(0.5), size=np.int64(1024), on=np.bool_(True), name="e4e", k=None)
    before = set(torch.serialization.get_safe_globals())
    content = read_torch(write(torch_bytes({"opts": opts, "vars": vars(opts), "state_dict": STATE}, legacy)))
    assert content["opts"] == argparse.Namespace(lr=0.5, size=1024, on=True, name="e4e", k=None)
    assert content["vars"] == vars(content["opts"])
    assert_same_state(content["state_dict"])
    assert set(torch.serialization.get_safe_globals()) == before


def test_what_others_in_the_process_allow_changes_nothing(write):
    path = write(torch_bytes({"lr": np.float64(0.5)}))
    with torch.serialization.safe_globals([np.dtype, np.float64(0).__reduce__()[0]]):  # as ComfyUI does
        assert read_torch(path) == {"lr": 0.5}


def test_a_compressed_torch_archive_is_read(write):
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SAMPLES["torch-zip"])) as source:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                target.writestr(name, source.read(name))
    assert_same_state(read_torch(write(packed.getvalue())))


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", ["os.system", "eval", "subprocess", "numpy object", "class"])
def test_nothing_in_a_torch_file_runs(write, tmp_path, legacy, name):
    marker = tmp_path / "marker"
    hostile = {
        "os.system": Call(os.system, f"touch {marker}"),
        "eval": Call(eval, f"open({str(marker)!r}, 'w')"),
        "subprocess": Call(subprocess.check_call, ["touch", str(marker)]),
        "numpy object": np.array([Call(os.system, f"touch {marker}")], dtype=object),
        "class": pytest.Item,
    }[name]
    path = write(torch_bytes({"state_dict": STATE, "opts": {"deep": [hostile]}}, legacy))
    with pytest.raises(CheckpointError, match="would run .*refused") as error:
        read_torch(path)
    assert str(path) in str(error.value)
    assert not marker.exists()


def test_scripts_are_refused_as_programs(write):
    with pytest.raises(CheckpointError, match="TorchScript.*never run"):
        read_torch(write(SAMPLES["torchscript"]))


@pytest.mark.parametrize("kind", ["torch-zip", "torch-legacy"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_truncated_torch_files_are_reported(write, kind, part):
    content = SAMPLES[kind]
    path = write(content[: int(len(content) * part)])
    with pytest.raises(CheckpointError, match="damaged or incomplete") as error:
        read_torch(path)
    assert str(path) in str(error.value)
    assert "weights_only" not in str(error.value)


def test_a_corrupt_torch_file_is_reported(write):
    content = bytearray(SAMPLES["torch-zip"])
    start = content.find(b"conv.weight")
    content[start - 20 : start] = b"\xff" * 20
    with pytest.raises(CheckpointError, match="damaged"):
        read_torch(write(content))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", SAMPLES)
def test_other_containers_are_named(write, reader, kind):
    own = {read_torch: ("torch-zip", "torch-legacy"), read_numpy: ("npy",)}.get(reader, ("safetensors",))
    path = write(SAMPLES[kind])
    if kind in own:
        reader(path)
    else:
        with pytest.raises(CheckpointError, match="; expected a ") as error:
            reader(path)
        assert str(path) in str(error.value)


@pytest.mark.parametrize("reader", [*READERS, sniff])
def test_missing_files_and_folders_are_reported(tmp_path, reader):
    with pytest.raises(CheckpointError, match="does not exist"):
        reader(tmp_path / "missing.pt")
    with pytest.raises(CheckpointError, match="cannot be read"):
        reader(tmp_path)


def test_the_tensors_of_a_state_dict_are_kept():
    weight = torch.nn.Parameter(torch.ones(2))
    tensors = tensors_of({"weight": weight, "epoch": 3}, "a.pt")
    assert list(tensors) == ["weight"]
    assert torch.equal(tensors["weight"], weight) and not tensors["weight"].requires_grad


@pytest.mark.parametrize("content", [[torch.ones(1)], {1: torch.ones(1)}, {"epoch": 3}, {}])
def test_what_is_no_state_dict_is_reported(content):
    with pytest.raises(CheckpointError, match="^a.pt holds .*expected a state dict"):
        tensors_of(content, "a.pt")


def test_numpy_arrays_are_read(write):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(read_numpy(write(npy_bytes(array))), array)


def test_numpy_objects_do_not_run(write, tmp_path):
    marker = tmp_path / "marker"
    content = npy_bytes(np.array([Call(os.system, f"touch {marker}")], dtype=object), allow_pickle=True)
    with pytest.raises(CheckpointError, match="never unpickled"):
        read_numpy(write(content))
    assert not marker.exists()


@pytest.mark.parametrize("length", [8, 40, -3])
def test_truncated_numpy_files_are_reported(write, length):
    with pytest.raises(CheckpointError, match="damaged"):
        read_numpy(write(SAMPLES["npy"][:length]))


def test_the_header_of_a_safetensors_file_is_read(write):
    file = read_safetensors(write(SAMPLES["safetensors"]))
    assert file.metadata == {"kind": "sfe"}
    assert_same_state(file.tensors())
    assert file.tensors(["steps"]) == {"steps": STATE["steps"]}
    assert file.header == {"conv.weight": ("F32", [2, 3]), "steps": ("I64", [])}


def test_safetensors_without_metadata_are_read(write):
    assert read_safetensors(write(safetensors.torch.save(STATE))).metadata == {}


@pytest.mark.parametrize("length", [9, 40, -4])
def test_truncated_safetensors_files_are_reported(write, length):
    with pytest.raises(CheckpointError, match="damaged"):
        read_safetensors(write(SAMPLES["safetensors"][:length]))


def test_a_corrupt_safetensors_header_is_reported(write):
    with pytest.raises(CheckpointError, match="damaged"):
        read_safetensors(write(SAMPLES["safetensors"].replace(b"F32", b"F99")))


def test_a_link_to_nowhere_is_told_from_a_wrong_path(tmp_path):
    (tmp_path / "m.safetensors").symlink_to("/nowhere/x.safetensors")
    with pytest.raises(CheckpointError, match="m.safetensors is a link to /nowhere/x.safetensors, which is not there"):
        sniff(tmp_path / "m.safetensors")
    with pytest.raises(CheckpointError, match="other.safetensors does not exist"):
        sniff(tmp_path / "other.safetensors")
