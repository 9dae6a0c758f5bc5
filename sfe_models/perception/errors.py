"""What is said when the weights of a perceptual network are not there."""

from __future__ import annotations

from pathlib import Path


class MissingWeightsError(FileNotFoundError):
    """Name the file that is needed, the folder to put it in and where it comes from, in one sentence."""


def find_weights(folder: Path | str, names: tuple[str, ...], what: str, source: str) -> Path:
    """Return the first file of these names in `folder`; raises MissingWeightsError.

    names: the published name first, then other names in use. what: the weights; source: who publishes them.
    """
    for name in names:
        path = Path(folder) / name
        if path.is_file():
            return path
    others = f" (or {', '.join(names[1:])})" if len(names) > 1 else ""
    raise MissingWeightsError(f"{what} are not there: put {names[0]}{others} of {source} into {folder}.")
