"""Fetch the published vector files, once, from their public repository at a pinned commit."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..checkpoints.download import DownloadError, fetch_url

REPOSITORY = "ControlGenAI/StyleFeatureEditor"
COMMIT = "00996c309ba5f04eec9ad7456f521e1501f7cc67"
BASE_URL = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}/editings"


@dataclass(frozen=True)
class PublishedFile:
    """One file of the repository's `editings` folder, at the same place below the user's folder.

    Either sha256 and size in bytes are known, or the identity that git gives the file (blob).
    """

    path: str
    sha256: str | None = None
    size: int | None = None
    blob: str | None = None


VECTORS = (
    PublishedFile(
        "interfacegan_directions/age.pt",
        "50074516b1629707d89b5e43d6b8abd1792212fa3b961a87a11323d6a5222ae0",
        2808,
    ),
    PublishedFile(
        "interfacegan_directions/rotation.pt",
        "9ef9787ac6b7b37940e47fef22e78cbbe5aeae2e566c0b391bf279f3264b1d1c",
        2808,
    ),
    PublishedFile(
        "interfacegan_directions/smile.pt",
        "817a7e732b59dee9eba862bec8bd7e8373568443bc9f9731a21cf9b0356f0653",
        2808,
    ),
    PublishedFile(
        "bound/Eyeglasses_boundary.npy",
        "227c8edae45f8cf06a0578e8422ef2dc59de6fb741d55280746a63fd40d2936c",
        36992,
    ),
    PublishedFile(
        "bound/Heavy_Makeup_boundary.npy",
        "dbd6336240825cf1a8077c5e40bde544ebd6b7c300ee76e28991e8e2d892030d",
        36992,
    ),
    PublishedFile(
        "bound/Smiling_boundary.npy",
        "5782190b00340d58f8418885dc9ad9ab53462874d7a9a1b91241e76099c9fc22",
        36992,
    ),
    PublishedFile(
        "ganspace_pca/cars_pca.pt", "a5c3bae61ecd85de077fbbf103f5f30cf4b7676fe23a8508166eaf2ce73c8392", 167562
    ),
    PublishedFile(
        "ganspace_pca/ffhq_pca.pt", "4d7f9df1c96180d9026b9cb8d04753579fbf385f321a9d0e263641601c5e5d36", 167562
    ),
)
# What StyleCLIP global directions for FFHQ 1024 need besides CLIP.
_GLOBAL = "styleclip/global_mapper_data"
STYLECLIP_GLOBAL = (
    PublishedFile(f"{_GLOBAL}/S_mean_std", "d35879347e5df307287404d08b9166c4e304c544c07e5c0d345d346bde77656f", 75092),
    PublishedFile(f"{_GLOBAL}/templates.txt", "9cf11dc6bfc24c775bd4a500a616fde36d9f19a7c61234bdd111606bd649a0ef", 1727),
    PublishedFile(f"{_GLOBAL}/delta_i_c.npy", blob="ef9dc0a49a4e2ffe1c81b8632baab6e3a4466726"),
)


def fetch_published(
    folder: Path | str,
    files: Sequence[PublishedFile] = VECTORS,
    base_url: str = BASE_URL,
    progress: bool = True,
) -> list[Path]:
    """Fetch files into `folder`, which then serves as a directions folder; present, verified ones stay.

    Interrupted downloads go on where they stopped if the file's sha256 is known. Raises DownloadError that
    lists every file still missing, with where to get it and where to put it.
    """
    folder = Path(folder)
    paths = []
    for number, file in enumerate(files):
        target = folder / file.path
        try:
            if file.blob is None:
                fetch_url(f"{base_url}/{file.path}", target, sha256=file.sha256, size=file.size, progress=progress)
            elif not _is_blob(target, file.blob):
                _fetch_blob(f"{base_url}/{file.path}", target, file.blob, progress)
        except DownloadError as error:
            missing = "\n".join(f"  {base_url}/{f.path} -> {folder / f.path}" for f in files[number:])
            raise DownloadError(
                f"{error}\nWithout a connection, fetch these elsewhere and place each at the path beside it:\n{missing}"
            ) from error
        paths.append(target)
    return paths


def _fetch_blob(url: str, target: Path, blob: str, progress: bool) -> None:
    """Fetch beside the target, so that a present file stays until a verified one takes its place."""
    arrived = target.with_name(f"{target.name}.unverified")
    arrived.unlink(missing_ok=True)
    fetch_url(url, arrived, progress=progress)
    if not _is_blob(arrived, blob):
        arrived.unlink()
        raise DownloadError(f"{url} came corrupt and is deleted; try again.")
    os.replace(arrived, target)


def _is_blob(path: Path, blob: str) -> bool:
    """Whether a file is there and has the identity that git gives to its contents."""
    if not path.is_file():
        return False
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == blob
