"""Write files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from .checksums import with_checksums


@contextmanager
def replaced(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside `path`, and put what was written there in its place at the end.

    Missing folders are made. On any error the temporary file goes and an older file of that name stays; an
    OSError is raised anew with the target's name in it.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise OSError(f"Cannot write {path}: {reason}. Give a path that can be written to.") from error
    finally:
        if temporary.parent.is_dir():
            temporary.unlink(missing_ok=True)


def check_writable(path: Path | str) -> None:
    """Raise the OSError that writing a file would end with, as far as it can be told without writing."""
    path = Path(path)
    place = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir():
        reason = "it is a folder"
    elif not place.is_dir():
        reason = f"{place} is a file"
    elif not os.access(place, os.W_OK | os.X_OK):
        reason = f"nothing may be written in {place}"
    else:
        return
    raise OSError(f"Cannot write {path}: {reason}. Give a path that can be written to.")


def save_tensors(tensors: dict[str, Tensor], path: Path | str, metadata: dict[str, str] | None = None) -> Path:
    """Write one safetensors file with checksums, whole or not at all. Raises OSError."""
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    metadata = with_checksums(tensors, metadata or {})
    with replaced(path) as temporary:
        try:
            save_file(tensors, temporary, metadata)
            temporary.chmod(0o666 & ~_umask())  # the format's own writer lets nobody else read
        except SafetensorError as error:
            raise OSError(str(error)) from error
    return Path(path)


def _umask() -> int:
    """Read the process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
