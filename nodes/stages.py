"""The stages of the pipeline over a batch of any length: some pictures at a time, with progress.

What a value goes back to (its inversion, its edit) stays the very same object, so that the pipeline finds what it
keeps for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from ..sfe_models.directions.base import Direction
from ..sfe_models.faces.crop.appearance import warn_if_not_aligned
from ..sfe_models.pipeline import Pipeline
from ..sfe_models.values import Delta, Edit, Features, Inversion
from .models import LoadedModel, kept, ready
from .pictures import to_image
from .progress import Progress, parts
from .wires import Wire, kept_on


def invert(model: LoadedModel, pictures: Tensor) -> Wire:
    """pictures: [B,3,H,W] in [-1,1]; faces that do not look aligned get a warning."""
    warn_if_not_aligned(pictures, model.pipeline.spec.subject)
    progress, found = Progress(len(pictures)), []
    with ready(model) as pipeline:
        for part in parts(len(pictures)):
            found.append(kept_on(pipeline.invert(pictures[part]), kept()))
            progress.step(part.stop - part.start)
    if len(found) == 1:
        return Wire(model, found[0])
    tensors = {f.name: torch.cat([getattr(v, f.name) for v in found]) for f in fields(Inversion) if f.name != "domain"}
    return Wire(model, Inversion(**tensors, domain=found[0].domain))


def compute_delta(wire: Wire) -> Wire:
    """wire: of an Edit."""
    edit, found = wire.value, []
    with ready(wire.model) as pipeline:
        for _, value in _parts_of(edit):
            found.append(kept_on(pipeline.compute_delta(value), kept()))
    return Wire(wire.model, Delta(edit, *(torch.cat([getattr(v, n) for v in found]) for n in ("delta", "rgb"))))


def feature_edit(wire: Wire) -> Wire:
    """wire: of an Inversion (delta = 0) or of a Delta."""
    source, progress = wire.value, Progress(len(wire))
    with ready(wire.model) as pipeline:
        edit = pipeline.start_edit(source) if isinstance(source, Inversion) else source.edit
        found = []
        for part, value in _parts_of(source):
            found.append(kept_on(pipeline.feature_edit(value), kept()))
            progress.step(part.stop - part.start)
    return Wire(wire.model, Features(edit, *(torch.cat([getattr(v, n) for v in found]) for n in ("F_k", "rgb"))))


def synthesize(wire: Wire, progress: Progress | None = None, resolution: int | None = None) -> Tensor:
    """wire: of Features; resolution: as Pipeline.synthesize takes it. Returns an IMAGE."""
    progress, found = progress or Progress(len(wire)), []
    with ready(wire.model) as pipeline:
        for part, value in _parts_of(wire.value):
            pictures = pipeline.synthesize(value, resolution)
            found.append(to_image(pictures.to(kept())))
            progress.step(part.stop - part.start, pictures[0])
    return torch.cat(found)


def reconstruct(wire: Wire) -> Tensor:
    """The pictures that an Inversion stands for, as an IMAGE."""
    return synthesize(feature_edit(wire))


def apply_direction(pipeline: Pipeline, source: Inversion | Edit, direction: Direction, strengths: Tensor) -> Edit:
    """Apply one direction and keep the edit's tensors where wires keep them."""
    return kept_on(pipeline.apply_direction(source, direction, strengths), kept())


def _parts_of(value) -> Iterator[tuple[slice, Any]]:
    """(slice, part) of a batch; the whole value itself where one part is enough."""
    slices = list(parts(len(value)))
    for part in slices:
        yield part, value if len(slices) == 1 else value[part]
