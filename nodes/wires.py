"""What travels between nodes: a value of the library with the model that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from ..sfe_models.generators.base import StyleSpace
from ..sfe_models.pipeline import InputError
from ..sfe_models.values import Delta, Edit, Features, Inversion
from .models import LoadedModel, kept


@dataclass(frozen=True, eq=False)
class Wire:
    """A batch-first value and its model."""

    model: LoadedModel
    value: Inversion | Edit | Delta | Features

    @classmethod
    def of(cls, model: LoadedModel, value: Any) -> Wire:
        """Put what the pipeline made on the wire: its own tensors go to where wires keep them."""
        return cls(model, kept_on(value, kept()))

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        edit = self.value if isinstance(self.value, Edit) else getattr(self.value, "edit", None)
        steps = "" if edit is None or not edit.steps else f", {edit.steps!r}"
        return f"{type(self.value).__name__} of {len(self)} pictures by {self.model.name}{steps}"[:300]


def kept_on(value: Any, device: torch.device) -> Any:
    """Move the value's own tensors; what it goes back to stays the very same object, whose results are kept."""
    moved = {}
    for field in fields(value):
        part = getattr(value, field.name)
        if isinstance(part, Tensor):
            moved[field.name] = part.to(device)
        elif isinstance(part, StyleSpace):
            moved[field.name] = part.map(lambda t: t.to(device))
        elif field.name == "carried":
            moved[field.name] = tuple(t.to(device) for t in part)
    return replace(value, **moved)


def one_model(wires: Sequence[Wire]) -> LoadedModel:
    """The model that all wires belong to; raises InputError where there are several."""
    models = {id(wire.model): wire.model for wire in wires}
    if len(models) > 1:
        raise InputError(f"The inputs were made by {' and '.join(map(repr, models.values()))}; use one model for all.")
    return wires[0].model


def belongs_to(other: Inversion, inversion: Inversion) -> bool:
    """Whether `other` is of the same pictures, or of one picture repeated."""
    mine, theirs = inversion.F_k, other.F_k
    if inversion.domain != other.domain or len(mine) not in (1, len(theirs)) or mine.shape[1:] != theirs.shape[1:]:
        return False
    return other is inversion or torch.equal(mine.expand_as(theirs), theirs)
