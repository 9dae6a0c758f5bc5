"""File names that come over the API, and what lies in folders: nothing may lead out of where it is meant to be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PureWindowsPath


class PathError(ValueError):
    """A name that leads out of its folder, or to nothing."""


def inside(folder: Path | str, name: str, what: str) -> Path:
    """Return the path of `name` in `folder`; raises PathError if it leads elsewhere, links included.

    what: the input's name, for the error.
    """
    folder = Path(folder)
    parts = name.replace("\\", "/").split("/")
    windows = PureWindowsPath(name)
    if not name.strip() or "\0" in name or ".." in parts or name[0] in "/\\~" or windows.drive or windows.is_absolute():
        raise PathError(f"'{what}' is {name[:80]!r}; expected the name of a file below {folder}, such as sfe/anna.")
    path = folder.joinpath(*parts)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PathError(f"'{what}' is {name[:80]!r}, which leads out of {folder} through a link; give another name.")
    return path


def annotated(name: str) -> tuple[str, str]:
    """Split "name [output]" into the name and the folder it is in; without brackets it is the output folder."""
    for kind in ("output", "input"):
        if name.endswith(f" [{kind}]"):
            return name.removesuffix(f" [{kind}]"), kind
    return name, "output"


def changed_at(path: Path) -> tuple:
    """What tells whether a file, or one directly in a folder, has changed; what may not be looked at is as if gone."""
    told = []
    with suppress(OSError):
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            with suppress(OSError):
                told.append((file.name, file.stat().st_mtime_ns, file.stat().st_size))
    return tuple(told)


def files_below(folder: Path | str) -> Iterator[str]:
    """Names of the files below a folder, with / between the parts; hidden folders and links are not entered.

    A folder is read again only when it has changed, since a menu is made anew several times for each prompt.
    """
    try:
        files, folders = _listed(str(folder), os.stat(folder).st_mtime_ns)
    except OSError:  # gone, or not to be read: nothing to choose there
        return
    yield from files
    for name in folders:
        yield from (f"{name}/{below}" for below in files_below(Path(folder) / name))


@lru_cache(maxsize=4096)
def _listed(folder: str, changed_ns: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files and the folders directly in a folder."""
    entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    folders = tuple(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    return tuple(entry.name for entry in entries if entry.is_file()), folders
