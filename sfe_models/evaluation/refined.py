"""The row of a refined inversion: N steps of Adam on F_k before everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from ..directions.base import Direction
from ..tuning.refine import refine
from .methods import People, PipelineMethod


class RefinedMethod:
    """Refine the inversion by `steps`, then do as another method does; the last batch's refinement is kept."""

    def __init__(self, method: PipelineMethod, steps: int):
        self.method, self.steps = method, steps
        self.name = f"{method.name}_refine_{steps}"
        self._last: tuple[People, People] | None = None

    def inverted(self, people: People) -> Tensor:
        """Return the refined inversions [B,3,H,W], about [-1,1]."""
        return self.method.inverted(self._refined(people))

    def edited(self, people: People, index: Sequence[int], direction: Direction, strength: Sequence[float]) -> Tensor:
        """Edit some of the people, each by a strength of its own: [len(index),3,H,W], about [-1,1]."""
        return self.method.edited(self._refined(people), index, direction, strength)

    def _refined(self, people: People) -> People:
        if self._last is None or self._last[0] is not people:
            inversion = refine(self.method.pipeline, people.inversion, people.image, self.steps)
            self._last = people, replace(people, inversion=inversion)
        return self._last[1]
