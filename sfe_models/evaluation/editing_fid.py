"""The editing FID of the SFE paper (section 4.3): how much edited pictures look like real ones with the attribute.

All pictures that lack an attribute are edited along a direction at one strength; FID compares them with the unedited
pictures that have it, as an attribute table says. For an attribute that is taken away the two change places. What every
picture has, such as a rotation (Table 4), needs no table: all are edited, and compared with all as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..directions.base import Direction, DirectionError
from ..directions.library import DirectionLibrary
from .attribute_tables import AttributeTable
from .comparison import as_saved
from .errors import EvaluationError
from .methods import Method, People
from .metrics import Metrics


@dataclass(frozen=True)
class FidEdit:
    """One attribute, the direction and strength that give it (or take it away, with `removes`).

    attribute: None for an edit of all pictures.
    """

    attribute: str | None
    direction: Direction
    strength: float
    removes: bool = False

    @property
    def label(self) -> str:
        """The name in records: it changes with everything that the edited pictures depend on."""
        sign = "without " if self.removes else ""
        return f"{sign}{self.attribute or 'all'}={self.direction.info.name}:{self.strength:g}"

    @staticmethod
    def parse(text: str, library: DirectionLibrary, removes: bool = False) -> FidEdit:
        """Read ATTRIBUTE=DIRECTION:STRENGTH. Raises EvaluationError, DirectionError for an unknown direction."""
        attribute, equals, rest = text.partition("=")
        name, colon, strength = rest.rpartition(":")
        try:
            value = float(strength)
        except ValueError:
            value = None
        if not (attribute and equals and name and colon) or value is None:
            raise EvaluationError(f"The edit {text!r} cannot be read; expected ATTRIBUTE=DIRECTION:STRENGTH.")
        return FidEdit(attribute, library.get(name), value, removes)

    @staticmethod
    def parse_of_all(text: str, library: DirectionLibrary) -> FidEdit:
        """Read DIRECTION:STRENGTH. Raises EvaluationError, DirectionError for an unknown direction."""
        name, colon, strength = text.rpartition(":")
        try:
            if not (name and colon):
                raise ValueError
            return FidEdit(None, library.get(name), float(strength))
        except ValueError as error:
            if isinstance(error, DirectionError):
                raise
            raise EvaluationError(f"The edit {text!r} cannot be read; expected DIRECTION:STRENGTH.") from None


@dataclass(frozen=True)
class FidEditing:
    """Edit the pictures of a folder as the protocol asks for, and keep their Inception features.

    table: None where all edits are of all pictures.
    """

    edits: tuple[FidEdit, ...]
    table: AttributeTable | None
    metrics: Metrics

    def __post_init__(self):
        for edit in self.edits:
            if edit.attribute is not None:
                self.table.has("", edit.attribute)
            if edit.strength == 0:
                raise DirectionError(f"The strength of {edit.label} is 0; expected one that edits.")

    def check(self, keys: Sequence[str]) -> None:
        """Raise EvaluationError if the table lists none of the pictures."""
        if self.table is not None and not any(Path(key).name in self.table.rows for key in keys):
            raise EvaluationError(f"{self.table.path} lists none of the pictures, such as {keys[0]}.")

    def wanted(self, key: str) -> tuple[str, ...]:
        """Name the edits that a picture takes part in as an edited one."""
        if self.metrics.features is None:
            return ()
        return tuple(
            edit.label
            for edit in self.edits
            if edit.attribute is None or self.table.has(key, edit.attribute) is edit.removes
        )

    def reference(self, edit: FidEdit, key: str) -> bool:
        """Whether a picture is one of the real ones that an edit is compared with."""
        return edit.attribute is None or self.table.has(key, edit.attribute) is (not edit.removes)

    @torch.no_grad()
    def measure(
        self, people: People, keys: Sequence[str], methods: Sequence[Method], inverted: dict[str, Tensor]
    ) -> list[tuple[dict, dict]]:
        """Edit a batch: for each picture what was done, by label, and features [2048] by "LABEL/METHOD"."""
        done: list[tuple[dict, dict]] = [({}, {}) for _ in keys]
        for edit in self.edits:
            index = [i for i, key in enumerate(keys) if edit.label in self.wanted(key)]
            for i in index:
                done[i][0][edit.label] = {}
            if not index:
                continue
            for method in methods:
                pictures = as_saved(method.edited(people, index, edit.direction, [edit.strength] * len(index)))
                for i, vector in zip(index, self.metrics.features(pictures).cpu().numpy(), strict=True):
                    done[i][1][f"{edit.label}/{method.name}"] = vector
        return done
