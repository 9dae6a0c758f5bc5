"""Where the photographic model lies on this machine, and where it is put if nobody names a folder."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import CheckpointError

# What a person names it by, and its file in a models folder.
PHOTO, PHOTO_FILE = "photo", "sfe-photo.safetensors"
# The gradual model around it, which the package brings without its generator.
PHOTO_GRADUAL = "photo-gradual"
# The environment's variable that names the models folder.
VARIABLE = "SFE_MODELS"
_PACKAGE = Path(__file__).absolute().parents[1]


def models_folder(package: Path = _PACKAGE) -> Path:
    """Return where downloads go that no option places.

    SFE_MODELS if that is set; ComfyUI's models/sfe if the package lies in its custom_nodes; else a folder in the
    user's cache.
    """
    if place := os.environ.get(VARIABLE):
        return Path(place)
    pack = package.parent
    if pack.parent.name == "custom_nodes":
        return pack.parents[1] / "models" / "sfe"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stylefeatureeditor"


def installed_photo() -> Path | None:
    """Find the photographic model, in the folder `models` here or in `models_folder`; None if it was not fetched."""
    places = (Path("models") / PHOTO_FILE, models_folder() / PHOTO_FILE)
    return next((path for path in places if path.is_file()), None)


def photo_bundle() -> Path:
    """Return the file of the photographic model. Raises CheckpointError that says what to run."""
    path = installed_photo()
    if path is None:
        raise CheckpointError(
            f"The model '{PHOTO}' is not on this machine: there is no {PHOTO_FILE} in models or {models_folder()}. "
            f"Fetch it once with `python -m sfe_models download {PHOTO}`."
        )
    return path
