"""The row of sampled codes: G(w) and G(w + d) of codes drawn from W, what a direction breaks without any inversion."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import torch
from torch import Tensor

from ..directions.base import Direction
from ..equations import cropped
from ..pipeline import Pipeline
from .methods import People

SAMPLED = "sampled"


class SampledMethod:
    """Stand a sample of the generator in the place of every picture; it is no inversion, so only FID measures it.

    The draw is seeded by the picture, so that it is the same in every batch and in a run that goes on.
    """

    name = SAMPLED

    def __init__(self, pipeline: Pipeline):
        self.generator, self.spec = pipeline.networks.generator, pipeline.spec

    @torch.no_grad()
    def inverted(self, people: People) -> Tensor:
        """Return G(w) [B,3,H,W], about [-1,1]."""
        return cropped(self.generator(self.codes(people)), self.spec)

    @torch.no_grad()
    def edited(self, people: People, index: Sequence[int], direction: Direction, strength: Sequence[float]) -> Tensor:
        """Return G(w + d) of some of them, each by a strength of its own: [len(index),3,H,W]."""
        codes = self.codes(people[index])
        strengths = torch.tensor(strength, dtype=torch.float32, device=codes.device)
        return cropped(self.generator.synthesize(direction.moved_styles(self.generator, codes, strengths)), self.spec)

    def codes(self, people: People) -> Tensor:
        """Draw one code for each picture: [B,N,D], all layers alike."""
        seeds = [zlib.crc32(image.float().cpu().numpy().tobytes()) for image in people.image]
        dim = self.generator.spec.style_dim
        z = torch.stack([torch.randn(dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
        return self.generator.broadcast(self.generator.mapping(z.to(people.image.device)))
