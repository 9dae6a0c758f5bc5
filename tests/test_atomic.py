"""Files are written whole or not at all, and what stops it is one sentence."""

import signal
from contextlib import contextmanager, nullcontext

import pytest
import torch
from windows import locks, needs_proc

from sfe_models.atomic import check_writable, replaced, save_tensors, save_torch


@contextmanager
def full_disk():
    """A limit of 4 KiB for any file that this process writes, which fails as a full disk does.

    As short as can be: pytest writes its own log within the same limit.
    """
    resource = pytest.importorskip("resource", reason="no limit can be set on this system")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("system", [nullcontext, pytest.param(locks, marks=needs_proc)], ids=["unix", "windows"])
@pytest.mark.parametrize(
    "save", [lambda path, t: save_tensors({"a": t}, path), lambda path, t: save_torch({"a": t}, path)]
)
def test_a_full_disk_leaves_the_old_file_and_one_sentence(tmp_path, save, system):
    path = tmp_path / "kept"
    path.write_text("old")
    tensor, message = torch.zeros(100_000), rf"^Cannot write {path}: .*Give a path that can be written to.$"
    with system(), full_disk(), pytest.raises(OSError, match=message):
        save(path, tensor)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_folders_made_for_nothing_go_again(tmp_path):
    with pytest.raises(OSError, match="Cannot write"), replaced(tmp_path / "a/b/c") as temporary:
        assert temporary.parent.is_dir()
        raise OSError("no more")
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt), replaced(tmp_path / "a/b/c"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_files_whose_long_names_begin_alike_are_written_together(tmp_path):
    names = [f"{'n' * 60}{end}" for end in (".json", ".npy")]
    with replaced(tmp_path / names[0]) as first, replaced(tmp_path / names[1]) as second:
        first.write_text("1")
        second.write_text("2")
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert [(tmp_path / name).read_text() for name in names] == ["1", "2"]


def test_what_stops_the_inner_of_two_files_is_said_once(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as caught, replaced(tmp_path / "a"), replaced(tmp_path / "folder") as temporary:
        temporary.write_text("1")
    assert str(caught.value).count("Cannot write") == 1 and "folder" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_cleanup_that_fails_does_not_hide_the_sentence(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(OSError, match="^Cannot write .*: Read-only file system. Give a path"), replaced(tmp_path / "a"):
        pass


class LibraryError(OSError):
    """As downloads and picture readers raise."""


@pytest.mark.parametrize("error", [ConnectionResetError("reset"), TimeoutError("late"), LibraryError("its own words")])
def test_what_has_nothing_to_do_with_the_file_is_not_called_unwritable(tmp_path, error):
    with pytest.raises(type(error), match=str(error)), replaced(tmp_path / "a"):
        raise error


def test_a_link_is_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere/real.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    with replaced(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink() and target.read_text() == "new"
    target.unlink()  # a link to nowhere becomes one to the file
    with replaced(link) as temporary:
        temporary.write_text("made")
    assert target.read_text() == "made" and sorted(tmp_path.iterdir()) == [tmp_path / "elsewhere", link]


@pytest.mark.parametrize("name", ["a" * 300, "ü" * 200])
def test_a_name_that_is_too_long_is_one_sentence(tmp_path, name):
    for check in (check_writable, lambda path: save_torch({}, path)):
        with pytest.raises(OSError, match=r"^Cannot write .*: File name too long. Give a path"):
            check(tmp_path / name)


def test_the_longest_name_can_be_written(tmp_path):
    assert save_torch({}, tmp_path / ("ü" * 127)).is_file()
