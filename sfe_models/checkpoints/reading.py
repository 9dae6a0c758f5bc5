"""Read checkpoint files from unknown sources without running anything that they contain.

Needs torch >= 2.6: older releases of `torch.load(weights_only=True)` can be made to run code
(CVE-2025-32434) and do not know renamed safe globals.
"""

import argparse
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors
import torch
from torch import Tensor

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


# numpy renamed `core` to `_core` in 2.0; files carry the name of the version that wrote them.
_numpy_scalar = np.float64(0).__reduce__()[0]
_SAFE_GLOBALS = [
    argparse.Namespace,
    np.dtype,
    *(type(np.dtype(name)) for name in ("bool", "int32", "int64", "float32", "float64")),
    (_numpy_scalar, "numpy.core.multiarray.scalar"),
    (_numpy_scalar, "numpy._core.multiarray.scalar"),
]


def sniff(path: str | Path) -> str:
    """Recognise the container of a file from its contents, never from its name.

    Returns "torch-zip", "torch-legacy", "torchscript", "safetensors", "pickle", "npy", "html",
    "git-lfs-pointer", "empty" or "unknown". A damaged file may still be recognised.
    Raises CheckpointError when there is no readable file.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(1024)
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} does not exist; expected a checkpoint file. Check the path or download the file."
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
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "torch-legacy" if _TORCH_MAGIC in head[:32] else "pickle"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        return "html"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _SAFETENSORS_MAX_HEADER:
        return "safetensors"
    return "unknown"


def _sniff_zip(path: str | Path, head: bytes) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[2] for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        # The directory stands at the end, so a truncated archive has none: ask the first entry.
        name_length = int.from_bytes(head[26:28], "little")
        names = {head[30 : 30 + name_length].decode("latin1").partition("/")[2]}
    if "constants.pkl" in names:
        return "torchscript"
    return "torch-zip" if "data.pkl" in names else "unknown"


def wrong_container(path: str | Path, kind: str, expected: str) -> CheckpointError:
    """Describe a file whose container, as named by `sniff`, is not the expected one."""
    found, advice = _CONTAINERS[kind]
    return CheckpointError(f"{path} is {found}; expected {expected}. {advice}")


def damaged(path: str | Path, expected: str, error: Exception) -> CheckpointError:
    """Describe a file of the right container that its reader could not take."""
    # torch wraps the reason into the advice to load without any protection.
    cause = error.__context__ if isinstance(error, pickle.UnpicklingError) and error.__context__ else error
    reason = (str(cause).splitlines() or [""])[0]
    return CheckpointError(
        f"{path} is damaged or incomplete ({type(cause).__name__}: {reason}); expected {expected}. "
        "Compare its size with the original and download it again."
    )


def refused_global(error: Exception) -> str | None:
    """Return the global that torch's weights-only unpickler refused, None for other errors."""
    match = re.search(r"GLOBAL (\S+)", str(error)) if isinstance(error, pickle.UnpicklingError) else None
    return match[1] if match else None


def would_run(path: str | Path, name: str) -> CheckpointError:
    """Describe a file that names code outside of what checkpoints need."""
    return CheckpointError(
        f"{path} would run {name}, refused; expected nothing but tensors and plain values. "
        "Nothing was run. The file may be malicious: get it from its authors."
    )


def read_torch(path: str | Path) -> object:
    """Read a torch.save file onto the CPU, memory-mapped where its format allows.

    Besides tensors and containers only `argparse.Namespace` and numpy numbers are accepted.
    Raises CheckpointError for everything else; nothing in the file is ever run.
    """
    kind = sniff(path)
    expected = "a checkpoint written by torch.save"
    if kind not in ("torch-zip", "torch-legacy"):
        raise wrong_container(path, kind, expected)
    try:
        with torch.serialization.safe_globals(_SAFE_GLOBALS):
            return torch.load(
                path, map_location="cpu", weights_only=True, mmap=kind == "torch-zip" and _is_stored(path)
            )
    except Exception as error:  # a crafted file can raise anything
        name = refused_global(error)
        raise (would_run(path, name) if name else damaged(path, expected, error)) from error


def _is_stored(path: str | Path) -> bool:
    # A re-zipped checkpoint may be compressed; mapping it would give the compressed bytes.
    with zipfile.ZipFile(path) as archive:
        return all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())


def tensors_of(mapping: object, path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a state dict, detached; other entries are left out.

    path: only for the error. Raises CheckpointError if it is no mapping with string keys, or
    if it holds no tensor.
    """
    expected = "expected a state dict (names and tensors). Check that this is the right file."
    if not isinstance(mapping, Mapping):
        raise CheckpointError(f"{path} holds a {type(mapping).__name__}; {expected}")
    for key in mapping:
        if not isinstance(key, str):
            raise CheckpointError(f"{path} holds an entry named {key!r}; {expected}")
    tensors = {key: value.detach() for key, value in mapping.items() if isinstance(value, Tensor)}
    if not tensors:
        raise CheckpointError(f"{path} holds no tensor, only {sorted(mapping)[:5]}; {expected}")
    return tensors


def read_numpy(path: str | Path) -> np.ndarray:
    """Read a .npy file of plain values. Raises CheckpointError, also for pickled objects."""
    kind = sniff(path)
    expected = "a .npy file of numbers"
    if kind != "npy":
        raise wrong_container(path, kind, expected)
    try:
        return np.load(path, allow_pickle=False)
    except Exception as error:  # a crafted header can raise anything
        raise damaged(path, expected, error) from error


def read_safetensors_header(path: str | Path) -> tuple[dict[str, str], dict[str, tuple[str, list[int]]]]:
    """Return the metadata and name -> (dtype, shape) of a safetensors file; no tensor is read.

    dtype: the format's own names, such as "F32". Raises CheckpointError.
    """
    kind = sniff(path)
    expected = "a safetensors file"
    if kind != "safetensors":
        raise wrong_container(path, kind, expected)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}
            tensors = {name: (part.get_dtype(), part.get_shape()) for name, part in slices.items()}
            return file.metadata() or {}, tensors
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise damaged(path, expected, error) from error
