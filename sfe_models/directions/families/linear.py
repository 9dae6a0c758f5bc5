"""Directions that add a multiple of a vector to the W+ code: InterFaceGAN, W+ boundaries, a user's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...checkpoints.reading import read_numpy
from ...checkpoints.unpickling.torch_file import read_torch
from ..base import DirectionError, DirectionInfo, WPlusDirection


@dataclass(frozen=True, eq=False, repr=False)
class LinearDirection(WPlusDirection):
    """w_i + scale * strength * vector_i.

    vector: [1,D], the same for all layers, or [N,D]. InterFaceGAN directions have scale 1/2 and a vector of norm
    1, the published W+ boundaries scale 1.
    """

    info: DirectionInfo
    vector: Tensor
    scale: float = 1.0

    def move(self, w_plus: Tensor, strength: Tensor) -> Tensor:
        rows, dim = self.vector.shape
        layers = w_plus.shape[1]
        if dim != w_plus.shape[2] or rows not in (1, *range(layers, rows + 1)):
            raise DirectionError(
                f"Direction '{self.info.name}' is a vector of {rows} x {dim}; the model's W+ codes are "
                f"{layers} x {w_plus.shape[2]}. Use a direction made for this generator."
            )
        vector = self.vector[: 1 if rows == 1 else layers].to(w_plus)
        return w_plus + (self.scale * strength.to(w_plus))[:, None, None] * vector


def _vector(value: object, path: Path, info: DirectionInfo, style_dim: int) -> Tensor:
    """Check and shape a vector of [D], [1,D], [N,D], [1,N,D] or [1,N*D]: [1,D] or [N,D], float32."""
    tensor = torch.as_tensor(value) if not isinstance(value, Tensor) else value
    if not tensor.is_floating_point() or tensor.numel() == 0 or tensor.numel() % style_dim:
        raise DirectionError(
            f"{path} holds {tuple(tensor.shape)} {tensor.dtype}; direction '{info.name}' needs numbers for W of "
            f"{style_dim} dimensions: [{style_dim}], [N,{style_dim}] or N*{style_dim}."
        )
    if not tensor.isfinite().all():
        raise DirectionError(f"{path} holds numbers that are not finite; fetch the file again.")
    return tensor.reshape(-1, style_dim).float()


def read_interfacegan(path: Path, info: DirectionInfo, style_dim: int = 512) -> LinearDirection:
    """Read an InterFaceGAN direction: a `.pt` tensor [1,D] (all rows) or [N,D] (one row per layer)."""
    return LinearDirection(info, _vector(read_torch(path), path, info, style_dim), scale=0.5)


def read_boundary(path: Path, info: DirectionInfo, style_dim: int = 512) -> LinearDirection:
    """Read a boundary of the whole W+ space: a `.npy` array [1,N*D]."""
    return LinearDirection(info, _vector(read_numpy(path), path, info, style_dim))
