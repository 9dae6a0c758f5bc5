"""File names that come over the API: nothing may lead out of the folder that it is meant for."""

from __future__ import annotations

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
