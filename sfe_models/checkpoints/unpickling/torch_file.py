"""Read files of torch.save.

Needs torch >= 2.6: older releases of `torch.load(weights_only=True)` can be made to run code
(CVE-2025-32434) and do not know renamed safe globals.
"""

from __future__ import annotations

import argparse
import math
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import torch

from ..containers import damaged, sniff, wrong_container
from ..errors import CheckpointError
from .stand_ins import refused

# How a network of StyleGAN2-ADA's training code appears that was saved whole, as PTI does.
WHOLE_NETWORK = "torch_utils.persistence._reconstruct_persistent_obj"


class WholeNetworkError(CheckpointError):
    """A file of torch.save that holds a network itself; `read_network_pickle` reads it."""


class _NoArray:
    """Stand for the class that a pickled numpy array names."""


class _Array:
    """Stand for a numpy array while its file is read; the numbers come with the state."""

    def __init__(self, *_class_shape_and_typecode: object):
        self.tensor: torch.Tensor | None = None

    def __setstate__(self, state: tuple):
        _version, shape, dtype, fortran_order, data = state
        if not isinstance(dtype, np.dtype) or dtype.kind not in "biuf" or not isinstance(data, bytes):
            raise ValueError("an array of something else than plain numbers")
        if len(data) != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"array of shape {tuple(shape)} with {len(data)} bytes")
        values = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")
        self.tensor = torch.from_numpy(values.astype(dtype.newbyteorder("=")))


def _with_tensors(content: object) -> object:
    """Put tensors in the place of numpy arrays, in a file that is one and in the mappings of others."""
    if isinstance(content, _Array):
        if content.tensor is None:
            raise ValueError("a numpy array without its numbers")
        return content.tensor
    if isinstance(content, dict):
        for key, value in content.items():
            content[key] = _with_tensors(value)
    return content


# numpy renamed `core` to `_core` in 2.0; files carry the name of the version that wrote them.
_numpy_scalar = np.float64(0).__reduce__()[0]
_SAFE_GLOBALS = [
    argparse.Namespace,
    np.dtype,
    *(type(np.dtype(name)) for name in ("bool", "int32", "int64", "float32", "float64")),
    (_numpy_scalar, "numpy.core.multiarray.scalar"),
    (_numpy_scalar, "numpy._core.multiarray.scalar"),
    (_Array, "numpy.core.multiarray._reconstruct"),
    (_Array, "numpy._core.multiarray._reconstruct"),
    (_NoArray, "numpy.ndarray"),
]


def refused_global(error: Exception) -> str | None:
    """Return the global that torch's weights-only unpickler refused, None for other errors."""
    if not isinstance(error, pickle.UnpicklingError):
        return None
    match = re.search(r"GLOBAL (\S+)|but got <class '([\w.]+)'>", str(error))
    return (match[1] or match[2]) if match else None


def read_torch(path: str | Path) -> object:
    """Read a torch.save file onto the CPU, memory-mapped where its format allows.

    Besides tensors and containers only `argparse.Namespace`, numpy numbers and arrays of them, which become tensors,
    are accepted.
    Raises CheckpointError for everything else; nothing in the file is ever run.
    """
    file = sniff(path)
    expected = "a checkpoint written by torch.save"
    if file.kind not in ("torch-zip", "torch-legacy"):
        raise wrong_container(file, expected)
    try:
        with torch.serialization.safe_globals(_SAFE_GLOBALS):
            mapped = file.kind == "torch-zip" and _is_stored(path)
            return _with_tensors(torch.load(path, map_location="cpu", weights_only=True, mmap=mapped))
    except Exception as error:  # a crafted file can raise anything
        name = refused_global(error)
        if name == WHOLE_NETWORK and file.kind == "torch-zip":
            raise WholeNetworkError(
                f"{path} holds a whole StyleGAN2-ADA network; expected weights alone. Give it where a generator is "
                "asked for, or save torch.save(module.state_dict(), FILE)."
            ) from error
        raise (refused(path, name) if name else damaged(path, expected, error)) from error


def _is_stored(path: str | Path) -> bool:
    # A re-zipped checkpoint may be compressed; mapping it would give the compressed bytes.
    with zipfile.ZipFile(path) as archive:
        return all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
