"""The strength of an edit: one for all pictures, or one for each."""

from __future__ import annotations

import re
from dataclasses import replace

import torch
from comfy_api.latest import io
from torch import Tensor

from ..sfe_models.inputs import InputError
from ..sfe_models.values import repeat_each
from .base import advanced
from .wires import Wire

# Strengths of one picture, as many as Strength Sweep makes.
_MOST = 64


def strength_inputs() -> list[io.Input]:
    """The number, and the list that takes its place."""
    return [
        io.Float.Input(
            "strength",
            default=1.0,
            min=-100.0,
            max=100.0,
            step=0.01,
            round=0.001,
            tooltip="How far to go, for all pictures; 0 changes nothing, a negative number goes the other way. The "
            "picker says which strengths are useful.",
        ),
        advanced(
            io.String.Input(
                "strengths",
                default="",
                optional=True,
                tooltip="One strength for each picture, with commas between them; used in place of 'strength'. For a "
                "single picture several strengths give a batch.",
            )
        ),
    ]


def strengths_for(wire: Wire, strength: float, strengths: str | None) -> tuple[Wire, Tensor]:
    """Return one strength for each picture, and the pictures: a single one is repeated for several strengths."""
    words = [word for word in re.split(r"[\s,;]+", strengths or "") if word]
    try:
        values = torch.tensor([float(word) for word in words] or [float(strength)])
    except ValueError:
        raise InputError(f"'strengths' is {strengths[:80]!r}; expected numbers with commas between them.") from None
    batch = len(wire)
    if len(values) not in (1, batch) and batch != 1:
        raise InputError(f"'strengths' has {len(values)} numbers for {batch} pictures; give one, or one for each.")
    if batch == 1 and len(values) > _MOST:
        raise InputError(
            f"'strengths' has {len(values)} numbers for one picture, and each makes a copy of its features; expected "
            f"at most {_MOST}."
        )
    if batch == 1 and len(values) > 1:
        wire = repeated(wire, len(values))
    return wire, values


def repeated(wire: Wire, times: int) -> Wire:
    """Repeat every picture of an inversion or edit."""
    return wire if times == 1 else replace(wire, value=repeat_each(wire.value, times))
