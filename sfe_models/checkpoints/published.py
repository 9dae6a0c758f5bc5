"""Bring sets of published files to this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .download import DownloadError, fetch
from .weights import LOSSES, MAPPERS, MODEL, STYLECLIP_GLOBAL, VECTORS, WeightFile


def fetch_all(files: Sequence[WeightFile], folder: Path | str, progress: bool = True) -> list[Path]:
    """Fetch files to their places below a folder; those that are there and whole stay.

    Raises DownloadError that lists every file still missing, with where to get it and where to put it.
    """
    folder = Path(folder)
    paths = []
    for number, file in enumerate(files):
        try:
            paths.append(fetch(file, folder, progress))
        except DownloadError as error:
            missing = "\n".join(f"  {f.origin} -> {folder / f.place}" for f in files[number:])
            raise DownloadError(
                f"{error}\nWithout a connection, fetch these elsewhere and place each at the path beside it:\n{missing}"
            ) from error
    return paths


def download_published(folder: Path | str, mappers: bool = False, progress: bool = True) -> Path:
    """Fetch the files that editing needs and return the folder that holds them. mappers: StyleCLIP's too."""
    return fetch_all((*MODEL, *(MAPPERS if mappers else ())), folder, progress)[0].parent


def download_loss_weights(folder: Path | str, progress: bool = True) -> Path:
    """Fetch LPIPS (AlexNet), ArcFace and MoCo weights for training; returns the folder to give as --weights."""
    return fetch_all(LOSSES, folder, progress)[0].parent


def download_vectors(folder: Path | str, text: bool = False, progress: bool = True) -> list[Path]:
    """Fetch the published directions into a folder; text: what StyleCLIP's global directions need too."""
    return fetch_all((*VECTORS, *(STYLECLIP_GLOBAL if text else ())), folder, progress)
