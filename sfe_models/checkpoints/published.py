"""The files published with StyleFeatureEditor, and how they come to this machine."""

from __future__ import annotations

from pathlib import Path

from .download import download

REPOSITORY = "AIRI-Institute/StyleFeatureEditor"
_FOLDER = "pretrained_models"
MODEL_FILES = ("stylegan2-ffhq-config-f.pt", "e4e_ffhq_encode.pt", "sfe_editor_light.pt")
MAPPERS = (
    "afro", "angry", "beyonce", "bobcut", "bowlcut", "curly_hair", "depp", "hilary_clinton", "mohawk",
    "purple_hair", "surprised", "taylor_swift", "trump", "zuckerberg",
)  # fmt: skip


def download_published(folder: Path | str, mappers: bool = False, progress: bool = True) -> Path:
    """Fetch the files that editing needs and return the folder that holds them.

    mappers: the StyleCLIP latent mappers too. Files that are there already are kept. Raises DownloadError that
    names the address, the place, and the manual way.
    """
    names = MODEL_FILES + (tuple(f"styleclip_mappers/{name}.pt" for name in MAPPERS) if mappers else ())
    for name in names:
        download(REPOSITORY, f"{_FOLDER}/{name}", folder, progress=progress)
    return Path(folder) / _FOLDER
