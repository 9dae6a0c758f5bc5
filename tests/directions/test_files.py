"""A user's own vectors: every shape and container that is promised, and a clear refusal of the rest."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from windows import held, locks, needs_proc

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.files import save_own_file
from sfe_models.directions.library import DirectionLibrary
from sfe_models.domain import CARS_512, tiny_domain

SPEC = tiny_domain(32, width=8)
N, D = SPEC.n_styles, 8
RANDOM = torch.Generator().manual_seed(0)


def write(path, tensor):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, tensor.numpy())
    elif path.suffix == ".pt":
        torch.save(tensor, path)
    else:
        save_file({"direction": tensor}, path)
    return path


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "directions").mkdir()
    return tmp_path


@pytest.mark.parametrize("suffix", [".pt", ".npy", ".safetensors"])
@pytest.mark.parametrize("shape", [(D,), (1, D), (N, D), (1, N, D), (N * D,), (1, N * D)])
def test_every_shape_and_container(folder, suffix, shape):
    vector = torch.randn(shape, generator=RANDOM)
    write(folder / "directions" / f"curly{suffix}", vector)
    library = DirectionLibrary(SPEC, [folder])
    entry = library.entries[-1]
    assert entry.info.name == "curly" and entry.info.family == "own" and library.available(entry)
    direction = library.get("curly")
    w = torch.randn(2, N, D, generator=RANDOM)
    moved = direction.move(w, torch.tensor([2.0, 0.0]))
    assert torch.allclose(moved[0] - w[0], 2 * vector.reshape(-1, D).expand(N, D), atol=1e-6)
    assert torch.equal(moved[1], w[1])


def test_the_description_beside_a_file_is_used(folder):
    write(folder / "directions" / "a.pt", torch.ones(N, D, dtype=torch.float64))
    about = {"name": "my curls", "range": [-3, 3], "effect": "curls", "scale": 0.5, "layers": "0-1,3"}
    (folder / "directions" / "a.json").write_text(json.dumps(about))
    library = DirectionLibrary(SPEC, [folder / "directions"])  # the folder itself serves too
    info = library.entries[-1].info
    assert (info.name, info.strength_range, info.effect) == ("my curls", (-3, 3), "curls")
    moved = library.get("my curls").move(torch.zeros(1, N, D), torch.tensor([2.0]))
    assert moved[0].any(dim=1).nonzero()[:, 0].tolist() == [0, 1, 3] and float(moved.max()) == 1.0
    with pytest.raises(DirectionError, match="'my curls'"):
        library.get("my curl")


def test_own_files_are_listed_by_name_after_the_published_ones(folder):
    for name in ("zebra", "apple"):
        write(folder / "directions" / f"{name}.npy", torch.ones(D))
    (folder / "directions" / "notes.txt").write_text("nothing")
    write(folder / "directions" / "below" / "hidden.npy", torch.ones(D))
    names = [e.info.name for e in DirectionLibrary(SPEC, [folder]).entries]
    assert names[-2:] == ["apple", "zebra"] and "hidden" not in names


@pytest.mark.parametrize("shape", [(D + 1,), (N - 1, D), (3, D), (2, N, D), ()])
def test_another_shape_is_refused_with_both_named(folder, shape):
    path = write(folder / "directions" / "odd.pt", torch.ones(shape))
    with pytest.raises(DirectionError) as error:
        DirectionLibrary(SPEC, [folder]).get("odd")
    assert str(path) in str(error.value)
    assert str(list(shape)) in str(error.value) and f"[{N},{D}]" in str(error.value)


def test_numbers_that_are_not_finite_are_refused(folder):
    write(folder / "directions" / "odd.npy", torch.tensor([float("nan")] * D))
    with pytest.raises(DirectionError, match="not finite"):
        DirectionLibrary(SPEC, [folder]).get("odd")


def test_several_tensors_are_refused(folder):
    save_file({"a": torch.ones(D), "b": torch.ones(D)}, folder / "directions" / "two.safetensors")
    with pytest.raises(DirectionError, match=r"2 tensors \(a, b\)"):
        DirectionLibrary(SPEC, [folder]).get("two")


def test_a_pickle_that_would_run_something_is_refused(folder):
    class Malicious:
        def __reduce__(self):
            return exec, (f"open({str(folder / 'ran')!r}, 'w')",)

    torch.save(Malicious(), folder / "directions" / "bad.pt")
    np.save(folder / "directions" / "worse.npy", np.array([Malicious()], dtype=object), allow_pickle=True)
    (folder / "directions" / "raw.pt").write_bytes(pickle.dumps(Malicious()))
    library = DirectionLibrary(SPEC, [folder])
    for name in ("bad", "worse", "raw"):
        with pytest.raises(CheckpointError):
            library.get(name)
    assert not (folder / "ran").exists()


def test_a_published_name_is_not_shadowed(folder):
    (folder / "interfacegan_directions").mkdir()
    torch.save(torch.zeros(1, D), folder / "interfacegan_directions/age.pt")
    path = write(folder / "directions" / "age.pt", torch.ones(1, D))
    library = DirectionLibrary(SPEC, [folder])
    with pytest.raises(DirectionError) as error:
        library.get("age")
    assert str(path) in str(error.value) and "published interfacegan direction 'age'" in str(error.value)
    assert float(library.get("age.pt").vector.max()) == 1 and float(library.get("age (interfacegan)").vector.max()) == 0
    assert float(library.get(str(path)).vector.max()) == 1


def test_two_files_of_one_name_are_told_apart_by_their_files(folder, caplog):
    for value, suffix in enumerate((".pt", ".npy")):
        write(folder / "directions" / f"curly{suffix}", torch.full((D,), float(value)))
    library = DirectionLibrary(SPEC, [folder])
    assert [e.info.name for e in library.entries][-2:] == ["curly.npy", "curly.pt"]
    with pytest.raises(DirectionError, match="curly.npy and .*curly.pt"):
        library.get("curly")
    assert [float(library.get(f"curly{suffix}").vector.max()) for suffix in (".pt", ".npy")] == [0, 1]
    assert len(caplog.records) == 1


def test_copies_of_one_file_are_one_direction(folder, caplog):
    for suffix in (".pt", ".npy"):
        write(folder / "directions" / f"curly{suffix}", torch.ones(D))
    assert DirectionLibrary(SPEC, [folder]).get("curly").info.name == "curly" and not caplog.records


def test_a_direction_of_another_subject_is_refused_with_both_named(folder):
    write(folder / "directions" / "spoiler.npy", torch.ones(512))
    (folder / "directions" / "spoiler.json").write_text('{"subject": "cars"}')
    assert DirectionLibrary(CARS_512, [folder]).get("spoiler").info.subject == "cars"
    library = DirectionLibrary(SPEC, [folder])
    assert "spoiler" not in [e.info.name for e in library.entries]
    for name in ("spoiler", "spoiler.npy", str(folder / "directions/spoiler.npy")):
        with pytest.raises(DirectionError, match="for cars; tiny-32 shows human faces"):
            library.get(name)


@pytest.mark.parametrize(
    ("about", "word"),
    [
        ("{", "JSON"),
        ("[1]", "list"),
        ('{"strength": 1}', "strength"),
        ('{"name": " "}', "'name'"),
        ('{"effect": 1}', "'effect'"),
        ('{"subject": 1}', "'subject'"),
        ('{"range": [3, 1]}', "'range'"),
        ('{"range": [0, NaN]}', "'range'"),
        ('{"scale": 0}', "'scale'"),
        ('{"scale": true}', "'scale'"),
        ('{"layers": [true]}', "'layers'"),
        ('{"layers": "top"}', "'top'"),
        ('{"layers": [99]}', "99"),
    ],
)
def test_a_bad_description_is_refused(folder, about, word):
    write(folder / "directions" / "a.pt", torch.ones(D))
    (folder / "directions" / "a.json").write_text(about)
    with pytest.raises(DirectionError, match=word):
        DirectionLibrary(SPEC, [folder]).get("a")


@pytest.mark.parametrize(
    "values",
    [np.array(["curly"]), np.ones(D, dtype=">i4"), np.ones(D, dtype=[("a", "f4")])],
    ids=["text", "big", "record"],
)
def test_an_array_of_no_numbers_stops_no_other_file(folder, values, caplog):
    np.save(folder / "directions" / "words.npy", values)
    write(folder / "directions" / "good.npy", torch.ones(D))
    library = DirectionLibrary(SPEC, [folder])
    with pytest.raises(DirectionError, match="words.npy holds .*; expected floating point"):
        library.get("words")
    assert [direction.info.name for direction in library.own()] == ["good"] and "words.npy" in caplog.text


@needs_proc
@pytest.mark.parametrize("stem", ["curly", "c" * 60])
@pytest.mark.parametrize("suffix", [".npy", ".safetensors"])
def test_a_direction_that_is_in_use_is_written_anew(folder, stem, suffix):
    path = folder / f"directions/{stem}{suffix}"
    with locks():
        for number in (1.0, 2.0):
            direction = LinearDirection(DirectionInfo(stem, "own", None), torch.full((N, D), number))
            save_own_file(direction, path)
            used = DirectionLibrary(SPEC, [folder]).get(stem)
            assert torch.equal(used.vector, direction.vector)
    assert sorted(path.parent.iterdir()) == sorted([path, path.with_suffix(".json")])


@needs_proc
@pytest.mark.parametrize("content", [torch.ones(N, D), {"vector": torch.ones(N, D)}], ids=["alone", "named"])
def test_a_file_of_torch_is_free_while_its_direction_is_in_use(folder, content):
    path = folder / "directions/curly.pt"
    torch.save(content, path)
    used = DirectionLibrary(SPEC, [folder]).get("curly")
    assert not held(path)
    assert torch.equal(used.vector, torch.ones(N, D))


def test_whole_numbers_are_refused(folder):
    np.save(folder / "directions" / "whole.npy", np.ones(D, dtype="int64"))
    torch.save(torch.ones(D, dtype=torch.int64), folder / "directions" / "too.pt")
    for name in ("whole", "too"):
        with pytest.raises(DirectionError, match="int64; expected floating point"):
            DirectionLibrary(SPEC, [folder]).get(name)


@pytest.mark.parametrize("suffix", [".npy", ".safetensors"])
def test_a_damaged_vector_is_noticed_and_an_older_file_is_read(folder, suffix):
    direction = LinearDirection(DirectionInfo("mine", "own", None), torch.randn(N, D, generator=RANDOM))
    path = save_own_file(direction, folder / f"directions/mine{suffix}")
    assert torch.equal(DirectionLibrary(SPEC, [folder]).get("mine").vector, direction.vector)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="not what was written"):
        DirectionLibrary(SPEC, [folder]).get("mine")
    if suffix == ".npy":
        about = json.loads(path.with_suffix(".json").read_text())
        del about["checksum"]
        path.with_suffix(".json").write_text(json.dumps(about))
        assert DirectionLibrary(SPEC, [folder]).get("mine").info.name == "mine"


def test_a_vector_is_not_left_without_its_description(folder, monkeypatch):
    direction = LinearDirection(DirectionInfo("mine", "own", None), torch.ones(N, D))
    path = save_own_file(direction, folder / "directions/mine.safetensors")
    before = path.read_bytes(), path.with_suffix(".json").read_bytes()
    monkeypatch.setattr("pathlib.Path.write_text", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space left"):
        save_own_file(LinearDirection(direction.info, torch.zeros(N, D)), path)
    assert (path.read_bytes(), path.with_suffix(".json").read_bytes()) == before
    assert len(list(path.parent.iterdir())) == 2
