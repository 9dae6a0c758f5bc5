"""SeFa (Shen and Zhou 2021): directions in closed form from the generator's weights, without any sample.

A style is s = A w + b with the affine ("modulation") weight A. The unit vectors n that change the styles
most, argmax |A n|^2, are the leading eigenvectors of A^T A, where A stacks the weights of the chosen layers.
The published code brings each row of A to unit length first, so that every style channel counts the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ...generators.base import Generator
from ..base import DirectionError, DirectionInfo
from ..families.linear import LinearDirection
from ..layers import chosen_layers, named_layers, on_layers

# The distances that the published code draws by default.
STRENGTH_RANGE = (-3.0, 3.0)


def modulation_weights(generator: Generator, layers: Iterable[int] | None = None) -> Tensor:
    """Stack the affine weights of some layers as the network uses them: [sum of C, D], float64 on the CPU.

    layers: numbers of W+ styles, None for all. Each stands for the first layer that it feeds: its convolution or, for
    the last, what makes the picture, as in the published code.
    """
    maps = generator.style_maps()
    return torch.cat([maps[i][0].detach().cpu().double() for i in chosen_layers(layers, generator.spec.n_styles)])


def sefa_directions(
    generator: Generator, layers: Iterable[int] | None = None, count: int = 10, normalize: bool = True
) -> tuple[Tensor, Tensor]:
    """Find the unit vectors of W that change the styles of some layers most.

    normalize: bring the rows of A to unit length, as the published code does; off is the paper's formula.
    Returns (vectors [count,D], eigenvalues [count]), both float64, the largest first. Of the two signs
    that an eigenvector has, the one is taken that makes its entry of largest magnitude positive.
    """
    dim = generator.spec.style_dim
    if not 1 <= count <= dim:
        raise DirectionError(f"{count} SeFa directions are asked for; W of {dim} dimensions has 1 to {dim}.")
    weight = modulation_weights(generator, layers)
    if not weight.isfinite().all():
        raise DirectionError("The generator's modulation weights are not finite; load the checkpoint again.")
    if normalize:
        weight = torch.nn.functional.normalize(weight, dim=1)
    eigenvalues, eigenvectors = torch.linalg.eigh(weight.T @ weight)
    vectors = largest_entry_positive(eigenvectors.T.flip(0)[:count])
    return vectors, eigenvalues.flip(0)[:count]


def largest_entry_positive(vectors: Tensor) -> Tensor:
    """Turn each row of [n,D] so that its entry of largest magnitude is positive (the first, among equals)."""
    largest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
    return torch.where(largest < 0, -vectors, vectors)


def sefa(
    generator: Generator, subject: str | None, layers: Iterable[int] | None = None, count: int = 10
) -> tuple[LinearDirection, ...]:
    """Make SeFa directions that move the layers they were found for, and no others.

    subject: what the generator shows, None if nobody says. Strengths are distances in W.
    """
    chosen = chosen_layers(layers, generator.spec.n_styles)
    everything = len(chosen) == generator.spec.n_styles
    vectors, eigenvalues = sefa_directions(generator, chosen, count)
    place = "all" if everything else named_layers(chosen).removeprefix("layers ").replace(", ", "+")
    fingerprint, directions = generator.fingerprint(), []
    for i, (vector, value) in enumerate(zip(vectors, eigenvalues.tolist(), strict=True)):
        row = vector[None].float()
        info = DirectionInfo(
            f"sefa {place} {i}",
            "sefa",
            subject,
            STRENGTH_RANGE,
            source=f"SeFa of the {generator.spec.resolution} px generator, {named_layers(chosen)}, "
            f"rows of unit length; component {i}, eigenvalue {value:.4g}",
            generator=fingerprint,
        )
        directions.append(LinearDirection(info, row if everything else on_layers(row, chosen, generator.spec.n_styles)))
    return tuple(directions)
