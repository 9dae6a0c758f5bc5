"""Inversions kept in files: a person is inverted once and edited for ever."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import torch

from .atomic import save_tensors
from .checkpoints.errors import CheckpointError
from .checkpoints.reading import read_safetensors
from .values import Inversion

FORMAT = "sfe-inversion"
_TENSORS = {f.name for f in fields(Inversion)} - {"domain", "carried"}
# What the generator carries, numbered; older files are StyleGAN2's and have its one picture by name.
_CARRIED, _OLDER = "carried.", {"rgb": "carried.0"}


def save_inversion(inversion: Inversion, path: Path | str) -> Path:
    """Write an inversion as one safetensors file, through a temporary file. Raises OSError."""
    tensors = {name: getattr(inversion, name) for name in _TENSORS}
    tensors |= {f"{_CARRIED}{i}": part for i, part in enumerate(inversion.carried)}
    return save_tensors(tensors, path, {"format": FORMAT, "domain": inversion.domain})


def load_inversion(path: Path | str, device: torch.device | str = "cpu") -> Inversion:
    """Read what `save_inversion` wrote; raises CheckpointError for anything else."""
    file = read_safetensors(path)
    names = {_OLDER.get(name, name) for name in file.header}
    carried = [f"{_CARRIED}{i}" for i in range(len(names) - len(_TENSORS))]
    if file.metadata.get("format") != FORMAT or names != {*_TENSORS, *carried}:
        raise CheckpointError(f"{path} is no saved inversion; make one with `invert --save-inversion`.")
    tensors = {_OLDER.get(name, name): tensor for name, tensor in file.tensors(device=device).items()}
    parts = tuple(tensors.pop(name) for name in carried)
    return Inversion(**tensors, carried=parts, domain=file.metadata["domain"])
