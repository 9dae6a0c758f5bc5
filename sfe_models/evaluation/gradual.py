"""The rows of gradual models, a reconstruction after GradStyle.

| row | inversion | edit |
|---|---|---|
| gradual | details through their Aligners, as in an edit | the same with w + d |
| gradual_unaligned | F_m as they are | F_m as they are |
| gradual_plain_attention | as gradual, but a query looks at all keys | the same with w + d |
| gradual_one_stage | as gradual, of a model trained with the finest stage alone | the same with w + d |
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..directions.base import Direction
from ..gradual.networks import GradualNetworks
from ..gradual.pipeline import GradualPipeline
from ..pipeline import Pipeline
from ..values import GradualInversion
from .errors import EvaluationError
from .methods import People

GRADUAL, UNALIGNED, PLAIN, ONE_STAGE = (
    "gradual",
    "gradual_unaligned",
    "gradual_plain_attention",
    "gradual_one_stage",
)


class KeptInversion:
    """Invert people with a gradual model; the last people's inversion is kept, for every row of the model."""

    def __init__(self, pipeline: GradualPipeline):
        self.pipeline = pipeline
        self._last: tuple[People, GradualInversion] | None = None

    def __call__(self, people: People) -> GradualInversion:
        if self._last is None or self._last[0] is not people:
            self._last = people, self.pipeline.invert(people.image)
        return self._last[1]


class GradualMethod:
    """A row of the table above."""

    def __init__(self, name: str, pipeline: GradualPipeline, invert: KeptInversion):
        self.name, self.pipeline, self.invert = name, pipeline, invert

    def inverted(self, people: People) -> Tensor:
        """Return the inversions [B,3,H,W], about [-1,1]."""
        return self.pipeline.edit(self.invert(people))

    def edited(self, people: People, index: Sequence[int], direction: Direction, strength: Sequence[float]) -> Tensor:
        """Edit some of the people, each by a strength of its own: [len(index),3,H,W], about [-1,1]."""
        inversion = self.invert(people)[torch.as_tensor(index)]
        strengths = torch.tensor(strength, dtype=torch.float32).to(inversion.w.device)
        return self.pipeline.synthesize(self.pipeline.apply_direction(inversion, direction, strengths))


def looking_everywhere(networks: GradualNetworks) -> GradualNetworks:
    """Copy a model whose queries look at all keys, without Selective Attention."""
    plain = copy.deepcopy(networks)
    plain.gradual = replace(networks.gradual, selection="top", keep=0)
    for stage in plain.parts.stages:
        stage.aligner.gradual = plain.gradual
    return plain


def gradual_methods(networks: GradualNetworks, beside: Pipeline) -> list[GradualMethod]:
    """Make the rows of one model; beside: the StyleFeatureEditor of the other rows. Raises EvaluationError."""
    _check(networks, beside)
    pipeline = GradualPipeline(networks)
    invert = KeptInversion(pipeline)
    return [
        GradualMethod(GRADUAL, pipeline, invert),
        GradualMethod(UNALIGNED, GradualPipeline(networks, aligned=False), invert),
        GradualMethod(PLAIN, GradualPipeline(looking_everywhere(networks)), invert),
    ]


def one_stage_method(networks: GradualNetworks, beside: Pipeline) -> GradualMethod:
    """Make the row of a model with a single stage. Raises EvaluationError for another."""
    _check(networks, beside)
    if len(networks.gradual.stages) != 1:
        raise EvaluationError(f"A model with the stages {networks.gradual.stages} has more than one stage.")
    pipeline = GradualPipeline(networks)
    return GradualMethod(ONE_STAGE, pipeline, KeptInversion(pipeline))


def _check(networks: GradualNetworks, beside: Pipeline) -> None:
    ours, theirs = networks.spec.name, beside.spec.name
    if ours != theirs:
        raise EvaluationError(f"The gradual model is of {ours}, --model of {theirs}; expected one domain for all rows.")
