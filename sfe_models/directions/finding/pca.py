"""GANSpace (Haerkoenen et al. 2020) for any generator: principal components of W, by sampling the mapping
network.

The covariance is summed in float64 as the samples come, so that memory does not grow with their number and
the result does not depend on the size of the batches, but for the rounding of the mapping network itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...atomic import replaced
from ...checkpoints.reading import tensors_of
from ...checkpoints.unpickling.torch_file import read_torch
from ...generators.base import Generator
from ..base import DirectionError, DirectionInfo
from ..families.ganspace import GANSpaceDirection
from ..families.linear import LinearDirection
from ..layers import chosen_layers, named_layers, on_layers
from .sampling import Progress, sample_w
from .sefa import largest_entry_positive

# Nearly all samples lie within three standard deviations of the mean.
STRENGTH_RANGE = (-3.0, 3.0)


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of W.

    comp: [n,D], orthonormal rows, the largest variance first, each with its entry of largest magnitude
    positive; mean: [D]; std: [n], standard deviations along the components (divisor: samples - 1). All on the
    CPU.
    """

    comp: Tensor
    mean: Tensor
    std: Tensor

    def __repr__(self) -> str:
        return f"Components({len(self.comp)} of {len(self.mean)} dimensions)"


def w_components(
    generator: Generator,
    count: int = 80,
    samples: int = 1_000_000,
    seed: int = 0,
    batch_size: int = 1024,
    progress: Progress | None = None,
) -> Components:
    """Compute the first principal components of W over `samples` seeded draws.

    count: how many, at most D; samples: more than `count` (the paper takes a million); progress: called with
    the samples done and their number.
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
    return Components(comp, near + first / samples, variances.flip(0)[:count].clamp_min(0).sqrt())


def save_components(components: Components, path: Path | str) -> Path:
    """Write components as the published PCA files are: `comp` [n,1,D], `mean` [1,D], `std` [n], float32.

    path: ends in `.pt`; `read_ganspace` and `read_components` read it. Raises OSError if it is not writable.
    """
    path = Path(path)
    if path.suffix != ".pt":
        raise DirectionError(f"{path} does not end in .pt, which PCA files are; give such a name.")
    contents = {
        "comp": components.comp.float()[:, None].contiguous(),
        "mean": components.mean.float()[None],
        "std": components.std.float(),
    }
    with replaced(path) as temporary:
        torch.save(contents, temporary)
    return path


def read_components(path: Path | str) -> Components:
    """Read a PCA file, our own or a published one. Raises DirectionError or CheckpointError."""
    tensors = tensors_of(read_torch(path), path)
    missing = {"comp", "mean", "std"} - set(tensors)
    if missing:
        raise DirectionError(f"{path} has no {', '.join(sorted(missing))}; expected a PCA file: comp, mean, std.")
    comp, mean, std = tensors["comp"], tensors["mean"].flatten(), tensors["std"].flatten()
    if comp.numel() != len(std) * len(mean) or not all(t.isfinite().all() for t in (comp, mean, std)):
        raise DirectionError(
            f"{path} holds comp {tuple(comp.shape)} for {len(std)} deviations of {len(mean)} dimensions; "
            "expected [n,1,D], finite."
        )
    return Components(comp.reshape(len(std), len(mean)).double(), mean.double(), std.double())


def _layers(
    components: Components, component: int, n_styles: int, first_layer: int, end_layer: int | None
) -> tuple[int, ...]:
    if not 0 <= component < len(components.std):
        raise DirectionError(f"There is no component {component}; the PCA has 0 to {len(components.std) - 1}.")
    if not components.std[component] > 0:
        raise DirectionError(f"Component {component} has no variance; W does not move along it. Take an earlier one.")
    return chosen_layers(range(first_layer, n_styles if end_layer is None else end_layer), n_styles)


def _info(
    kind: str,
    component: int,
    layers: tuple[int, ...],
    subject: str,
    name: str | None,
    effect: str,
    source: str,
) -> DirectionInfo:
    where = named_layers(layers)
    source = source or "PCA of W, sampled from the generator"
    return DirectionInfo(
        name or f"{kind} {component} {where}",
        "ganspace",
        subject,
        STRENGTH_RANGE,
        effect,
        f"{source}; component {component}, {where}",
    )


def coordinate_direction(
    components: Components,
    component: int,
    n_styles: int,
    subject: str,
    first_layer: int = 0,
    end_layer: int | None = None,
    *,
    name: str | None = None,
    effect: str = "",
    source: str = "",
) -> GANSpaceDirection:
    """Make a direction that sets the coordinate along a component, as the published ones do.

    Moves the layers first_layer <= i < end_layer of a generator with n_styles; strengths are coordinates in
    standard deviations, and strength 0 means the mean, not the identity.
    """
    layers = _layers(components, component, n_styles, first_layer, end_layer)
    info = _info("ganspace", component, layers, subject, name, effect, source)
    vector, mean = components.comp[component].float(), components.mean.float()
    return GANSpaceDirection(info, vector, mean, float(components.std[component]), layers[0], layers[-1] + 1)


def component_direction(
    components: Components,
    component: int,
    n_styles: int,
    subject: str,
    first_layer: int = 0,
    end_layer: int | None = None,
    *,
    name: str | None = None,
    effect: str = "",
    source: str = "",
) -> LinearDirection:
    """Make a direction that adds strength standard deviations along a component; strength 0 is the identity.

    Moves the layers first_layer <= i < end_layer of a generator with n_styles.
    """
    layers = _layers(components, component, n_styles, first_layer, end_layer)
    info = _info("component", component, layers, subject, name, effect, source)
    vector = components.comp[component].float()[None]
    return LinearDirection(info, on_layers(vector, layers, n_styles), float(components.std[component]))
