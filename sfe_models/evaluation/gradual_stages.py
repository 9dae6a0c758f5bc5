"""What the stages of a gradual model do: how much they add, how open their gates are, and where their queries look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..demo.attributes import sample_portraits
from ..demo.renderer import render
from ..gradual.pipeline import GradualPipeline
from ..gradual.streams import Details, edit

# How far heads are turned, about 15 degrees, and the largest yaw that the renderer draws.
_TURN, _MOST = 0.5, 1.0


@dataclass(frozen=True)
class StageReport:
    """One stage, as means over people who are turned.

    gate: with its confidence, in the edit; added: root mean square of what is added to the feature, as a share of the
    feature's own; looked: distance in cells between where queries at the landmarks of the turned head look and where
    those landmarks lie in the picture; stayed: that distance for queries that look straight ahead.
    """

    side: int
    gate: float
    added: float
    looked: float
    stayed: float


@torch.no_grad()
def stage_reports(pipeline: GradualPipeline, seeds: Sequence[int]) -> list[StageReport]:
    """Turn rendered people by 15 degrees, truly, and follow how details of the one picture go into the other.

    The queries are of the turned picture's own code, so that no direction takes part.
    """
    people = sample_portraits(list(seeds))
    yaw = people.get("yaw")
    turned = people.changed("yaw", torch.where(yaw + _TURN > _MOST, yaw - _TURN, yaw + _TURN))
    size = pipeline.spec.generator.resolution
    before, after = (render(portraits, size) for portraits in (people, turned))
    inversion, other = (pipeline.invert(rendering.image) for rendering in (before, after))
    generator, parts = pipeline.networks.generator, pipeline.networks.parts
    details = Details(inversion.residuals, inversion.features)
    _, edited = edit(generator, parts, generator.style_space(other.w), details)
    reports = []
    for m, stage in enumerate(parts.stages):
        f, moved = edited.features[m], edited.residuals[m]
        _, confidence = stage.aligner(f, details.residuals[m], details.features[m])
        gate = stage.fusion.openness(f, moved) * confidence
        added = stage.fusion(f, moved, confidence) - f
        weights = stage.aligner.weights(f, details.residuals[m], details.features[m])
        side = f.shape[3]
        cells = round(weights.shape[1] ** 0.5)
        places = [rendering.landmarks * cells / size - 0.5 for rendering in (before, after)]
        looked = looked_at(weights, places[1])
        per_cell = side / cells
        reports.append(
            StageReport(
                side,
                gate.mean().item(),
                (added.square().mean() / f.square().mean()).sqrt().item(),
                per_cell * (looked - places[0]).norm(dim=2).mean().item(),
                per_cell * (places[1] - places[0]).norm(dim=2).mean().item(),
            )
        )
    return reports


def looked_at(weights: Tensor, places: Tensor) -> Tensor:
    """Where the queries nearest to places [B,P,2] (x, y in cells, centres at integers) look on average: [B,P,2].

    weights: [B,n^2,n^2]. What a query would see straight ahead lies at its own cell; the place's distance from that
    cell's centre is kept.
    """
    cells = round(weights.shape[1] ** 0.5)
    nearest = places.round().clamp(0, cells - 1)
    index = (nearest[..., 1] * cells + nearest[..., 0]).long()
    rows = weights.gather(1, index[..., None].expand(-1, -1, weights.shape[2]))
    numbers = torch.arange(cells, dtype=weights.dtype, device=weights.device)
    y, x = torch.meshgrid(numbers, numbers, indexing="ij")
    centres = rows @ torch.stack([x.flatten(), y.flatten()], dim=1)
    return centres + (places - nearest)
