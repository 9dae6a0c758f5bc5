"""Weights out of TorchScript archives, without running the program that such an archive carries.

`torch.jit.load` compiles and runs what is in the file. Here only its pickle of modules is read, by an unpickler that
knows tensors and containers and takes every class of the archive for an inert record; the code beside it is never
opened. The network is this repository's own.
"""

from __future__ import annotations

import zipfile
from collections import OrderedDict
from pathlib import Path

from torch import Tensor

from ..containers import damaged, sniff, wrong_container
from ..errors import CheckpointError
from .stand_ins import Function, RefusedGlobal, refused
from .tensors import STORAGES, ArchiveUnpickler, rebuild_tensor

_EXPECTED = "a TorchScript archive with named weights"
_DEEPEST = 64


class _Record:
    """Stand for a module of the archive: its attributes and nothing else."""

    state: object = None

    def __setstate__(self, state: object):
        self.state = state


def _listed(values: object, *_: object) -> object:
    """Stand for `torch.jit._pickle.build_*list` and `restore_type_tag`."""
    return values


# The names of storages stand for themselves.
_TABLE = {
    ("torch._utils", "_rebuild_tensor_v2"): Function(rebuild_tensor),
    ("collections", "OrderedDict"): Function(OrderedDict),
    **{("torch", name): name for name in STORAGES},
}


class _Unpickler(ArchiveUnpickler):
    def find_class(self, module: str, name: str) -> object:
        if module.split(".")[0] == "__torch__":
            return _Record
        if module == "torch.jit._pickle" and (name.startswith("build_") or name == "restore_type_tag"):
            return _listed
        return super().find_class(module, name)


def read_torchscript_weights(path: Path | str) -> dict[str, Tensor]:
    """Read the parameters and buffers of a TorchScript archive under their names. Raises CheckpointError."""
    file = sniff(path)
    if file.kind != "torchscript":
        raise wrong_container(file, _EXPECTED)
    try:
        with zipfile.ZipFile(path) as archive:
            content = _Unpickler(archive, _TABLE).load()
        weights: dict[str, Tensor] = {}
        _collect(content, "", weights, 0)
    except RefusedGlobal as error:
        raise refused(path, str(error)) from error
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
