"""Inversions kept in files: a person is inverted once and edited for ever."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import torch
from torch import Tensor

from .atomic import save_tensors
from .checkpoints.errors import CheckpointError
from .checkpoints.reading import not_finite, read_safetensors
from .values import Inversion

FORMAT = "sfe-inversion"
_TENSORS = {f.name for f in fields(Inversion)} - {"domain", "generator", "carried"}
# What the generator carries, numbered; older files are StyleGAN2's and have its one picture by name.
_CARRIED, _OLDER = "carried.", {"rgb": "carried.0"}


def save_inversion(inversion: Inversion, path: Path | str) -> Path:
    """Write an inversion as one safetensors file, through a temporary file. Raises OSError."""
    tensors = {name: getattr(inversion, name) for name in _TENSORS}
    tensors |= {f"{_CARRIED}{i}": part for i, part in enumerate(inversion.carried)}
    return save_tensors(tensors, path, {"format": FORMAT, "domain": inversion.domain, "generator": inversion.generator})


def load_inversion(path: Path | str, device: torch.device | str = "cpu") -> Inversion:
    """Read what `save_inversion` wrote; raises CheckpointError for anything else, and for numbers that are none."""
    file = read_safetensors(path)
    names = {_OLDER.get(name, name) for name in file.header}
    carried = [f"{_CARRIED}{i}" for i in range(len(names) - len(_TENSORS))]
    if file.metadata.get("format") != FORMAT or names != {*_TENSORS, *carried}:
        raise CheckpointError(f"{path} is no saved inversion; make one with `invert --save-inversion`.")
    tensors = {_OLDER.get(name, name): tensor for name, tensor in file.tensors(device=device).items()}
    if problem := _problem(tensors):
        raise CheckpointError(f"{path} is a damaged inversion: {problem}. Invert the picture again.")
    parts = tuple(tensors.pop(name) for name in carried)
    about = {key: file.metadata.get(key, "") for key in ("domain", "generator")}
    return Inversion(**tensors, carried=parts, **about)


def _problem(tensors: dict[str, Tensor]) -> str | None:
    """Say what is wrong with an inversion's tensors; None if nothing is."""
    count = tensors["w"].shape[:1]
    for name, tensor in sorted(tensors.items()):
        dimensions = 3 if name in ("w", "w_e") else 4
        if tensor.ndim != dimensions or tensor.shape[:1] != count or not tensor.numel():
            return f"{name} is of shape {tuple(tensor.shape)}; expected {dimensions} dimensions, as many pictures as w"
        if not tensor.is_floating_point():
            return f"{name} is {tensor.dtype}; expected floating point numbers"
        if not_finite({name: tensor}):
            return f"{name} holds numbers that are not finite"
    return None
