"""What travels between nodes: a value of the library with the model that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from ..sfe_models.generators.base import StyleSpace
from ..sfe_models.values import Delta, Edit, Features, Inversion
from .models import LoadedModel


@dataclass(frozen=True, eq=False)
class Wire:
    """A batch-first value and its model."""

    model: LoadedModel
    value: Inversion | Edit | Delta | Features

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        edit = self.value if isinstance(self.value, Edit) else getattr(self.value, "edit", None)
        steps = "" if edit is None or not edit.steps else f", {edit.steps!r}"
        return f"{type(self.value).__name__} of {len(self)} pictures by {self.model.name}{steps}"[:300]


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


def belongs_to(other: Inversion, inversion: Inversion) -> bool:
    """Whether `other` is of the same pictures, or of one picture repeated."""
    mine, theirs = inversion.F_k, other.F_k
    if inversion.domain != other.domain or len(mine) not in (1, len(theirs)) or mine.shape[1:] != theirs.shape[1:]:
        return False
    return other is inversion or torch.equal(mine.expand_as(theirs), theirs)
