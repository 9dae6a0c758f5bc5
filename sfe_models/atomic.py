"""Write files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from .checksums import with_checksums

_CURE = "Give a path that can be written to."


class WriteError(OSError):
    """Say which file cannot be written, and why."""


@contextmanager
def replaced(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside `path`, and put what was written there in its place at the end.

    A link is followed. Missing folders are made. On any error the temporary file goes, folders that were made go, and
    an older file stays; an OSError of the system becomes a WriteError with the target's name in it, one of a connection
    or of a library is raised as it is.
    """
    path = Path(path)
    target = Path(os.path.realpath(path)) if os.path.islink(path) else path
    whole = zlib.crc32(os.fsencode(target.name))  # files whose long names begin alike may be written together
    temporary = target.with_name(f".{target.name[:30]}.{whole:08x}.{os.getpid()}.part")
    try:
        with new_folders(target.parent):
            yield temporary
            os.replace(temporary, target)
    except OSError as error:
        # Of the system, or told by its text alone, as Pillow and safetensors do; an own class has its own sentence.
        if type(error).__module__ != "builtins" or isinstance(error, ConnectionError | TimeoutError):
            raise
        raise WriteError(f"Cannot write {path}: {error.strerror or error}. {_CURE}") from error
    finally:
        with contextlib.suppress(OSError):  # a file system that is read-only refuses this too
            temporary.unlink()


@contextmanager
def new_folders(folder: Path) -> Iterator[None]:
    """Make a folder and those around it; those that were made and are empty go again on an error. Raises OSError."""
    made = []
    try:
        made = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for place in made:
            with contextlib.suppress(OSError):  # only empty ones
                place.rmdir()
        raise


def check_writable(path: Path | str) -> None:
    """Raise the WriteError that writing a file would end with, as far as it can be told without writing."""
    path = Path(path)
    try:
        place = next(parent for parent in path.absolute().parents if parent.exists())
        folder = path.is_dir()
    except OSError as error:
        raise WriteError(f"Cannot write {path}: {error.strerror}. {_CURE}") from error
    if folder:
        reason = "it is a folder"
    elif not place.is_dir():
        reason = f"{place} is a file"
    elif not os.access(place, os.W_OK | os.X_OK):
        reason = f"nothing may be written in {place}"
    else:
        return
    raise WriteError(f"Cannot write {path}: {reason}. {_CURE}")


def save_tensors(tensors: dict[str, Tensor], path: Path | str, metadata: dict[str, str] | None = None) -> Path:
    """Write one safetensors file with checksums, whole or not at all. Raises OSError."""
    with replaced(path) as temporary:
        write_tensors(tensors, temporary, metadata)
    return Path(path)


def write_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write one safetensors file with checksums, to a temporary path of `replaced`. Raises OSError."""
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    try:
        save_file(tensors, path, with_checksums(tensors, metadata or {}))
        path.chmod(0o666 & ~_umask())  # the format's own writer lets nobody else read
    except SafetensorError as error:
        raise OSError(str(error)) from error


def save_torch(content: Mapping, path: Path | str) -> Path:
    """Write a file of torch.save, whole or not at all. Raises OSError, also for the RuntimeError of a full disk."""
    with replaced(path) as temporary:
        try:
            with open(temporary, "wb") as file:  # closed at once, or Windows would not let it go
                torch.save(content, file)
        except RuntimeError as error:
            raise OSError(f"{str(error).splitlines()[0]} (is the disk full?)") from error
    return Path(path)


def _umask() -> int:
    """Read the process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
