"""Read pickles that hold nothing but numpy arrays, without numpy's own unpickling and without running anything.

StyleCLIP's `S_mean_std` is such a file; a direction that somebody pickled is another.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..containers import damaged, sniff, wrong_container
from .stand_ins import Function, InertUnpickler, NumpyDtype, RefusedGlobal, encoded, refused

T = TypeVar("T")


class _Array:
    """Stand for a numpy array while its pickle is read; `values` comes with the state."""

    __slots__ = ("values",)

    def __init__(self, *_class_shape_and_typecode: object):
        self.values: np.ndarray | None = None

    def __setstate__(self, state: tuple):
        _version, shape, dtype, fortran_order, data = state
        if not isinstance(dtype, NumpyDtype) or not isinstance(data, bytes):
            raise ValueError("an array of something else than plain numbers")
        if len(data) != math.prod(shape) * dtype.dtype.itemsize:
            raise ValueError(f"array of shape {tuple(shape)} with {len(data)} bytes")
        order = "F" if fortran_order else "C"
        self.values = np.frombuffer(data, dtype.dtype).reshape(shape, order=order).copy()


# Everything that such a pickle may name; numpy renamed `core` to `_core` in 2.0.
_TABLE = {
    ("numpy", "dtype"): Function(NumpyDtype),
    ("numpy", "ndarray"): None,
    ("_codecs", "encode"): Function(encoded),
    ("numpy.core.multiarray", "_reconstruct"): Function(_Array),
    ("numpy._core.multiarray", "_reconstruct"): Function(_Array),
}


def read_array_lists(path: str | Path, expected: str) -> list[list[np.ndarray]]:
    """Read a pickle of lists of arrays of numbers.

    expected: what the file should be, for errors. Raises CheckpointError for everything else; nothing in the
    file is ever run.
    """
    return _read(path, expected, lambda content: [[_values(array) for array in part] for part in content])


def read_arrays(path: str | Path, expected: str) -> dict[str, np.ndarray]:
    """Read a pickle of one array of numbers, under the empty name, or of a dictionary of them. Raises as above."""

    def named(content: object) -> dict[str, np.ndarray]:
        parts = content if isinstance(content, dict) else {"": content}
        return {str(name): _values(array) for name, array in parts.items()}

    return _read(path, expected, named)


def _read(path: str | Path, expected: str, arranged: Callable[[object], T]) -> T:
    file = sniff(path)
    if file.kind != "pickle":
        raise wrong_container(file, expected)
    try:
        with open(path, "rb") as file:
            content = InertUnpickler(file, _TABLE).load()
        return arranged(content)
    except RefusedGlobal as error:
        raise refused(path, str(error)) from error
    except Exception as error:  # a crafted pickle can raise anything
        raise damaged(path, expected, error) from error


def _values(array: object) -> np.ndarray:
    if not isinstance(array, _Array) or array.values is None:
        raise ValueError(f"a {type(array).__name__} in the place of an array")
    return array.values
