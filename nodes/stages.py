"""The stages of the pipeline, from wire to wire: on the device, some pictures at a time, with progress.

What a value goes back to (its inversion, its edit) stays the very same object, so that the pipeline finds what it keeps
for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ..sfe_models.choices import PICTURE
from ..sfe_models.directions.base import Direction
from ..sfe_models.inputs import InputError
from ..sfe_models.values import Delta, Edit, Features, GradualEdit, GradualInversion
from .models import kept, ready
from .page import core_left
from .pictures import to_image
from .progress import Progress, parts
from .wires import Wire, one_model


def apply_direction(wire: Wire, direction: Direction, strengths: Tensor) -> Wire:
    """wire: of an Inversion or of an Edit; strengths: [1] or [B]. Returns an Edit."""
    with ready(wire.model) as pipeline:
        return Wire.of(wire.model, pipeline.apply_direction(wire.value, direction, strengths))


def compute_delta(wire: Wire) -> Wire:
    """wire: of an Edit. Returns a Delta."""
    with ready(wire.model) as pipeline, core_left(wire.is_live):
        found = [Wire.of(wire.model, pipeline.compute_delta(value)).value for _, value in _parts_of(wire.value)]
    return Wire(wire.model, Delta.cat(found, edit=wire.value))


def mask_delta(wire: Wire, masks: Tensor, acts_on: str = PICTURE) -> Wire:
    """wire: of a Delta; masks: [1,H,W] or [B,H,W], 1 where the picture may change; acts_on: of MASK_ACTS_ON."""
    with ready(wire.model) as pipeline:
        return Wire.of(wire.model, pipeline.masked(wire.value, masks, acts_on))


def combine_deltas(wires: Sequence[Wire], weights: Sequence[float]) -> Wire:
    """wires: of Deltas of one inversion. Returns a Delta."""
    model = one_model(wires)
    with ready(model) as pipeline:
        return Wire.of(model, pipeline.combine_deltas([wire.value for wire in wires], weights))


def feature_edit(wire: Wire) -> Wire:
    """wire: of an Inversion (delta = 0) or of a Delta. Returns Features."""
    source, progress, found = wire.value, Progress(len(wire)), []
    with ready(wire.model) as pipeline, core_left(wire.is_live):
        edit = source.edit if isinstance(source, Delta) else pipeline.start_edit(source)
        for part, value in _parts_of(source):
            found.append(Wire.of(wire.model, pipeline.feature_edit(value)).value)
            progress.step(part.stop - part.start)
    return Wire(wire.model, Features.cat(found, edit=edit))


def edited(wire: Wire, masks: Tensor | None = None) -> Tensor:
    """All that comes after Apply Direction, for either kind of model. wire: of an Edit. Returns an IMAGE."""
    if isinstance(wire.value, GradualEdit):
        return synthesize(wire, masks=masks)
    delta = compute_delta(wire)
    return synthesize(feature_edit(delta if masks is None else mask_delta(delta, masks)))


def synthesize(
    wire: Wire, resolution: int | None = None, masks: Tensor | None = None, early: Callable | None = None
) -> Tensor:
    """wire: of Features, or of a gradual model's Edit, which alone takes masks. See Pipeline, too. Gives an IMAGE."""
    if isinstance(wire.value, Edit):
        raise InputError(f"{wire!r} is an edit: Compute Δ and Feature Edit come before its picture can be made.")
    progress, found, live = Progress(len(wire)), [], early is not None and wire.is_live
    with ready(wire.model) as pipeline, core_left(live) as done:

        def seen(draft: Tensor) -> None:
            early(draft)
            done()

        for part, value in _parts_of(wire.value):
            own = {"early": seen} if live else {}
            own |= {} if masks is None else {"mask": masks if len(masks) == 1 else masks[part]}
            found.append(to_image(pipeline.synthesize(value, resolution, **own).to(kept())))
            progress.step(part.stop - part.start)
    return torch.cat(found)


def reconstruct(wire: Wire) -> Tensor:
    """The pictures that an Inversion stands for, as an IMAGE; kept for masks, too."""
    if isinstance(wire.value, GradualInversion):
        return synthesize(Wire(wire.model, wire.model.pipeline.start_edit(wire.value)))
    with ready(wire.model) as pipeline:
        return torch.cat([to_image(pipeline.reconstruct(value).to(kept())) for _, value in _parts_of(wire.value)])


def sweep(wire: Wire, direction: Direction, strengths: Sequence[float], masks: Tensor | None) -> Tensor:
    """wire: of an Inversion; masks: as `mask_delta` takes them. Returns [B*S,3,H,W], one person after the other."""
    people, progress, found = len(wire), Progress(len(wire) * len(strengths)), []
    with ready(wire.model) as pipeline:
        for person in range(people):
            one = wire.value if people == 1 else wire.value[person]
            own = masks if masks is None or len(masks) != people else masks[person : person + 1]
            for part in parts(len(strengths)):
                pictures = pipeline.sweep(one, direction, strengths[part], own)[0]
                found.append(pictures.to(kept()))
                progress.step(len(pictures))
    return torch.cat(found)


def _parts_of(value: Any) -> Iterator[tuple[slice, Any]]:
    """(slice, part) of a batch; the whole value itself where one part is enough."""
    slices = list(parts(len(value)))
    for part in slices:
        yield part, value if len(slices) == 1 else value[part]
