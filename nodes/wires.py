"""What travels between nodes: a value of the library with the model that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from ..sfe_models.stylegan2.generator import StyleSpace
from ..sfe_models.values import Delta, Edit, Features, Inversion
from .models import LoadedModel


@dataclass(frozen=True, eq=False)
class Wire:
    """A batch-first value and its model."""

    model: LoadedModel
    value: Inversion | Edit | Delta | Features

    def __len__(self) -> int:
        return len(inversion_of(self.value))

    def __repr__(self) -> str:
        edit = self.value if isinstance(self.value, Edit) else getattr(self.value, "edit", None)
        steps = "" if edit is None or not edit.steps else f", {edit.steps!r}"
        return f"{type(self.value).__name__} of {len(self)} pictures by {self.model.name}{steps}"[:300]


def inversion_of(value: Inversion | Edit | Delta | Features) -> Inversion:
    """The inversion that a value goes back to."""
    if isinstance(value, Inversion):
        return value
    return value.inversion if isinstance(value, Edit) else value.edit.inversion


def kept_on(value, device: torch.device):
    """Move the value's own tensors; what it goes back to stays the very same object, whose results are kept."""
    moved = {}
    for field in fields(value):
        part = getattr(value, field.name)
        if isinstance(part, Tensor):
            moved[field.name] = part.to(device)
        elif isinstance(part, StyleSpace):
            moved[field.name] = part.map(lambda t: t.to(device))
    return replace(value, **moved)
