"""Inversions kept in files: a person is inverted once and edited for ever."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import torch
from torch import Tensor

from .atomic import save_tensors
from .checkpoints.containers import sniff
from .checkpoints.errors import CheckpointError
from .checkpoints.reading import not_finite, read_safetensors
from .values import GradualInversion, Inversion

FORMAT, GRADUAL_FORMAT = "sfe-inversion", "sfe-gradual-inversion"
_KINDS = {FORMAT: Inversion, GRADUAL_FORMAT: GradualInversion}
# Names, and fields of several tensors, which are numbered.
_ABOUT, _NUMBERED = ("domain", "generator"), ("carried", "residuals", "features")
# Older files are StyleGAN2's and have the one picture that it carries by name.
_OLDER = {"rgb": "carried.0"}


def save_inversion(inversion: Inversion | GradualInversion, path: Path | str) -> Path:
    """Write an inversion as one safetensors file, through a temporary file. Raises OSError."""
    tensors = {}
    for field in fields(inversion):
        value = getattr(inversion, field.name)
        if field.name in _NUMBERED:
            tensors |= {f"{field.name}.{i}": part for i, part in enumerate(value)}
        elif field.name not in _ABOUT:
            tensors[field.name] = value
    kind = next(name for name, kind in _KINDS.items() if kind is type(inversion))
    return save_tensors(tensors, path, {"format": kind, **{name: getattr(inversion, name) for name in _ABOUT}})


def load_inversion(path: Path | str, device: torch.device | str = "cpu") -> Inversion | GradualInversion:
    """Read what `save_inversion` wrote; raises CheckpointError for anything else, and for numbers that are none."""
    file = read_safetensors(path)
    kind = _KINDS.get(file.metadata.get("format"))
    names = [_OLDER.get(name, name) for name in file.header]
    own = [field.name for field in fields(kind)] if kind is not None else []
    numbered = {name: [f"{name}.{i}" for i in range(_count(names, name))] for name in _NUMBERED if name in own}
    single = set(own) - {*_ABOUT, *numbered}
    if kind is None or set(names) != single.union(*numbered.values()):
        raise CheckpointError(f"{path} is no saved inversion; make one with `invert --save-inversion`.")
    tensors = {_OLDER.get(name, name): tensor for name, tensor in file.copies(device).items()}
    if problem := _problem(tensors):
        raise CheckpointError(f"{path} is a damaged inversion: {problem}. Invert the picture again.")
    parts = {name: tuple(tensors[one] for one in every) for name, every in numbered.items()}
    about = {key: file.metadata.get(key, "") for key in _ABOUT}
    return kind(**{name: tensors[name] for name in single}, **parts, **about)


def is_kept(path: Path | str) -> bool:
    """Whether a file says that it is a saved inversion; the rest of it may be damaged."""
    try:
        return sniff(path).kind == "safetensors" and read_safetensors(path).metadata.get("format") in _KINDS
    except (CheckpointError, OSError):
        return False


def _count(names: list[str], field: str) -> int:
    return sum(name.startswith(f"{field}.") for name in names)


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
