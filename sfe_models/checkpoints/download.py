"""Download checkpoint files: resumable, verified, and never half-written at their final name.

`huggingface_hub.hf_hub_download` is not used: it deletes an outdated target before the new file
has come, and recent releases start from zero after an interruption. It still says where the file
is, how large it is and what its hash is, and brings the user's token, endpoint and offline mode.
"""

import hashlib
import http.client
import logging
import os
import re
import urllib.error
import urllib.request
from pathlib import Path

from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.utils import build_hf_headers
from tqdm import tqdm

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 1 << 20


class DownloadError(OSError):
    """Say why a download failed, from which URL to which path, and how to do it by hand."""


def download(
    repo_id: str,
    filename: str,
    folder: str | Path,
    *,
    revision: str | None = None,
    sha256: str | None = None,
    size: int | None = None,
    progress: bool = True,
) -> Path:
    """Fetch `filename` of a Hugging Face model repository to `folder/filename` and return that path.

    sha256, size: what the file must be; the server's own values where they are not given. A target
    that fits is not fetched again. If the server cannot be asked, a present target of which nothing
    is known is taken as it is, with a warning. Raises DownloadError.
    """
    url = hf_hub_url(repo_id, filename, revision=revision)
    target = Path(folder) / filename
    known = sha256 is not None or size is not None
    try:
        if known and _fits(target, sha256, size):
            return target
        metadata = get_hf_file_metadata(url)
    except Exception as error:  # the HTTP library behind huggingface_hub changes with its releases
        if not known and target.is_file():
            logger.warning("%s was not verified: %s", target, error)
            return target
        raise _failure(url, target, error) from error
    if sha256 is None and re.fullmatch("[0-9a-f]{64}", metadata.etag or ""):
        sha256 = metadata.etag  # files in LFS only; the tags of others are git's hashes
    if size is None:
        size = metadata.size
    return _fetch(url, target, sha256, size, progress, build_hf_headers())


def fetch_url(
    url: str, path: str | Path, *, sha256: str | None = None, size: int | None = None, progress: bool = True
) -> Path:
    """Fetch an http(s) URL to `path` and return it.

    An interrupted download stays at `<path>.part`. It is continued if sha256 is given; otherwise
    nothing could tell whether both parts belong together, and it starts again. A present file is
    not fetched again unless it differs from sha256 or size. Raises DownloadError.
    """
    return _fetch(url, Path(path), sha256, size, progress, {})


def _fetch(
    url: str, target: Path, sha256: str | None, size: int | None, progress: bool, headers: dict[str, str]
) -> Path:
    part = target.with_name(f"{target.name}.part")
    try:
        if _fits(target, sha256, size):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        if sha256 is None:
            part.unlink(missing_ok=True)
        _stream(url, part, progress, headers)
        difference = _difference(part, sha256, size)
        if difference:
            part.unlink()
            raise OSError(f"the file that came was corrupt and is deleted: {difference}")
        os.replace(part, target)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _failure(url, target, error) from error
    return target


def _stream(url: str, part: Path, progress: bool, headers: dict[str, str]) -> None:
    if not url.startswith(("https://", "http://")):
        raise ValueError("the URL is neither https nor http")
    offset = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "sfe_models"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    for name, value in headers.items():
        request.add_unredirected_header(name, value)  # a token must not reach the storage's host
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all bytes are there, or more: its hash decides
        raise
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            offset = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            raise OSError(f"the server answered with another range than the one from byte {offset}")
        length = response.headers.get("Content-Length")
        total = offset + int(length) if length else None
        bar = tqdm(total=total, initial=offset, unit="B", unit_scale=True, desc=part.stem, disable=not progress)
        with bar, open(part, "ab" if offset else "wb") as file:
            while chunk := response.read(_CHUNK_BYTES):
                file.write(chunk)
                bar.update(len(chunk))
    received = part.stat().st_size
    if total is not None and received < total:
        raise OSError(f"the connection ended after {received} of {total} bytes; try again")


def _fits(path: Path, sha256: str | None, size: int | None) -> bool:
    return path.is_file() and _difference(path, sha256, size) is None


def _difference(path: Path, sha256: str | None, size: int | None) -> str | None:
    actual_size = path.stat().st_size
    if size is not None and actual_size != size:
        return f"{actual_size} bytes, expected {size}"
    if sha256 is None:
        return None
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    actual = digest.hexdigest()
    return None if actual == sha256.lower() else f"SHA-256 {actual}, expected {sha256}"


def _failure(url: str, target: Path, error: Exception) -> DownloadError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return DownloadError(
        f"Could not download {url} to {target}: {reason}. "
        f"Check the connection and the disk, or download it yourself from {url} and put it at {target}."
    )
