"""What Windows does otherwise, imitated on Linux: files that are open or mapped can be neither replaced nor removed."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asks Linux which files are open")
# Functions of os, and how many of their first arguments are paths of files that must be free.
_REFUSING = {"replace": 2, "rename": 2, "unlink": 1, "remove": 1}


def held(path) -> bool:
    """Whether this process has the file open, or its contents in memory."""
    real = os.path.realpath(path)
    with open("/proc/self/maps", encoding="utf-8") as maps:
        if any(line.endswith(f" {real}\n") for line in maps):
            return True
    opened = []
    for number in os.listdir("/proc/self/fd"):
        try:
            opened.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:  # closed meanwhile
            continue
    return real in opened


@contextmanager
def locks():
    """Refuse to replace, rename and remove files that this process holds."""
    with pytest.MonkeyPatch.context() as patches:
        for name, paths in _REFUSING.items():
            patches.setattr(os, name, _refusing(getattr(os, name), paths))
        yield


def _refusing(function, paths: int):
    def refused(*arguments, dir_fd=None, **options):
        folder, more = "", {}
        if dir_fd is not None:
            folder, more = os.readlink(f"/proc/self/fd/{dir_fd}"), {"dir_fd": dir_fd}
        for name in arguments[:paths]:
            place = os.path.join(folder, os.fspath(name))
            if os.path.isfile(place) and held(place):
                raise PermissionError(13, "The process cannot access the file because it is being used", place)
        return function(*arguments, **more, **options)

    return refused
