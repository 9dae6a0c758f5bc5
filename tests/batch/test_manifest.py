"""Settings and manifest: what a killed, a second and another process find."""

import json

import pytest

from sfe_models.batch.manifest import MANIFEST, Line, Part, finished
from sfe_models.batch.settings import fingerprint, is_begun, settle
from sfe_models.batch.sharing import Share
from sfe_models.inputs import InputError

ALONE = Share()
ORDER = {name: number for number, name in enumerate(("c.png", "a.png", "b.png", "d.png"))}


def line(name, error=None):
    return Line(name, f"in/{name}", None if error else name, "f" * 12, [], 0.5, 1, error=error)


def lines(output):
    return [json.loads(text) for text in (output / MANIFEST).read_text().splitlines()]


def test_the_manifest_has_the_order_of_the_pictures_whatever_the_order_of_the_work(tmp_path):
    with Part(tmp_path, ALONE) as part:
        for name in ("a.png", "d.png", "c.png", "b.png"):
            part.add(line(name))
        assert not (tmp_path / MANIFEST).exists()
        assert part.end(ORDER)
    assert [row["name"] for row in lines(tmp_path)] == list(ORDER)
    assert [path.name for path in tmp_path.glob("*.jsonl")] == [MANIFEST]


def test_the_last_process_joins_the_parts(tmp_path):
    for rank, name in enumerate(("a.png", "c.png", "b.png")):
        with Part(tmp_path, Share(rank, 3)) as part:
            part.add(line(name))
            assert part.end(ORDER) == (rank == 2)
    assert [row["name"] for row in lines(tmp_path)] == ["c.png", "a.png", "b.png"]


def test_a_process_that_died_holds_the_manifest_back_until_it_is_caught_up(tmp_path):
    with Part(tmp_path, Share(0, 2)) as part:
        part.add(line("a.png"))  # and no end
    with Part(tmp_path, Share(1, 2)) as part:
        part.add(line("c.png"))
        assert not part.end(ORDER)
    assert set(finished(tmp_path)) == {"a.png", "c.png"}
    with Part(tmp_path, ALONE) as part:  # as many processes as there are now
        part.add(line("b.png"))
        assert part.end(ORDER)
    assert [row["name"] for row in lines(tmp_path)] == ["c.png", "a.png", "b.png"]


def test_a_line_written_half_is_cut_off(tmp_path):
    with Part(tmp_path, ALONE) as part:
        part.add(line("a.png"))
    part.path.write_bytes(part.path.read_bytes() + str(line("b.png")).encode()[:40])
    assert set(finished(tmp_path)) == {"a.png"}
    with Part(tmp_path, ALONE) as part:
        part.add(line("c.png"))
        part.end(ORDER)
    assert [row["name"] for row in lines(tmp_path)] == ["c.png", "a.png"]


def test_a_picture_that_fails_and_then_does_not_has_one_line(tmp_path):
    for error in ("too dark", None):
        with Part(tmp_path, ALONE) as part:
            part.add(line("a.png", error))
            part.end(ORDER)
        assert [row.get("error") for row in lines(tmp_path)] == [error]
        assert set(finished(tmp_path)) == ({"a.png"} if error is None else set())


def test_two_at_once_are_refused(tmp_path):
    with Part(tmp_path, ALONE):
        for other in (ALONE, Share(1, 2)):
            with pytest.raises(InputError, match="Another batch is writing"), Part(tmp_path, other):
                pass
    with Part(tmp_path, ALONE):
        pass


def test_what_a_killed_process_left_beside_goes(tmp_path):
    with Part(tmp_path, ALONE) as part:
        (part.scratch / "3.png").write_bytes(b"half")
    with Part(tmp_path, ALONE) as part:
        assert list(part.scratch.iterdir()) == []


def test_a_manifest_of_something_else_is_refused(tmp_path):
    (tmp_path / MANIFEST).write_text('["no line"]\n')
    with pytest.raises(InputError, match="a line that is none of a batch"):
        finished(tmp_path)


def test_settings_are_kept_and_others_refused(tmp_path):
    output, settings = tmp_path / "new/out", {"edits": [{"direction": "age", "strength": 3.0}], "format": "keep"}
    assert not is_begun(output)
    assert settle(output, settings) == settle(output, settings) == fingerprint(settings)
    assert is_begun(output)
    other = {**settings, "edits": [{"direction": "age", "strength": 2.0}]}
    with pytest.raises(InputError, match=r'edits: \[{"direction": "age", "strength": 3.0}\], now .*2.0') as refused:
        settle(output, other)
    assert "format" not in str(refused.value)
    (output / "batch.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as a batch's settings"):
        settle(output, settings)
