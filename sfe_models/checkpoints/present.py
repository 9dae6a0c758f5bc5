"""Find a file of the table of weights on this machine, or say where it belongs and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from .weights import WeightFile


class MissingWeightsError(FileNotFoundError):
    """Name the file that is needed, the folder to put it in and where it comes from, in one sentence."""


def find_file(file: WeightFile, folders: Sequence[Path | str]) -> Path | None:
    """Look for a file under all its names in folders, at its place below them, and in its package.

    The package is never imported.
    """
    for folder in map(Path, folders):
        for path in (folder / file.name, folder / file.place, *(folder / other for other in file.others)):
            if path.is_file():
                return path
    # find_spec of a top-level package reads no code of it.
    spec = find_spec(file.package) if file.package else None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(place) / file.in_package).is_file():
            return path
    return None


def find_weights(file: WeightFile, folder: Path | str) -> Path:
    """Return where a file is in `folder`. Raises MissingWeightsError."""
    found = find_file(file, [folder])
    if found is not None:
        return found
    others = f" (or {', '.join(file.others)})" if file.others else ""
    origin = f" ({file.origin})" if file.origin else ""
    raise MissingWeightsError(
        f"{file.what} are not there: put {file.name}{others} of {file.source}{origin} into {folder}."
    )
