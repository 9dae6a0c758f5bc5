"""The files published with StyleFeatureEditor, and how they come to this machine."""

from __future__ import annotations

from http.client import HTTPException
from pathlib import Path

from torch.hub import download_url_to_file

from ..atomic import replaced
from .download import DownloadError, download

REPOSITORY = "AIRI-Institute/StyleFeatureEditor"
_FOLDER = "pretrained_models"
MODEL_FILES = ("stylegan2-ffhq-config-f.pt", "e4e_ffhq_encode.pt", "sfe_editor_light.pt")
MAPPERS = (
    "afro", "angry", "beyonce", "bobcut", "bowlcut", "curly_hair", "depp", "hilary_clinton", "mohawk",
    "purple_hair", "surprised", "taylor_swift", "trump", "zuckerberg",
)  # fmt: skip

# Networks of the training losses: identity from the same repository, LPIPS from its authors and torchvision's.
IDENTITY_FILES = ("model_ir_se50.pth", "moco_v2_800ep_pretrain.pt")
LPIPS_ADDRESSES = {
    "alexnet-owt-7be5be79.pth": "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    "alex.pth": "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/alex.pth",
}


def download_loss_weights(folder: Path | str, progress: bool = True) -> Path:
    """Fetch LPIPS (AlexNet), ArcFace and MoCo weights for training; returns the folder to give as --weights.

    Files that are there already are kept. Raises DownloadError as `download_published` does.
    """
    target = Path(folder) / _FOLDER
    for name in IDENTITY_FILES:
        download(REPOSITORY, f"{_FOLDER}/{name}", folder, progress=progress)
    for name, address in LPIPS_ADDRESSES.items():
        if not (target / name).is_file():
            try:
                with replaced(target / name) as temporary:
                    download_url_to_file(address, str(temporary), progress=progress)
            except (OSError, HTTPException) as error:
                raise DownloadError(
                    f"{address} could not be fetched ({error}). Fetch it by hand and put it at {target / name}."
                ) from error
    return target


def download_published(folder: Path | str, mappers: bool = False, progress: bool = True) -> Path:
    """Fetch the files that editing needs and return the folder that holds them.

    mappers: the StyleCLIP latent mappers too. Files that are there already are kept. Raises DownloadError that
    names the address, the place, and the manual way.
    """
    names = MODEL_FILES + (tuple(f"styleclip_mappers/{name}.pt" for name in MAPPERS) if mappers else ())
    for name in names:
        download(REPOSITORY, f"{_FOLDER}/{name}", folder, progress=progress)
    return Path(folder) / _FOLDER
