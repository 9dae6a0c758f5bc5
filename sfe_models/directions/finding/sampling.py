"""One way to sample a generator: seeded, whatever the size of the batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ...generators.base import Generator
from ..base import DirectionError

# Samples are drawn in blocks of this many, whatever the batch size: a seed always means the same ones.
_BLOCK = 1024

# Called with what is done and how much there is to do: samples, pictures or channels.
Progress = Callable[[int, int], None]


def sample_z(dim: int, count: int, seed: int, batch_size: int) -> Iterator[Tensor]:
    """Draw `count` normal vectors in batches [b,dim], b <= batch_size, on the CPU.

    The vectors depend on the seed alone: another batch size cuts them differently, a larger count continues
    them.
    """
    if count < 1 or batch_size < 1:
        raise DirectionError(f"{count} samples in batches of {batch_size} are asked for; expected 1 or more of each.")
    random = torch.Generator().manual_seed(seed)
    for start in range(0, count, _BLOCK):
        block = torch.randn(_BLOCK, dim, generator=random)[: count - start]
        yield from block.split(batch_size)


@torch.no_grad()
def sample_w(generator: Generator, count: int, seed: int, batch_size: int, truncation: float = 1.0) -> Iterator[Tensor]:
    """Draw `count` seeded w in batches [b,D], on the generator's device."""
    for z in sample_z(generator.spec.style_dim, count, seed, batch_size):
        yield generator.mapping(z.to(generator.latent_avg.device), truncation)
