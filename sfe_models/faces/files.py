"""The files that detectors and parsers need: where they are looked for, and how they come."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..checkpoints.download import DownloadError, download, fetch_url
from ..checkpoints.published import REPOSITORY
from .errors import FaceError

logger = logging.getLogger(__name__)

_PUBLISHED = "pretrained_models"


@dataclass(frozen=True)
class FaceFile:
    """A file that a detector or a parser reads.

    repository, remote: where it is on Hugging Face, if it is; mirror: its address elsewhere; package: one that may
    bring it, and its path there; origin: where to get it by hand.
    """

    name: str
    origin: str
    repository: str = ""
    remote: str = ""
    package: str = ""
    in_package: str = ""
    mirror: str = ""


YUNET = FaceFile(
    "yunet_final.pth",
    "https://github.com/kornia/data/raw/main/yunet_final.pth",
    "kornia/yunet",
    "yunet_final.pth",
    mirror="https://github.com/kornia/data/raw/main/yunet_final.pth",
)
SHAPE_PREDICTOR = FaceFile(
    "shape_predictor_68_face_landmarks.dat",
    f"https://huggingface.co/{REPOSITORY}",
    REPOSITORY,
    f"{_PUBLISHED}/shape_predictor_68_face_landmarks.dat",
    "face_recognition_models",
    "models/shape_predictor_68_face_landmarks.dat",
)
FARL = FaceFile(
    "face_parsing.farl.lapa.main_ema_136500_jit191.pt",
    f"https://huggingface.co/{REPOSITORY}",
    REPOSITORY,
    f"{_PUBLISHED}/face_parsing.farl.lapa.main_ema_136500_jit191.pt",
)
BISENET = FaceFile("79999_iter.pth", "https://github.com/zllrunning/face-parsing.PyTorch")


def find_face_file(file: FaceFile, folders: Sequence[Path | str]) -> Path | None:
    """Look for a file in folders, in `pretrained_models` below them and in its package, which is never imported."""
    for folder in map(Path, folders):
        for path in (folder / file.name, folder / _PUBLISHED / file.name):
            if path.is_file():
                return path
    # find_spec of a top-level package reads no code of it.
    spec = find_spec(file.package) if file.package else None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(place) / file.in_package).is_file():
            return path
    return None


def face_file(file: FaceFile, folders: Sequence[Path | str], progress: bool = True) -> Path:
    """Find a file or download it into the first of the folders.

    Raises FaceError that names the file, where to put it and where to get it.
    """
    found = find_face_file(file, folders)
    if found is not None:
        return found
    target = Path(folders[0])
    problem = f"The file {file.name} is not in {', '.join(map(str, folders))}"
    by_hand = f"Get it from {file.origin} and put it at {target / file.name}"
    by_hand += f", or `pip install {file.package}`." if file.package else "."
    if not file.repository:
        raise FaceError(f"{problem}. {by_hand}")
    try:
        return download(file.repository, file.remote, target, progress=progress)
    except DownloadError as error:
        if file.mirror:
            try:
                return fetch_url(file.mirror, target / file.name, progress=progress)
            except DownloadError:
                logger.info("%s could not be fetched either.", file.mirror)
        raise FaceError(f"{problem}, and fetching it failed. {by_hand} ({error.__cause__ or error})") from error
