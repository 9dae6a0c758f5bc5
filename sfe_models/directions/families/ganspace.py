"""GANSpace directions (Haerkoenen et al. 2020): principal components of W, set to a coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...checkpoints.reading import tensors_of
from ...checkpoints.unpickling.torch_file import read_torch
from ..base import DirectionError, DirectionInfo, WPlusDirection


@dataclass(frozen=True, eq=False, repr=False)
class GANSpaceDirection(WPlusDirection):
    """Set the coordinate along one principal component, in units of its standard deviation.

    The present coordinate c is taken from w_0: c = <w_0 - mean, component> / std. Every w_i with first_layer <=
    i < end_layer gains (strength - c) * std * component. Strength 0 is therefore not the identity; strength c is.
    component, mean: [D]; std: a number.
    """

    info: DirectionInfo
    component: Tensor
    mean: Tensor
    std: float
    first_layer: int
    end_layer: int

    def coordinate(self, w_plus: Tensor) -> Tensor:
        """Compute the present coordinate of each code [B,n,D]: [B]."""
        component = self.component.to(w_plus)
        return (w_plus[:, 0] - self.mean.to(w_plus)) @ component / self.std

    def move(self, w_plus: Tensor, strength: Tensor) -> Tensor:
        if len(self.component) != w_plus.shape[2]:
            raise DirectionError(
                f"Direction '{self.info.name}' is for W of {len(self.component)} dimensions; the model's has "
                f"{w_plus.shape[2]}. Use a direction made for this generator."
            )
        offset = (strength.to(w_plus) - self.coordinate(w_plus))[:, None] * (self.std * self.component.to(w_plus))
        moved = w_plus.clone()
        moved[:, self.first_layer : self.end_layer] += offset[:, None]
        return moved


def read_ganspace(
    path: Path, info: DirectionInfo, component: int, first_layer: int, end_layer: int
) -> GANSpaceDirection:
    """Read one component of a published PCA file: `comp` [n,1,D], `mean` [1,D], `std` [n]."""
    tensors = tensors_of(read_torch(path), path)
    try:
        comp, mean, std = (tensors[key] for key in ("comp", "mean", "std"))
        vector, center, deviation = comp[component].reshape(-1), mean.reshape(-1), float(std[component])
    except (KeyError, IndexError) as error:
        raise DirectionError(
            f"{path} has no component {component} of a PCA (comp, mean, std): {error}; expected a GANSpace file."
        ) from error
    if len(vector) != len(center):
        raise DirectionError(f"{path}: components of {len(vector)} and a mean of {len(center)} dimensions differ.")
    return GANSpaceDirection(
        info, vector.to(torch.float32), center.to(torch.float32), deviation, first_layer, end_layer
    )
