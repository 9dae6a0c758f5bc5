"""Mean and standard deviation of every style channel, over seeded samples."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...generators.base import Generator, StyleSpace
from ..base import DirectionError
from .sampling import Progress, sample_w

# Truncation of w in the released recipe.
PUBLISHED_TRUNCATION = 0.7


@dataclass(frozen=True, eq=False)
class ChannelStatistics:
    """Mean and standard deviation of every style channel, as batches of 1. RGB layers may be missing.

    generator: fingerprint of the one whose channels these are, None where nobody says.
    """

    mean: StyleSpace
    std: StyleSpace
    generator: str | None = None

    def __post_init__(self):
        for name, styles in (("mean", self.mean), ("standard deviation", self.std)):
            for i, values in enumerate((*styles.convs, *styles.rgbs)):
                if not values.isfinite().all():
                    raise DirectionError(f"The {name} of style vector {i} has numbers that are not finite.")
        if any((s < 0).any() for s in (*self.std.convs, *self.std.rgbs)):
            raise DirectionError("The channel statistics have negative standard deviations; expected zero or more.")


@torch.no_grad()
def channel_statistics(
    generator: Generator,
    count: int = 100_000,
    seed: int = 0,
    truncation: float = PUBLISHED_TRUNCATION,
    batch_size: int = 1000,
    progress: Progress | None = None,
) -> ChannelStatistics:
    """Estimate mean and standard deviation (of the population, 1/n) of every style channel over `count` seeded w.

    Streaming: batches are merged in float64 (Chan et al. 1979). truncation: 1 for the whole population.
    """
    if count < 2:
        raise DirectionError(f"Statistics over {count} samples; expected at least 2, better 10000.")
    n, mean, squares = 0, None, None
    for w in sample_w(generator, count, seed, batch_size, truncation):
        styles = generator.style_space(generator.broadcast(w)).map(lambda s: s.double())
        values = torch.cat((*styles.convs, *styles.rgbs), dim=1)
        new_mean = values.mean(dim=0)
        new_squares = (values - new_mean).square().sum(dim=0)
        if mean is None:
            mean, squares = new_mean, new_squares
        else:
            shift = new_mean - mean
            mean = mean + shift * (len(w) / (n + len(w)))
            squares = squares + new_squares + shift.square() * (n * len(w) / (n + len(w)))
        n += len(w)
        if progress:
            progress(n, count)
    widths = [s.shape[1] for s in (*styles.convs, *styles.rgbs)]
    split = [v.float().cpu()[None].split(widths, dim=1) for v in (mean, (squares / n).sqrt())]
    n_convs = len(styles.convs)
    mean, std = (StyleSpace(tuple(v[:n_convs]), tuple(v[n_convs:])) for v in split)
    return ChannelStatistics(mean, std, generator.fingerprint())
