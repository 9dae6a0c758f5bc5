"""The sizes of a gradual model's trained parts, and those that suit a domain.

What the paper's public summary says of the method and what is proposed here: docs/gradual.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..domain import Description, DomainSpec
from ..generators.base import SpecError

KEYS = ("residual", "residual+features")
SELECTIONS = ("top", "mean")

# Side in px of the finest stage at most, how many stages there are, and the smallest side that one is put at.
_LARGEST_SIDE, _STAGES, _SMALLEST_SIDE = 64, 3, 4


@dataclass(frozen=True)
class GradualSpec(Description):
    """Describe Gradual Residual Modules and Aligners.

    stages: layers of the generator whose features take details, the coarsest first; widths: residual features F_m of
    each; blocks: residual blocks of E_res; dim: of queries and keys. key: what keys are made of, "residual" (F_m alone,
    as published) or "residual+features" (the generator's own feature beside it). selection: which keys a query may look
    at, the `keep` best ("top", 0 for all of them) or those above the query's mean ("mean"). attention_side: side in px
    that queries and keys are matched at; of a finer stage whole patches move.
    """

    stages: tuple[int, ...]
    widths: tuple[int, ...]
    blocks: int = 2
    dim: int = 32
    key: str = "residual"
    selection: str = "top"
    keep: int = 16
    attention_side: int = 32

    def __post_init__(self):
        if not self.stages or list(self.stages) != sorted(set(self.stages)) or len(self.widths) != len(self.stages):
            raise SpecError(
                f"stages {self.stages} with widths {self.widths}; expected layers in rising order and a width for each."
            )
        if self.key not in KEYS:
            raise SpecError(f"key is {self.key!r}; expected {' or '.join(map(repr, KEYS))}.")
        if self.selection not in SELECTIONS:
            raise SpecError(f"selection is {self.selection!r}; expected {' or '.join(map(repr, SELECTIONS))}.")
        if self.keep < 0 or min(self.blocks, self.dim, self.attention_side, *self.widths) < 1:
            raise SpecError("keep must be 0 or more, and blocks, dim, attention_side and widths 1 or more.")

    def check(self, domain: DomainSpec) -> None:
        """Refuse stages that the domain's generator or encoder picture has no room for."""
        last, width = domain.generator.n_layers, domain.encoder_size[1]
        for layer in self.stages:
            if not 1 <= layer < last:
                raise SpecError(
                    f"Stage {layer} is no layer of {domain.name} with something after it (1 to {last - 1})."
                )
            side = domain.generator.layer_resolution(layer)
            if 2 * side > width:
                raise SpecError(f"Stage {layer} is {side} px, but {domain.name} shows the encoder {width} px only.")
        sides = [domain.generator.layer_resolution(layer) for layer in self.stages]
        if len(set(sides)) != len(sides):
            raise SpecError(f"Stages {self.stages} have the sides {sides}; expected one stage for a side.")


def gradual_spec(domain: DomainSpec, **settings) -> GradualSpec:
    """Describe what suits a domain: the last layers of three sides up to 64 px, which are half of what is seen at most.

    Half as many residual features as the generator has there.
    settings: fields of a GradualSpec beside stages and widths.
    """
    generator = domain.generator
    side = min(_LARGEST_SIDE, domain.encoder_size[1] // 2, generator.resolution // 2)
    sides = [s for s in (side >> i for i in reversed(range(_STAGES))) if s >= _SMALLEST_SIDE]
    last = {generator.layer_resolution(n): n for n in range(1, generator.n_layers)}
    stages = tuple(last[s] for s in sides)
    return GradualSpec(stages, tuple(generator.layer_channels(n) // 2 for n in stages), **settings)
