"""Recognise what kind of file a path leads to, from its contents and never from its name."""

from __future__ import annotations

import os
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path

from .errors import CheckpointError

# What sniff() can answer -> how an error describes such a file and what it advises.
_CONTAINERS = {
    "torch-zip": ("a torch.save file", "Read it as a torch checkpoint."),
    "torch-legacy": ("a torch.save file of the old format", "Read it as a torch checkpoint."),
    "torchscript": (
        "a TorchScript archive, which carries a program",
        "Programs from checkpoints are never run: use the file with the plain state dict.",
    ),
    "safetensors": ("a safetensors file", "Read it as safetensors."),
    "pickle": ("a plain pickle", "Only StyleGAN2-ADA network pickles are read, as network pickles."),
    "npy": ("a numpy array file", "Give it where a .npy file is asked for."),
    "npz": ("a numpy archive", "Save the one array in it that is meant with numpy.save."),
    "html": (
        "a saved web page, probably the error or login page of a failed download",
        "Download the file again.",
    ),
    "git-lfs-pointer": ("a Git LFS pointer, not the file itself", "Run `git lfs pull` or download the file."),
    "empty": ("empty", "Download it again."),
    "unknown": ("of no known kind", "Check that it is the right file, or download it again."),
}

_TORCH_MAGIC = b"\x8a\n" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little")  # torch/serialization.py
_SAFETENSORS_MAX_HEADER = 100_000_000  # limit of the safetensors format


@dataclass(frozen=True)
class Sniffed(os.PathLike):
    """A path whose file was looked at, and what was seen. It serves as a path, and is not looked at again."""

    path: Path
    kind: str

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def __str__(self) -> str:
        return str(self.path)


def sniff(path: str | Path | Sniffed) -> Sniffed:
    """Recognise the container of a file from its contents, never from its name; once.

    Its kind is "torch-zip", "torch-legacy", "torchscript", "safetensors", "pickle", "npy", "npz", "html",
    "git-lfs-pointer", "empty" or "unknown". A damaged file may still be recognised.
    Raises CheckpointError when there is no readable file.
    """
    return path if isinstance(path, Sniffed) else Sniffed(Path(path), _kind(path))


def _kind(path: str | Path) -> str:
    try:
        with open(path, "rb") as file:
            head = file.read(1024)
    except FileNotFoundError:
        what = f"is a link to {os.readlink(path)}, which is not there" if os.path.islink(path) else "does not exist"
        raise CheckpointError(
            f"{path} {what}; expected a checkpoint file. Check the path or download the file."
        ) from None
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read ({error.strerror}); expected a checkpoint file. "
            "Give the path of a file that you may read."
        ) from error
    if not head:
        return "empty"
    if head.startswith(b"PK\x03\x04"):
        return _sniff_zip(path, head)
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith(b"version https://git-lfs.github.com/spec/"):
        return "git-lfs-pointer"
    # Before pickles: the length of a header can begin as they do.
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _SAFETENSORS_MAX_HEADER:
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "torch-legacy" if _TORCH_MAGIC in head[:32] else "pickle"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        return "html"
    return "unknown"


def _sniff_zip(path: str | Path, head: bytes) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.namelist()
        if entries and all(name.endswith(".npy") for name in entries):
            return "npz"
        names = {name.partition("/")[2] for name in entries}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        # The directory stands at the end, so a truncated archive has none: ask the first entry.
        name_length = int.from_bytes(head[26:28], "little")
        names = {head[30 : 30 + name_length].decode("latin1").partition("/")[2]}
    if "constants.pkl" in names:
        return "torchscript"
    return "torch-zip" if "data.pkl" in names else "unknown"


def wrong_container(file: Sniffed, expected: str) -> CheckpointError:
    """Describe a file whose container is not the expected one."""
    found, advice = _CONTAINERS[file.kind]
    return CheckpointError(f"{file} is {found}; expected {expected}. {advice}")


def damaged(path: str | Path, expected: str, error: Exception) -> CheckpointError:
    """Describe a file of the right container that its reader could not take."""
    # torch wraps the reason into the advice to load without any protection.
    cause = error.__context__ if isinstance(error, pickle.UnpicklingError) and error.__context__ else error
    reason = (str(cause).splitlines() or [""])[0]
    return CheckpointError(
        f"{path} is damaged or incomplete ({type(cause).__name__}: {reason}); expected {expected}. "
        "Compare its size with the original and download it again."
    )
