"""Settings and manifest: what a killed, a second and another process find."""

import json

import pytest

from sfe_models.batch.manifest import MANIFEST, Line, Part, end, finished
from sfe_models.batch.settings import fingerprint, is_begun, settle
from sfe_models.batch.storage import Folder, store_of
from sfe_models.inputs import InputError
from sfe_models.sharing import Share

ALONE = Share()
ORDER = {name: number for number, name in enumerate(("c.png", "a.png", "b.png", "d.png"))}


def line(name, error=None):
    return Line(name, f"in/{name}", None if error else name, "f" * 12, [], 0.5, 1, error=error)


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    """An output folder, and one in object storage."""
    return store_of(tmp_path / "out" if request.param == "folder" else f"memory://{tmp_path.name}/out")


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def lines(store):
    return [json.loads(text) for text in store.read(MANIFEST).splitlines()]


def manifests(store):
    return [name for name in store.files() if name.endswith(".jsonl")]


def made(store, *names):
    """Write pictures of these names."""
    for name in names:
        store.write(name, ["picture"])


def test_the_manifest_has_the_order_of_the_pictures_whatever_the_order_of_the_work(store):
    with Part(store, ALONE) as part:
        for name in ("a.png", "d.png", "c.png", "b.png"):
            part.add(line(name))
        assert MANIFEST not in manifests(store)
    assert end(store, ALONE, ORDER)
    assert [row["name"] for row in lines(store)] == list(ORDER)
    assert manifests(store) == [MANIFEST]


def test_the_last_process_joins_the_parts(store):
    for rank, name in enumerate(("a.png", "c.png", "b.png")):
        with Part(store, Share(rank, 3)) as part:
            part.add(line(name))
        assert end(store, part.share, ORDER) == (rank == 2)
    assert [row["name"] for row in lines(store)] == ["c.png", "a.png", "b.png"]


def test_a_process_that_died_holds_the_manifest_back_until_it_is_caught_up(store):
    made(store, "a.png", "b.png", "c.png")
    with Part(store, Share(0, 2)) as part:
        part.add(line("a.png"))  # and no end
    with Part(store, Share(1, 2)) as part:
        part.add(line("c.png"))
    assert not end(store, part.share, ORDER)
    assert set(finished(store)) == {"a.png", "c.png"}
    with Part(store, ALONE) as part:  # as many processes as there are now
        part.add(line("b.png"))
    assert end(store, ALONE, ORDER)
    assert [row["name"] for row in lines(store)] == ["c.png", "a.png", "b.png"]


def test_a_line_written_half_is_cut_off(folder):
    made(folder, "a.png", "b.png")
    with Part(folder, ALONE) as part:
        part.add(line("a.png"))
    path = folder.path / part.name
    path.write_bytes(path.read_bytes() + str(line("b.png")).encode()[:40])
    assert set(finished(folder)) == {"a.png"}
    with Part(folder, ALONE) as part:
        part.add(line("c.png"))
    end(folder, ALONE, ORDER)
    assert [row["name"] for row in lines(folder)] == ["c.png", "a.png"]


def test_a_picture_that_fails_and_then_does_not_has_one_line(store):
    made(store, "a.png")
    for error in ("too dark", None):
        with Part(store, ALONE) as part:
            part.add(line("a.png", error))
        end(store, ALONE, ORDER)
        assert [row.get("error") for row in lines(store)] == [error]
        assert set(finished(store)) == ({"a.png"} if error is None else set())


def test_a_picture_whose_file_is_gone_is_not_done(store):
    names = [f"{number:02d}.png" for number in range(30)]
    made(store, *names)
    with Part(store, ALONE) as part:
        for name in names:
            part.add(line(name))
    store.remove("07.png")
    assert set(names) - set(finished(store)) == {"07.png"}


def test_two_at_once_are_refused(folder):
    with Part(folder, ALONE) as part:
        part.add(line("a.png"))
        for other in (ALONE, Share(1, 2)):
            with pytest.raises(InputError, match="Another batch is writing"), Part(folder, other):
                pass
    with Part(folder, ALONE):
        pass


def test_what_is_made_is_brought_to_its_place_and_what_a_killed_process_left_beside_goes(store):
    with Part(store, ALONE) as part:
        for name in ("1.png", "2.png"):
            (part.scratch / name).write_bytes(b"whole")
        part.put(part.scratch / "1.png", "new/a.png")
    assert store.read("new/a.png") == b"whole"
    with Part(store, ALONE) as part:
        assert list(part.scratch.iterdir()) == []


def test_a_manifest_of_something_else_is_refused(store):
    store.write(MANIFEST, ['["no line"]\n'])
    with pytest.raises(InputError, match="a line that is none of a batch"):
        finished(store)


def test_settings_are_kept_and_others_refused(store):
    settings = {"edits": [{"direction": "age", "strength": 3.0}], "format": "keep"}
    assert not is_begun(store)
    assert settle(store, settings) == settle(store, settings) == fingerprint(settings)
    assert is_begun(store)
    other = {**settings, "edits": [{"direction": "age", "strength": 2.0}]}
    with pytest.raises(InputError, match=r'edits: \[{"direction": "age", "strength": 3.0}\], now .*2.0') as refused:
        settle(store, other)
    assert "format" not in str(refused.value)
    store.write("batch.json", ["{"])
    with pytest.raises(InputError, match="cannot be read as a batch's settings"):
        settle(store, settings)


def test_storage_that_is_unknown_is_one_sentence():
    with pytest.raises(InputError, match="nowhere://a cannot be reached"):
        store_of("nowhere://a")
