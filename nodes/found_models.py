"""What lies in ComfyUI's `sfe` model folders: bundles, folders of published files, directions.

ComfyUI's own listing follows links that lead in circles, so these folders are looked into here.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import folder_paths

from ..sfe_models.checkpoints.errors import CheckpointError
from ..sfe_models.checkpoints.found import FoundModels, find_models
from ..sfe_models.checkpoints.load import BUILT_IN, DEMO
from ..sfe_models.checkpoints.places import PHOTO, PHOTO_FILE, PHOTO_GRADUAL
from ..sfe_models.checkpoints.published import download_published, download_vectors
from ..sfe_models.photo.install import refreshed

logger = logging.getLogger(__name__)

FOLDER = "sfe"
AUTO = "auto"
DOWNLOAD = "ffhq-1024 (download)"
_DOWNLOADED = "ffhq-1024"
_SUFFIXES = (".safetensors", ".pt", ".pkl", ".pth")


def register_folder() -> None:
    """Add `models/sfe` to what extra_model_paths.yaml may have named already."""
    folder_paths.add_model_folder_path(FOLDER, os.path.join(folder_paths.models_dir, FOLDER))
    folder_paths.folder_names_and_paths[FOLDER][1].update(_SUFFIXES)


def found() -> FoundModels:
    """What lies in the folders now, the photographic model by its name; what is damaged is named in the log, once."""
    models = find_models(folder_paths.get_folder_paths(FOLDER))
    for name, reason in models.damaged.items():
        _warn_once(f"{name} in the `{FOLDER}` model folders {reason.rstrip('.')}.")
    named = {PHOTO if name == PHOTO_FILE else name: path for name, path in models.models.items()}
    return replace(models, models=named)


@cache
def _warn_once(warning: str) -> None:
    logger.warning("%s", warning)


def meant(name: str) -> str:
    """The model that a choice stands for now: of 'auto' photo where it is installed, else demo."""
    return name if name != AUTO else PHOTO if PHOTO in found().models else DEMO


def model_names() -> list[str]:
    """The choices of Load SFE: auto, photo, what is built in, bundles, folders of published files, the download."""
    return list(dict.fromkeys([AUTO, PHOTO, PHOTO_GRADUAL, *BUILT_IN, *found().models, DOWNLOAD]))


def why_not(name: str) -> str | None:
    """Say why a choice cannot be loaded, and what to do; None if it can.

    Only what is listed can be named, so that nothing outside of the model folders is ever read.
    """
    models, places = found(), folder_paths.get_folder_paths(FOLDER)
    if name == PHOTO_GRADUAL:  # it needs the generator of the other
        return None if PHOTO in models.models else why_not(PHOTO)
    if name in (AUTO, *BUILT_IN, DOWNLOAD, *models.models):
        return None
    if name == PHOTO and PHOTO_FILE not in models.damaged:
        script = Path(__file__).parents[1] / "install.py"
        return (
            f"The model '{PHOTO}' is not on this machine: there is no {PHOTO_FILE} in {', '.join(places)}. Fetch it "
            f'(38 MB, once), then queue again: "{sys.executable}" "{script}" --output "{places[0]}"'
        )
    if reason := models.why_not(PHOTO_FILE if name == PHOTO else name):
        return f"'model' is {name!r}, which {reason.rstrip('.')}. It was found in {', '.join(places)}."
    return (
        f"'model' is {name!r}, which is not in the `{FOLDER}` model folders ({', '.join(places)}). Put it there, or "
        f"choose one of: {', '.join(model_names())}."
    )


def model_path(name: str) -> Path:
    """The file or folder of a choice. Raises CheckpointError as `why_not` says.

    Fetches the published files for the last choice; brings the photographic model up to date.
    """
    if reason := why_not(name):
        raise CheckpointError(reason)
    name = meant(name)
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name == DOWNLOAD:
        target = Path(folder_paths.get_folder_paths(FOLDER)[0]) / _DOWNLOADED
        download_vectors(target / "editings")
        return download_published(target)
    path = found().models[name]
    return refreshed(path, logger.warning) if name == PHOTO else path


def direction_folders(model: Path | None = None) -> tuple[Path, ...]:
    """Where directions are looked for: beside a model (or in its folder), then in all `sfe` model folders."""
    own = [] if model is None else [model, model.parent] if model.is_dir() else [model.parent]
    places = [*own, *map(Path, folder_paths.get_folder_paths(FOLDER))]
    return tuple(dict.fromkeys(place for place in places if place.is_dir()))
