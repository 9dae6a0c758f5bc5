"""Faults that were found by trying: one bad file stops no other; formats are seen by content; what is typed wrong."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.directions.base import DirectionError, DirectionInfo, strength_tensor
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.library import DirectionLibrary
from sfe_models.domain import tiny_domain

SPEC = tiny_domain(32, width=8)
VECTOR = np.arange(1, 9, dtype="float32")
OWN = [LinearDirection(DirectionInfo(n, "own", SPEC.subject), torch.ones(1, 8)) for n in ("shine", "glow")]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "directions").mkdir()
    return tmp_path / "directions"


def library(folder):
    return DirectionLibrary(SPEC, [folder], OWN)


def describe(folder, text):
    np.save(folder / "curl.npy", VECTOR)
    (folder / "curl.json").write_bytes(text)


@pytest.mark.parametrize(
    "text", [b'{"author": "x"}', b"{", b"\xff\xfe\x00", b"[1]", b'{"range": [1, 0]}', b'{"component": "x"}'], ids=repr
)
def test_a_bad_description_stops_no_other_direction(folder, text, caplog):
    describe(folder, text)
    np.save(folder / "fine.npy", VECTOR)
    found = library(folder)
    assert found.get("glow").info.name == "glow" and found.get("fine").info.name == "fine"
    assert "curl" not in [entry.info.name for entry in found.entries]
    assert len(caplog.records) == 1 and str(folder / "curl.json") in caplog.text
    for name in ("curl", "curl.npy", str(folder / "curl.npy")):
        with pytest.raises(DirectionError, match="curl.json"):
            found.get(name)


def test_own_directions_are_read_without_those_that_cannot_be(folder, caplog):
    np.save(folder / "fine.npy", VECTOR)
    (folder / "page.npy").write_text("<html>")
    torch.save(torch.ones(3), folder / "short.pt")
    assert [direction.info.name for direction in library(folder).own()] == ["fine"]
    assert "page.npy" in caplog.text and "short.pt" in caplog.text


def test_a_folder_that_cannot_be_read_stops_no_other(folder, tmp_path, caplog, monkeypatch):
    closed = tmp_path / "other/directions"
    closed.mkdir(parents=True)
    np.save(folder / "fine.npy", VECTOR)
    listed = Path.iterdir

    def iterdir(path):
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert DirectionLibrary(SPEC, [closed, folder], OWN).get("fine").info.name == "fine"
    assert f"the folder {closed} cannot be read (Permission denied)" in caplog.text


def test_a_byte_order_mark_is_read(folder, caplog):
    describe(folder, json.dumps({"effect": "curls"}).encode("utf-8-sig"))
    assert library(folder).get("curl").info.effect == "curls" and not caplog.records


def test_a_taken_name_stops_no_other_direction_and_stays_reachable(folder, caplog):
    np.save(folder / "curl.npy", VECTOR)
    np.save(folder / "shine.npy", VECTOR)
    found = library(folder)
    assert found.get("glow").info.name == "glow" and found.get("curl").info.name == "curl"
    assert len(caplog.records) == 1 and str(folder / "shine.npy") in caplog.text
    with pytest.raises(DirectionError, match=str(folder / "shine.npy")):
        found.get("shine")
    for name in ("shine.npy", str(folder / "shine.npy")):
        assert found.get(name).vector[0].tolist() == VECTOR.tolist()
    assert found.get("shine (own)") is OWN[0]


def as_npz(path):
    with open(path, "wb") as file:
        np.savez(file, direction=VECTOR)


def as_npy(path):
    with open(path, "wb") as file:
        np.save(file, VECTOR)


WRITERS = {
    "npz": as_npz,
    "npy": as_npy,
    "tensor": lambda path: torch.save(torch.from_numpy(VECTOR), path),
    "array": lambda path: torch.save(VECTOR, path),
    "big-endian array": lambda path: torch.save(VECTOR.astype(">f8"), path),
    "arrays": lambda path: torch.save({"direction": VECTOR[None]}, path),
    "old torch": lambda path: torch.save(VECTOR, path, _use_new_zipfile_serialization=False),
    "pickled array": lambda path: path.write_bytes(pickle.dumps(VECTOR)),
    "pickled arrays": lambda path: path.write_bytes(pickle.dumps({"direction": VECTOR}, 2)),
    "safetensors": lambda path: save_file({"v": torch.from_numpy(VECTOR)}, path),
}


@pytest.mark.parametrize("suffix", [".pt", ".NPY", ".pth", ".npz", ".pkl", ".Safetensors"])
@pytest.mark.parametrize("how", WRITERS)
def test_a_file_is_what_it_holds_whatever_its_suffix(folder, how, suffix):
    path = folder / f"curl{suffix}"
    WRITERS[how](path)
    for name in ("curl", str(path)):
        assert library(folder).get(name).vector[0].tolist() == VECTOR.tolist()


def test_a_path_may_have_any_suffix(folder):
    as_npy(folder / "curl.vector")
    assert library(folder).get(str(folder / "curl.vector")).vector[0].tolist() == VECTOR.tolist()
    assert "curl" not in [entry.info.name for entry in library(folder).entries]


def test_pickled_objects_in_a_numpy_file_have_one_sentence_with_the_cure(folder):
    np.save(folder / "dictionary.npy", {"vector": VECTOR}, allow_pickle=True)
    np.savez(folder / "archive.npz", a=np.array([{"vector": 1}], dtype=object))
    for name in ("dictionary", "archive"):
        with pytest.raises(CheckpointError, match="holds pickled Python objects.*`numpy.save`") as error:
            library(folder).get(name)
        assert "malicious" not in str(error.value) and "damaged" not in str(error.value)


class Malicious:
    def __reduce__(self):
        return exec, ("raise SystemExit",)


@pytest.mark.parametrize("how", ["torch", "pickle", "object array"])
def test_nothing_in_a_file_runs(folder, how):
    content = np.array([Malicious()], dtype=object) if how == "object array" else {"direction": Malicious()}
    if how == "pickle":
        (folder / "curl.pkl").write_bytes(pickle.dumps(content))
    else:
        torch.save(content, folder / "curl.pkl")
    with pytest.raises(CheckpointError):
        library(folder).get("curl")


@pytest.mark.parametrize("strength", [1e9, -1e9, 1000.5, float("inf"), float("nan")])
def test_a_strength_beyond_all_use_is_refused(strength):
    with pytest.raises(DirectionError, match="from -1000 to 1000"):
        strength_tensor(strength, 1, "cpu")
    assert strength_tensor(1000, 2, "cpu").tolist() == [1000, 1000]
