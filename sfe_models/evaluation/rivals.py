"""The rows of other encoders to W+, pSp and ReStyle, each with the generator of its own file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoints.rivals import RIVAL_FILES, find_rival
from ..directions.base import Direction
from ..encoders.rivals import Rival
from ..equations import cropped
from ..pipeline import Pipeline
from .methods import People


class RivalMethod:
    """Encode, move the codes, generate; the last people's codes are kept."""

    def __init__(self, name: str, rival: Rival, pipeline: Pipeline):
        self.name, self.rival, self.spec = name, rival, pipeline.spec
        self._last: tuple[People, Tensor] | None = None

    @torch.no_grad()
    def inverted(self, people: People) -> Tensor:
        """Return the inversions [B,3,H,W], about [-1,1]."""
        return cropped(self.rival.generator(self._codes(people)), self.spec)

    @torch.no_grad()
    def edited(self, people: People, index: Sequence[int], direction: Direction, strength: Sequence[float]) -> Tensor:
        """Edit some of the people, each by a strength of its own: [len(index),3,H,W], about [-1,1]."""
        codes = self._codes(people)[torch.as_tensor(index)]
        strengths = torch.tensor(strength, dtype=torch.float32, device=codes.device)
        styles = direction.moved_styles(self.rival.generator, codes, strengths)
        return cropped(self.rival.generator.synthesize(styles), self.spec)

    def _codes(self, people: People) -> Tensor:
        if self._last is None or self._last[0] is not people:
            self._last = people, self.rival.codes(people.image, self.spec.encoder_size)
        return self._last[1]


def rival_methods(pipeline: Pipeline, names: Sequence[str], weights: Path | str) -> list[RivalMethod]:
    """Make the rows of RIVAL_FILES among the names; raises MissingWeightsError or CheckpointError."""
    device, methods = pipeline.networks.device, []
    for name in names:
        if name in RIVAL_FILES:
            rival = find_rival(name, weights, pipeline.spec)
            rival = Rival(rival.encoder.to(device), rival.generator.to(device), rival.start.to(device))
            methods.append(RivalMethod(name, rival, pipeline))
    return methods
