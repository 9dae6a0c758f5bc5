"""GANSpace directions (Haerkoenen et al. 2020): principal components of W, set to a coordinate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ...generators.base import GeneratorSpec
from ..base import DirectionError, DirectionInfo, WPlusDirection
from ..layers import fitted_layers
from .reader import Reader, Stored


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of W.

    comp: [n,D], orthonormal rows, the largest variance first; mean: [D]; std: [n], standard deviations along the
    components; all on the CPU. generator: fingerprint of the one whose W it is, None where nobody says.
    """

    comp: Tensor
    mean: Tensor
    std: Tensor
    generator: str | None = None

    def __repr__(self) -> str:
        return f"Components({len(self.comp)} of {len(self.mean)} dimensions)"


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


def components_of(tensors: Mapping[str, Tensor], where: str) -> Components:
    """Check what a PCA file holds: `comp` [n,1,D], `mean` [1,D], `std` [n]. Raises DirectionError."""
    comp, mean, std = tensors["comp"], tensors["mean"].flatten(), tensors["std"].flatten()
    if comp.numel() != len(std) * len(mean):
        raise DirectionError(
            f"{where} holds comp {tuple(comp.shape)} for {len(std)} deviations of {len(mean)} dimensions; "
            "expected [n,1,D]."
        )
    return Components(comp.reshape(len(std), len(mean)).double(), mean.double(), std.double())


def _recognises(stored: Stored) -> bool:
    return {"comp", "mean", "std"} <= set(stored.tensors)


def _read(stored: Stored, spec: GeneratorSpec) -> GANSpaceDirection:
    """Make the direction of one `component`, on StyleGAN2's layers `first_layer` <= i < `end_layer`."""
    components, parameters = components_of(stored.tensors, stored.where), stored.parameters
    number = parameters.get("component")
    if number is None:
        raise DirectionError(
            f"{stored.where} holds {len(components.std)} principal components; say which is meant by "
            '"component": NUMBER in a JSON file beside it.'
        )
    if not 0 <= number < len(components.std):
        raise DirectionError(f"{stored.where} has no component {number}; expected 0 to {len(components.std) - 1}.")
    if not components.std[number] > 0:
        raise DirectionError(f"Component {number} of {stored.where} has no variance; take an earlier one.")
    return GANSpaceDirection(
        stored.info,
        components.comp[number].float(),
        components.mean.float(),
        float(components.std[number]),
        *fitted_layers(parameters.get("first_layer", 0), parameters.get("end_layer"), spec),
    )


READER = Reader("principal components (comp, mean, std)", _recognises, _read)
