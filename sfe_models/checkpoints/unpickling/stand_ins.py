"""What stands for the callables that a pickle names while it is read: inert records and numbers, nothing that runs."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping
from typing import BinaryIO

import numpy as np

from ..errors import CheckpointError


class RefusedGlobal(Exception):
    """Carry the name of a global that is not in the table below."""


class Function:
    """Stand for one callable of the table and refuse the state that a crafted pickle may set on it."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable):
        self._call = call

    def __call__(self, *args: object) -> object:
        return self._call(*args)

    def __setstate__(self, state: object):
        raise pickle.UnpicklingError("state given to a function")


class NumpyDtype:
    """Stand for a pickled `numpy.dtype` of a plain number, in either byte order.

    Raises ValueError for everything else: object and structured types are how a crafted file
    reaches numpy's internals.
    """

    def __init__(self, name: str, align: object = False, copy: object = False):
        if not re.fullmatch(r"[biufc]\d{1,2}", name):
            raise ValueError(f"numpy type {name!r} is not a plain number")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple):
        _version, byte_order, *structure = state
        if any(part is not None for part in structure[:3]):
            raise ValueError("structured numpy types are not read")
        self.dtype = self.dtype.newbyteorder(byte_order)


def numpy_scalar(dtype: NumpyDtype, data: bytes) -> bool | int | float | complex:
    """Return the Python number that a pickled numpy scalar holds."""
    if len(data) != dtype.dtype.itemsize:
        raise ValueError(f"numpy scalar of {len(data)} bytes, expected {dtype.dtype.itemsize}")
    return np.frombuffer(data, dtype.dtype)[0].item()


def encoded(text: str, encoding: str) -> bytes:
    """Stand for `_codecs.encode`, by which the older protocols write bytes."""
    if encoding != "latin1":
        raise ValueError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


class DroppedArray:
    """Stand for a numpy array: only attributes that nobody reads are arrays, so the values are dropped."""

    def __init__(self, *args: object):
        pass

    def __setstate__(self, state: object):
        pass


class InertUnpickler(pickle.Unpickler):
    """Unpickle with the stand-ins of a table, (module, name) -> stand-in, and nothing else.

    Raises RefusedGlobal for every other name.
    """

    def __init__(self, file: BinaryIO, table: Mapping[tuple[str, str], object]):
        super().__init__(file)
        self._table = table

    def find_class(self, module: str, name: str) -> object:
        try:
            return self._table[module, name]
        except KeyError:
            raise RefusedGlobal(f"{module}.{name}") from None


# Whose classes a module has that was saved whole: torch's, and the training code's of NVlabs and those who build on it.
_OF_MODULES = ("torch", "torch_utils", "training", "dnnlib")


def refused(path: object, name: str) -> CheckpointError:
    """Describe a file that names code outside of what checkpoints need."""
    if name.split(".")[0] in _OF_MODULES:
        return CheckpointError(
            f"{path} holds more than weights: it names {name}, as a module does that was saved whole. Nothing of it "
            "was run. Save its weights in the program that made it: torch.save(module.state_dict(), FILE)."
        )
    return CheckpointError(
        f"{path} would run {name}, refused; expected nothing but tensors and plain values. "
        "Nothing was run. The file may be malicious: get it from its authors."
    )
