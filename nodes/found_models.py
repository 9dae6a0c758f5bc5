"""What lies in ComfyUI's `sfe` model folders: bundles, folders of published files, directions.

ComfyUI lists the folders and remembers the listing until one changes; nothing here walks them again.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import folder_paths

from ..sfe_models.checkpoints.errors import CheckpointError
from ..sfe_models.checkpoints.load import DEMO_BUNDLE
from ..sfe_models.checkpoints.published import download_published, download_vectors
from ..sfe_models.checkpoints.weights import GENERATOR_MOBILE

FOLDER = "sfe"
DEMO = "demo"
DOWNLOAD = "ffhq-1024 (download)"
_DOWNLOADED = "ffhq-1024"
_BUNDLE, _PUBLISHED = ".safetensors", (".pt", ".pkl", ".pth")
# Files of that suffix, and folders, that hold something other than models.
_NO_BUNDLES = (".relevance.safetensors", f"{GENERATOR_MOBILE}.safetensors")
_NO_MODELS = {"directions", "editings", "styleclip_mappers", "interfacegan_directions", "ganspace_pca", "clip"}


def register_folder() -> None:
    """Add `models/sfe` to what extra_model_paths.yaml may have named already."""
    folder_paths.add_model_folder_path(FOLDER, os.path.join(folder_paths.models_dir, FOLDER))
    folder_paths.folder_names_and_paths[FOLDER][1].update((_BUNDLE, *_PUBLISHED))


def model_names() -> list[str]:
    """The choices of Load SFE: the built-in demo, bundles, folders of published files, the download."""
    bundles, folders = [], set()
    for name in folder_paths.get_filename_list(FOLDER):
        path = PurePosixPath(name.replace(os.sep, "/"))
        if _NO_MODELS.intersection(path.parts[:-1]) or path.name.endswith(_NO_BUNDLES):
            continue
        if path.suffix == _BUNDLE:
            bundles.append(str(path))
        elif len(path.parts) > 1:
            folders.add(f"{path.parent}/")
    return [DEMO, *sorted(bundles), *sorted(folders), DOWNLOAD]


def model_path(name: str) -> Path:
    """The file or folder of a choice; fetches the published files for the last one.

    Only what is listed can be named, so that nothing outside of the model folders is ever read.
    """
    if name == DEMO:
        return DEMO_BUNDLE
    if name == DOWNLOAD:
        target = Path(folder_paths.get_folder_paths(FOLDER)[0]) / _DOWNLOADED
        download_vectors(target / "editings")
        return download_published(target)
    if name not in model_names():
        raise CheckpointError(
            f"'model' is {name!r}, which is not in the `{FOLDER}` model folders ({_places()}). Choose one of: "
            f"{', '.join(model_names())}."
        )
    for place in folder_paths.get_folder_paths(FOLDER):
        path = Path(place) / name
        if path.exists():
            return path
    raise CheckpointError(f"The model {name!r} is gone from {_places()}; put it back or choose another.")


def _places() -> str:
    return ", ".join(folder_paths.get_folder_paths(FOLDER))


def direction_folders(model: Path | None = None) -> tuple[Path, ...]:
    """Where directions are looked for: beside a model (or in its folder), then in all `sfe` model folders."""
    own = [] if model is None else [model, model.parent] if model.is_dir() else [model.parent]
    places = [*own, *map(Path, folder_paths.get_folder_paths(FOLDER))]
    return tuple(dict.fromkeys(place for place in places if place.is_dir()))


def changed_at(path: Path) -> tuple:
    """What tells whether a file, or one directly in a folder, has changed."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.exists())
