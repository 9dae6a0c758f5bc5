"""Settings of the gradual stage."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..domain import DomainSpec
from ..gradual.spec import GradualSpec
from .config import LossConfig, OptimizerConfig, RunConfig


@dataclass(frozen=True)
class MisalignConfig:
    """How far details are moved away in the training of Aligners; distances in sides of the picture.

    perspective: of each corner; rotation: degrees; scale: 0.15 is 1/1.15 to 1.15; shift: of the whole; flip, identity:
    shares of the pictures that are mirrored, and that stay; elastic: of a smooth field between elastic_cells^2 points;
    grid: px of the map. dropping: share of the pictures that lose the share `dropped` (a range) of gap_cells^2 cells.
    """

    perspective: float = 0.1
    rotation: float = 15.0
    scale: float = 0.15
    shift: float = 0.1
    flip: float = 0.1
    identity: float = 0.2
    elastic: float = 0.03
    elastic_cells: int = 5
    grid: int = 16
    dropping: float = 0.25
    dropped: tuple[float, float] = (0.1, 0.3)
    gap_cells: int = 8


@dataclass(frozen=True)
class GradualConfig:
    """A reconstruction after GradStyle: first details alone, then Aligners beside them.

    stage_every: steps after which one stage more takes part; alone: first steps without Aligners; joint: whether
    details learn on beside them (False: Aligners learn alone, for half of the work a step). aligned: share of the batch
    that Aligners are trained on; aligner: weight of the distance between aligned and true details; budget: of the
    details' mean square. perturbed: share of those pictures whose queries come from a code moved by up to
    `perturbation` towards another picture's; those have no picture to be compared with, so that one is always left.
    """

    domain: DomainSpec
    run: RunConfig
    gradual: GradualSpec
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    misalign: MisalignConfig = field(default_factory=MisalignConfig)
    alone: int = 1_500
    stage_every: int = 300
    joint: bool = True
    aligned: float = 1.0
    aligner: float = 0.1
    budget: float = 1e-3
    perturbed: float = 0.25
    perturbation: float = 0.3
