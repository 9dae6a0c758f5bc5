"""Weights out of TorchScript archives, without running the program that such an archive carries.

`torch.jit.load` compiles and runs what is in the file. Here only its pickle of modules is read, by an unpickler that
knows tensors and containers and takes every class of the archive for an inert record; the code beside it is never
opened. The network is this repository's own.
"""

from __future__ import annotations

import math
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor

from ..containers import damaged, sniff, wrong_container
from ..errors import CheckpointError
from .stand_ins import RefusedGlobal, would_run

_EXPECTED = "a TorchScript archive with named weights"
_STORAGES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}
_DEEPEST = 64


class _Record:
    """Stand for a module of the archive: its attributes and nothing else."""

    state: object = None

    def __setstate__(self, state: object):
        self.state = state


def _rebuilt(storage: Tensor, offset: int, size: tuple, stride: tuple, *_: object) -> Tensor:
    size, stride = tuple(map(int, size)), tuple(map(int, stride))
    last = int(offset) + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if offset < 0 or min((*size, *stride), default=0) < 0 or (math.prod(size) and last >= storage.numel()):
        raise ValueError(f"tensor of shape {size} in a storage of {storage.numel()} values")
    return storage.as_strided(size, stride, int(offset))


def _listed(values: object, *_: object) -> object:
    """Stand for `torch.jit._pickle.build_*list` and `restore_type_tag`."""
    return values


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, folder: str):
        super().__init__(archive.open(f"{folder}data.pkl"))
        self._archive, self._folder, self._storages = archive, folder, {}

    def find_class(self, module: str, name: str) -> object:
        if module.split(".")[0] == "__torch__":
            return _Record
        if module == "torch._utils" and name == "_rebuild_tensor_v2":
            return _rebuilt
        if module == "torch" and name in _STORAGES:
            return name
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch.jit._pickle" and (name.startswith("build_") or name == "restore_type_tag"):
            return _listed
        raise RefusedGlobal(f"{module}.{name}")

    def persistent_load(self, pid: tuple) -> Tensor:
        kind, storage, key, _location, count = pid
        if kind != "storage" or not str(key).isalnum():
            raise ValueError(f"unknown reference {pid!r}")
        if key not in self._storages:
            dtype = _STORAGES[storage]
            data = bytearray(self._archive.read(f"{self._folder}data/{key}"))
            if len(data) != count * dtype.itemsize:
                raise ValueError(f"storage {key} has {len(data)} bytes, expected {count * dtype.itemsize}")
            self._storages[key] = torch.frombuffer(data, dtype=dtype) if count else torch.empty(0, dtype=dtype)
        return self._storages[key]


def read_torchscript_weights(path: Path | str) -> dict[str, Tensor]:
    """Read the parameters and buffers of a TorchScript archive under their names. Raises CheckpointError."""
    file = sniff(path)
    if file.kind != "torchscript":
        raise wrong_container(file, _EXPECTED)
    try:
        with zipfile.ZipFile(path) as archive:
            folder = next(name for name in archive.namelist() if name.endswith("/data.pkl")).removesuffix("data.pkl")
            content = _Unpickler(archive, folder).load()
        weights: dict[str, Tensor] = {}
        _collect(content, "", weights, 0)
    except RefusedGlobal as error:
        raise would_run(path, str(error)) from error
    except Exception as error:  # a crafted archive can raise anything
        raise damaged(path, _EXPECTED, error) from error
    if not weights:
        raise CheckpointError(f"{path} is a TorchScript archive without named weights (frozen); get the original file.")
    return weights


def _collect(part: object, name: str, weights: dict[str, Tensor], depth: int) -> None:
    """Walk through the modules; a crafted archive can nest them without end."""
    if depth > _DEEPEST:
        raise ValueError("modules nested too deeply")
    if isinstance(part, Tensor):
        weights[name] = part.detach()
    elif isinstance(part, _Record) and isinstance(part.state, dict):
        for key, child in part.state.items():
            if isinstance(child, (Tensor, _Record)):
                _collect(child, f"{name}.{key}" if name else str(key), weights, depth + 1)
