"""Inversions kept in files: a person is inverted once and edited for ever."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .atomic import replaced
from .checkpoints.errors import CheckpointError
from .checkpoints.reading import read_safetensors_header
from .values import Inversion

FORMAT = "sfe-inversion"
_TENSORS = tuple(f.name for f in fields(Inversion) if f.name != "domain")


def save_inversion(inversion: Inversion, path: Path | str) -> Path:
    """Write an inversion as one safetensors file, through a temporary file. Raises OSError."""
    path = Path(path)
    tensors = {name: getattr(inversion, name).contiguous().cpu() for name in _TENSORS}
    try:
        with replaced(path) as temporary:
            save_file(tensors, temporary, {"format": FORMAT, "domain": inversion.domain})
    except SafetensorError as error:
        raise OSError(f"Cannot write the inversion {path}: {error}. Give a path that can be written to.") from error
    return path


def load_inversion(path: Path | str, device: torch.device | str = "cpu") -> Inversion:
    """Read what `save_inversion` wrote; raises CheckpointError for anything else."""
    metadata, header = read_safetensors_header(path)
    if metadata.get("format") != FORMAT or set(header) != set(_TENSORS):
        raise CheckpointError(f"{path} is no saved inversion; make one with `invert --save-inversion`.")
    with safe_open(path, "pt", device=str(device)) as file:
        return Inversion(**{name: file.get_tensor(name) for name in _TENSORS}, domain=metadata["domain"])
