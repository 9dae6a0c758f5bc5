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
_TENSORS = tuple(f.name for f in fields(Inversion) if f.name != "domain")


def save_inversion(inversion: Inversion, path: Path | str) -> Path:
    """Write an inversion as one safetensors file, through a temporary file. Raises OSError."""
    tensors = {name: getattr(inversion, name) for name in _TENSORS}
    return save_tensors(tensors, path, {"format": FORMAT, "domain": inversion.domain})


def load_inversion(path: Path | str, device: torch.device | str = "cpu") -> Inversion:
    """Read what `save_inversion` wrote; raises CheckpointError for anything else."""
    file = read_safetensors(path)
    if file.metadata.get("format") != FORMAT or set(file.header) != set(_TENSORS):
        raise CheckpointError(f"{path} is no saved inversion; make one with `invert --save-inversion`.")
    return Inversion(**file.tensors(device=device), domain=file.metadata["domain"])
