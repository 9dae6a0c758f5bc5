"""GANSpace (Haerkoenen et al. 2020) for any generator: principal components of W, by sampling the mapping
network.

The covariance is summed in float64 as the samples come, so that memory does not grow with their number and
the result does not depend on the size of the batches, but for the rounding of the mapping network itself.
"""

from __future__ import annotations

import torch

from ...generators.base import Generator
from ..base import DirectionError, DirectionInfo
from ..families.ganspace import Components
from ..families.linear import LinearDirection
from ..layers import chosen_layers, named_layers, on_layers
from .sampling import Progress, sample_w
from .sefa import largest_entry_positive

# Nearly all samples lie within three standard deviations of the mean.
STRENGTH_RANGE = (-3.0, 3.0)


def w_components(
    generator: Generator,
    count: int = 80,
    samples: int = 1_000_000,
    seed: int = 0,
    batch_size: int = 1024,
    progress: Progress | None = None,
) -> Components:
    """Compute the first principal components of W over `samples` seeded draws.

    count: how many, at most D; samples: more than `count` (the paper takes a million). Of the two signs of a
    component, the one is taken that makes its entry of largest magnitude positive; the deviations' divisor is
    samples - 1.
    """
    dim = generator.spec.style_dim
    if not 1 <= count <= dim:
        raise DirectionError(f"{count} components are asked for; W of {dim} dimensions has 1 to {dim}.")
    if samples <= count:
        raise DirectionError(f"{samples} samples for {count} components; expected more samples than components.")
    # Sums about a point near the mean keep their digits; `latent_avg` is one that no batch decides.
    near = generator.latent_avg.detach().cpu().double()
    first, second, done = torch.zeros(dim).double(), torch.zeros(dim, dim).double(), 0
    for w in sample_w(generator, samples, seed, batch_size):
        centred = w.cpu().double() - near
        first += centred.sum(dim=0)
        second += centred.T @ centred
        done += len(w)
        if progress is not None:
            progress(done, samples)
    if not second.isfinite().all():
        raise DirectionError("The mapping network gives numbers that are not finite; load the checkpoint again.")
    covariance = (second - torch.outer(first, first) / samples) / (samples - 1)
    variances, vectors = torch.linalg.eigh(covariance)
    comp = largest_entry_positive(vectors.T.flip(0)[:count])
    std = variances.flip(0)[:count].clamp_min(0).sqrt()
    return Components(comp, near + first / samples, std, generator.fingerprint())


def component_direction(
    components: Components,
    component: int,
    n_styles: int,
    subject: str | None,
    first_layer: int = 0,
    end_layer: int | None = None,
    *,
    name: str | None = None,
) -> LinearDirection:
    """Make a direction that adds strength standard deviations along a component; strength 0 is the identity.

    Moves the layers first_layer <= i < end_layer of a generator with n_styles.
    """
    if not 0 <= component < len(components.std):
        raise DirectionError(f"There is no component {component}; the PCA has 0 to {len(components.std) - 1}.")
    if not components.std[component] > 0:
        raise DirectionError(f"Component {component} has no variance; W does not move along it. Take an earlier one.")
    layers = chosen_layers(range(first_layer, n_styles if end_layer is None else end_layer), n_styles)
    where = named_layers(layers)
    info = DirectionInfo(
        name or f"component {component} {where}",
        "ganspace",
        subject,
        STRENGTH_RANGE,
        source=f"PCA of W, sampled from the generator; component {component}, {where}",
        generator=components.generator,
    )
    vector = components.comp[component].float()[None]
    return LinearDirection(info, on_layers(vector, layers, n_styles), float(components.std[component]))
