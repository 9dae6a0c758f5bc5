"""Download files of the table of weights: resumable, verified, and never half-written at their final name.

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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

from .. import __version__
from ..atomic import new_folders
from .weights import WeightFile

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 1 << 20


class DownloadError(OSError):
    """Say why a download failed, from which URL to which path, and how to do it by hand."""


@dataclass(frozen=True)
class Identity:
    """What a file must be, as far as it is known.

    sha256: all digits or the first eight; size in bytes; blob: the name that git gives to the contents.
    """

    sha256: str | None = None
    size: int | None = None
    blob: str | None = None

    @property
    def content(self) -> bool:
        """Whether the contents are known, not only their length."""
        return self.sha256 is not None or self.blob is not None

    @property
    def known(self) -> bool:
        return self.content or self.size is not None

    def difference(self, path: Path) -> str | None:
        """Say how the file at `path` differs; None if it does not. Raises OSError where there is none."""
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f"{size} bytes, expected {self.size}"
        if self.sha256 is not None:
            found = _digest(path, hashlib.sha256())
            if not found.startswith(self.sha256.lower()):
                return f"SHA-256 {found}, expected {self.sha256}"
        if self.blob is not None:
            found = _digest(path, hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False))
            if found != self.blob:
                return f"git blob {found}, expected {self.blob}"
        return None

    def fits(self, path: Path) -> bool:
        return path.is_file() and self.difference(path) is None


UNKNOWN = Identity()


def identify(file: WeightFile) -> Identity:
    """Take what the table knows of a file."""
    return Identity(file.sha256, file.size, file.blob)


def fetch(file: WeightFile, folder: str | Path, progress: bool = True) -> Path:
    """Fetch a file to its place below `folder` and return that path: from Hugging Face, else from its address.

    What the table does not know of it, Hugging Face says. A target that fits is not fetched again; one of which
    nothing is known, while nobody can be asked, is taken as it is, with a warning. Raises DownloadError.
    """
    target, identity = Path(folder) / file.place, identify(file)
    if identity.known and identity.fits(target):
        return target
    if not file.hub:
        return _fetch_anew(file.address, target, identity, progress)
    try:
        return _fetch_from_hub(file, target, identity, progress)
    except DownloadError:
        if not file.address:
            raise
        logger.info("%s could not be fetched from Hugging Face; trying %s.", file.name, file.address)
    return _fetch_anew(file.address, target, identity, progress)


def _fetch_from_hub(file: WeightFile, target: Path, identity: Identity, progress: bool) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url  # a tenth of a second, of downloads alone
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(file.hub, file.hub_path or file.place)
    try:
        metadata = get_hf_file_metadata(url)
    except Exception as error:  # the HTTP library behind huggingface_hub changes with its releases
        if not identity.known and target.is_file():
            logger.warning("%s was not verified: %s", target, error)
            return target
        raise _failure(url, target, error) from error
    etag = metadata.etag if re.fullmatch("[0-9a-f]{64}", metadata.etag or "") else None  # others are git's hashes
    size = metadata.size if identity.size is None else identity.size
    found = Identity(identity.sha256 or etag, size, identity.blob)
    bring = _fetch_anew if identity.known else fetch_url  # what differed from the table is not looked at again
    return bring(url, target, found, progress, build_hf_headers())


def fetch_url(
    url: str,
    path: str | Path,
    identity: Identity = UNKNOWN,
    progress: bool = True,
    headers: dict[str, str] | None = None,
) -> Path:
    """Fetch an http(s) URL to `path` and return it.

    An interrupted download stays at `<path>.part`. It is continued if the contents' hash is known; otherwise nothing
    could tell whether both parts belong together, and it starts again. A present file is not fetched again unless it
    differs from what is known. Of processes that fetch the same file at once, one does. Folders that were made for
    nothing go again. Raises DownloadError.
    """
    target = Path(path)
    try:
        if identity.fits(target):
            return target
    except OSError as error:
        raise _failure(url, target, error) from error
    return _fetch_anew(url, target, identity, progress, headers)


def _fetch_anew(
    url: str, target: Path, identity: Identity, progress: bool, headers: dict[str, str] | None = None
) -> Path:
    """Fetch what is not at `target` yet; where another process brings it meanwhile, take that. As `fetch_url`."""
    part = target.with_name(f"{target.name}.part")
    try:
        before = _stamp(target)
        with new_folders(target.parent), _alone(part):
            if _stamp(target) != before and identity.fits(target):
                return target
            if not identity.content:
                part.unlink(missing_ok=True)
            _stream(url, part, progress, headers or {})
            difference = identity.difference(part)
            if difference:
                part.unlink()
                raise OSError(f"the file that came was corrupt and is deleted: {difference}")
            os.replace(part, target)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _failure(url, target, error) from error
    return target


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is replaced; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Let processes that fetch the same file take turns, each until it ends or dies; where the file system can."""
    lock = FileLock(f"{part}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        logger.warning("Another process fetches %s; waiting until it ends.", part.stem)
        lock.acquire()
    except (OSError, NotImplementedError):  # no locks there; what cannot be written either is said by what writes
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes it with the release
            os.unlink(lock.lock_file)
        lock.release()


def _stream(url: str, part: Path, progress: bool, headers: dict[str, str]) -> None:
    if not url.startswith(("https://", "http://")):
        raise ValueError("the URL is neither https nor http")
    offset = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": f"sfe_models/{__version__}"})
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


def _digest(path: Path, digest) -> str:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _failure(url: str, target: Path, error: Exception) -> DownloadError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return DownloadError(
        f"Could not download {url} to {target}: {reason}. "
        f"Check the connection and the disk, or download it yourself from {url} and put it at {target}."
    )
