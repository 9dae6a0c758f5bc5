"""Tensors as pickles describe them: a storage, and how it is seen. Rebuilt here with every bound checked."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping

import torch
from torch import Tensor

from .stand_ins import InertUnpickler

# What pickles call a storage of numbers.
STORAGES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}


def rebuild_tensor(storage: Tensor, offset: int, size: tuple, stride: tuple, *_grad_and_hooks: object) -> Tensor:
    """Stand for `torch._utils._rebuild_tensor_v2`. Raises ValueError for what lies outside of the storage."""
    offset, size, stride = int(offset), tuple(map(int, size)), tuple(map(int, stride))
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if offset < 0 or min((*size, *stride), default=0) < 0 or (math.prod(size) and last >= storage.numel()):
        raise ValueError(f"tensor of shape {size} in a storage of {storage.numel()} values")
    return storage.as_strided(size, stride, offset)


class ArchiveUnpickler(InertUnpickler):
    """Unpickle `data.pkl` of an archive of torch.save or TorchScript, with storages from beside it.

    The table's stand-ins for names of storages are these names.
    """

    def __init__(self, archive: zipfile.ZipFile, table: Mapping[tuple[str, str], object]):
        inside = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        super().__init__(archive.open(inside), table)
        self._archive, self._folder = archive, inside.removesuffix("data.pkl")
        self._storages: dict[str, Tensor] = {}
        if f"{self._folder}byteorder" in archive.namelist():
            order = archive.read(f"{self._folder}byteorder")
            if order != b"little":
                raise ValueError(f"byte order {order[:16]!r}; only little-endian files are read")

    def persistent_load(self, pid: tuple) -> Tensor:
        kind, storage, key, _location, count = pid
        if kind != "storage" or not str(key).isalnum():
            raise ValueError(f"unknown reference {pid!r}")
        if key not in self._storages:
            dtype = STORAGES[storage]
            data = bytearray(self._archive.read(f"{self._folder}data/{key}"))
            if len(data) != count * dtype.itemsize:
                raise ValueError(f"storage {key} has {len(data)} bytes, expected {count * dtype.itemsize}")
            self._storages[key] = torch.frombuffer(data, dtype=dtype) if count else torch.empty(0, dtype=dtype)
        return self._storages[key]
