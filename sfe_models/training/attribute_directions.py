"""Directions of the rendered domain: InterFaceGAN boundaries scored by an attribute network, with measured ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from ..demo.attributes import ATTRIBUTES, attribute_index
from ..directions.base import DirectionError
from ..directions.families.linear import LinearDirection
from ..directions.finding.boundaries import BoundaryTraining, train_boundary
from ..directions.finding.sampling import Progress
from ..directions.finding.scored_samples import ScoredSamples, picture_scorer, sample_scored
from ..generators.base import Generator
from ..perception.attribute_network import AttributeNetwork

# Share of an attribute's range that the ends of a direction's useful strengths move it by, and where search ends: so
# many standard deviations of the codes along the direction, beyond which the generator draws nobody.
_WANTED_CHANGE = 0.45
_MOST_DEVIATIONS = 4.0
_PROBES = 48
# Of the samples on each side of a boundary: rendered people differ in many ways at once.
_FRACTION = 0.25


def attribute_samples(
    generator: Generator, network: AttributeNetwork, count: int, seed: int = 0, progress: Progress | None = None
) -> ScoredSamples:
    """Draw codes and score their pictures; scores are in [0,1] of each attribute's range."""
    return sample_scored(generator, network, count, seed, 16, attributes=network.names, progress=progress)


def attribute_directions(
    generator: Generator,
    network: AttributeNetwork,
    subject: str,
    samples: ScoredSamples,
    names: Sequence[str],
) -> list[LinearDirection]:
    """Train one boundary for each attribute and measure how far it can be followed.

    samples: of `attribute_samples`. A range ends where the attribute's mean has moved by 45 % of its range, where
    further steps move it no more, or at four standard deviations of the codes; a direction that does not move its
    attribute raises DirectionError.
    """
    measure = picture_scorer(generator, network, 16)
    probes = samples.codes[:_PROBES]
    directions = []
    for name in names:
        direction = train_boundary(samples, name, subject, BoundaryTraining(fraction=_FRACTION)).direction
        column = network.names.index(name)
        start = measure(probes)[:, column].mean()

        def change(strength: float, direction=direction, column=column, start=start) -> float:
            moved = direction.move(probes[:, None], torch.full((len(probes),), strength))[:, 0]
            return float(measure(moved)[:, column].mean() - start)

        limit = _MOST_DEVIATIONS * float((samples.codes @ direction.vector[-1].to(samples.codes)).std())
        low, high = (_reach(change, sign, limit) for sign in (-1.0, 1.0))
        if low is None and high is None:
            raise DirectionError(f"The direction of '{name}' does not move its attribute; train the generator longer.")
        low, high = low or -high, high or -low
        attribute = ATTRIBUTES[attribute_index(name)]
        info = replace(direction.info, strength_range=(low, high), effect=attribute.meaning)
        directions.append(replace(direction, info=info))
    return directions


def _reach(change, sign: float, limit: float) -> float | None:
    """Return the strength, to half a unit, at which the attribute has moved enough; None if it hardly moves."""
    strength, best, reached = 1.0, 0.0, 0.0
    while strength <= limit:
        moved = change(sign * strength) * sign
        if moved > best + 0.01:
            best, reached = moved, strength
        if moved >= _WANTED_CHANGE or strength > 2 * reached + 4:
            break
        strength *= 1.25
    return None if best < 0.1 else sign * round(2 * reached) / 2
