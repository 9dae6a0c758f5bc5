"""The loop: order and count, what is bad, what is at hand at one time."""

import json
import threading
import time
import weakref
from pathlib import Path

import pytest
import torch

from sfe_models.atomic import replaced
from sfe_models.batch.find import Picture
from sfe_models.batch.manifest import Part, finished
from sfe_models.batch.run import Made, Pace, run
from sfe_models.batch.storage import Folder
from sfe_models.inputs import InputError
from sfe_models.sharing import Share

MADE = Made("f" * 12, [{"direction": "age", "strength": 1.0}])


class Read:
    def __init__(self, number, faces):
        self.number, self.faces = number, faces

    def __len__(self):
        return self.faces


class Doubling:
    """Work on files that hold a number and a count of faces; edited, the number is doubled."""

    def __init__(self, wrong=(), together=True):
        self.wrong, self.together, self.groups = wrong, together, []
        self.at_hand, self.most, self.threads = weakref.WeakSet(), 0, set()

    def read(self, source, name):
        number, faces = map(int, Path(source).read_text().split())
        read = Read(number, faces)
        self.at_hand.add(read)
        self.most = max(self.most, len(self.at_hand))
        return read

    def edit(self, faces):
        self.threads.add(threading.current_thread())
        if len(faces) > 1 and not self.together:
            raise RuntimeError("out of memory")
        self.groups.append([read.number for read in faces])
        if any(read.number in self.wrong for read in faces):
            raise RuntimeError("no such kernel")
        return [torch.full((len(read), 1), 2.0 * read.number) for read in faces]

    def write(self, faces, edited, target):
        time.sleep(0.002 * (faces.number % 3))
        target.write_text(str(faces.number if edited is None else int(edited[0])))


def pictures(folder, faces):
    made = []
    for number, count in enumerate(faces):
        path = folder / f"in{number:03d}.txt"
        path.write_text(f"{number} {count}")
        made.append(Picture(str(path), path.name, f"sub{number % 2}/{number:03d}.txt"))
    return made


def edited(tmp_path, work, counts, **pace):
    """Run; the lines in the order in which they came."""
    given, lines = pictures(tmp_path, counts), []
    with Part(Folder(tmp_path / "out"), Share()) as part:
        run(given, work, part, MADE, Pace(**pace), lines.append)
        assert [json.loads(text) for text in (tmp_path / "out" / part.name).read_text().splitlines()] == [
            json.loads(str(x)) for x in lines
        ]
    return given, lines


@pytest.mark.parametrize("pace", [{}, {"faces": 4}, {"faces": 3, "threads": 3}])
def test_order_and_count_are_kept(tmp_path, pace):
    given, lines = edited(tmp_path, Doubling(), [1, 2, 0, 5, 1, 1, 1] * 3, **pace)
    assert [line.output for line in lines] == [picture.output for picture in given]
    for number, (picture, line) in enumerate(zip(given, lines, strict=True)):
        want = number if line.faces == 0 else 2 * number
        assert (tmp_path / "out" / picture.output).read_text() == str(want)
        assert line.error is None and line.faces == [1, 2, 0, 5, 1, 1, 1][number % 7]


def test_faces_go_together_and_those_of_one_picture_are_never_parted(tmp_path):
    work = Doubling()
    edited(tmp_path, work, [1, 1, 2, 3, 9, 1, 0, 1, 1, 1, 1], faces=4)
    assert work.groups == [[0, 1, 2], [3], [4], [5, 7, 8], [9, 10]]
    assert work.threads == {threading.current_thread()}


def test_what_fails_together_is_tried_one_by_one(tmp_path):
    work = Doubling(wrong=[2], together=False)
    _, lines = edited(tmp_path, work, [1] * 5, faces=3)
    assert [line.error for line in lines] == [None, None, "RuntimeError: no such kernel", None, None]
    assert work.groups == [[0], [1], [2], [3], [4]]


def test_a_picture_that_cannot_be_read_is_listed_and_passed_over(tmp_path):
    given = pictures(tmp_path, [1] * 4)
    Path(given[0].source).unlink()
    Path(given[2].source).write_text("no number\nat all")
    lines = []
    with Part(Folder(tmp_path / "out"), Share()) as part:
        run(given, Doubling(), part, MADE, Pace(faces=2), lines.append)
        assert set(finished(Folder(tmp_path / "out"))) == {given[1].name, given[3].name}
    assert "No such file" in lines[0].error and "invalid literal" in lines[2].error
    assert lines[0].output is lines[2].output is None


def test_networks_that_fail_on_everything_end_the_run(tmp_path):
    with pytest.raises(InputError, match="20 pictures in a row .* no such kernel"):
        edited(tmp_path, Doubling(wrong=range(99)), [1] * 30)


def test_a_disk_that_is_full_ends_the_run_and_names_the_output(tmp_path):
    class Full(Doubling):
        def write(self, faces, edited, target):
            if faces.number == 2:
                raise OSError(28, "No space left on device", str(target))
            super().write(faces, edited, target)

    with pytest.raises(OSError, match=r"No space left.*sub0/002.txt.* the same command goes on"):
        edited(tmp_path, Full(), [1] * 6)
    done = finished(Folder(tmp_path / "out"))
    assert list(done) == ["in000.txt", "in001.txt"] and all(
        (tmp_path / "out" / name).is_file() for name in done.values()
    )


def test_a_disk_that_is_full_of_a_film_ends_the_run(tmp_path):
    class Filming(Doubling):
        def film(self, source, name, target):
            if name == "b.mp4":
                with replaced(target):
                    raise OSError(28, "No space left on device")
            raise ValueError("no film")

    given, lines = [Picture(str(tmp_path / name), name, name) for name in ("a.mp4", "b.mp4", "c.mp4")], []
    for picture in given:
        Path(picture.source).touch()
    with (
        Part(Folder(tmp_path / "out"), Share()) as part,
        pytest.raises(OSError, match=r"Cannot write b.mp4: No space left.* the same command goes on"),
    ):
        run(given, Filming(), part, MADE, done=lines.append)
    assert [line.error for line in lines] in ([], ["no film"])  # the second is on its way while the first is listed


def test_a_name_that_is_taken_by_a_folder_is_that_pictures_error(tmp_path):
    (tmp_path / "out/sub1/001.txt/x").mkdir(parents=True)
    _, lines = edited(tmp_path, Doubling(), [1, 1, 1])
    assert [bool(line.error) for line in lines] == [False, True, False]
    assert "sub1/001.txt cannot be written" in lines[1].error


def test_warnings_stand_in_the_line_of_their_picture(tmp_path, caplog):
    import logging

    class Warns(Doubling):
        def read(self, source, name):
            read = super().read(source, name)
            if read.number == 1:
                logging.getLogger("sfe_models.faces").warning("a face is left out")
            return read

    _, lines = edited(tmp_path, Warns(), [1, 1, 1], threads=2)
    assert [list(line.warnings) for line in lines] == [[], ["a face is left out"], []]
    assert caplog.text == ""


def test_what_is_at_hand_does_not_grow_with_the_number_of_pictures(tmp_path):
    most = []
    for number, count in enumerate((30, 300)):
        work = Doubling()
        (tmp_path / str(number)).mkdir()
        edited(tmp_path / str(number), work, [1] * count, faces=2, threads=2)
        most.append(work.most)
    assert max(most) <= 16
