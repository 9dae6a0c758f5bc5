"""Pictures of nobody: what a model's generator draws by itself, a person for each seed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from . import equations
from .domain import DomainSpec
from .generators.base import Generator

# How far codes are pulled towards the mean: faces as most people look, without broken ones.
_TRUNCATION = 0.6


@torch.no_grad()
def drawn_people(generator: Generator, domain: DomainSpec, seeds: Sequence[int]) -> Tensor:
    """Draw a picture for each seed, the same alone and in a batch: [B,3,H,W] in [-1,1], as the domain crops them."""
    z = [torch.randn(generator.spec.style_dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    w = generator.mapping(torch.stack(z).to(generator.latent_avg), _TRUNCATION)
    return equations.cropped(generator(generator.broadcast(w)).clamp(-1, 1), domain)
