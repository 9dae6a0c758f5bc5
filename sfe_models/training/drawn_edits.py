"""The edits that phase 2 trains with: directions, and the strengths that are drawn for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..directions.base import Direction, DirectionError
from ..directions.library import DirectionLibrary
from ..generators.base import Generator, StyleSpace
from .config import EditDraw


@dataclass(frozen=True)
class DrawnEdit:
    """A direction and the strengths that it may be drawn with: some numbers, or a range."""

    direction: Direction
    strengths: tuple[float, ...]
    range: tuple[float, float] | None

    def strength(self, batch: int, device: torch.device) -> Tensor:
        """Draw one strength for each picture: [batch]."""
        if self.range is not None:
            low, high = self.range
            return torch.rand(batch, device=device) * (high - low) + low
        choice = torch.randint(len(self.strengths), (batch,))
        return torch.tensor(self.strengths)[choice].to(device)

    def apply(self, generator: Generator, w_plus: Tensor, strength: Tensor) -> StyleSpace:
        """Move codes [B,N,D] along the direction, of whatever family: their style vectors."""
        return self.direction.moved_styles(generator, w_plus, strength)


def drawn_edits(table: Sequence[EditDraw], library: DirectionLibrary) -> list[DrawnEdit]:
    """Read the directions of a table; an empty table means all usable ones within their ranges.

    Raises DirectionError for a direction that does not exist, or if there is none at all.
    """
    if not table:
        usable = [e.info for e in library.entries if library.available(e) and e.info.strength_range]
        table = [EditDraw(info.name, range=info.strength_range) for info in usable]
    if not table:
        raise DirectionError(
            "There is no direction to train the Feature Editor with; expected --directions with a folder that is named "
            "`directions` or holds one of that name."
        )
    return [DrawnEdit(library.get(row.direction), row.strengths, row.range) for row in table]
