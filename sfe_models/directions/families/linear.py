"""Directions that add a multiple of a vector to the W+ code: InterFaceGAN, W+ boundaries, a user's own."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from ...generators.base import GeneratorSpec, SpecError
from ..base import DirectionError, DirectionInfo, WPlusDirection
from .reader import Reader, Stored


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


def _recognises(stored: Stored) -> bool:
    return len(stored.tensors) == 1


def _read(stored: Stored, spec: GeneratorSpec) -> LinearDirection:
    """Shape a vector of [D], [1,D], [N,D], [1,N,D], N*D or [1,N*D]: [1,D], the same for all layers, or [N,D].

    One of a layout of latents that the generator's family knows is brought to the generator's.
    """
    (tensor,) = stored.tensors.values()
    n, d, shape = spec.n_styles, spec.style_dim, tuple(tensor.shape)
    rows = math.prod(shape) // d
    try:
        if not rows or shape not in ((d,), (1, d), (rows, d), (1, rows, d), (rows * d,), (1, rows * d)):
            raise SpecError("no vector of W or W+")
        vector = tensor.reshape(rows, d).float()
        return LinearDirection(stored.info, vector if rows == 1 else spec.fit_latents(vector), stored.scale)
    except SpecError as error:
        raise DirectionError(
            f"{stored.where} holds a tensor of shape {list(shape)}; the model's W+ codes are [{n},{d}]. "
            f"Expected [{d}], [1,{d}], [{n},{d}], [1,{n},{d}] or [{n * d}]: a direction made for this generator."
        ) from error


READER = Reader("one tensor (a vector of W or W+)", _recognises, _read)
