"""The table of the directions that were published with StyleFeatureEditor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

from .base import DirectionInfo


@dataclass(frozen=True)
class PublishedDirection:
    """One row. file: where it lies below a folder of such files, None if it needs none.

    scale, parameters: what its family's reader takes besides the file's tensors (see `families.reader.Stored`).
    own_layers: whether it moves a StyleGAN2's own layers and fits no other generator.
    """

    info: DirectionInfo
    file: str | None
    scale: float
    own_layers: bool = False
    parameters: Mapping[str, object] = field(default_factory=dict)


def _table() -> dict:
    return json.loads(resources.files(__package__).joinpath("published.json").read_text(encoding="utf-8"))


def published_directions() -> list[PublishedDirection]:
    """Read the table."""
    table = _table()
    rows = []
    for row in table["directions"]:
        family, strengths = row.pop("family"), row.pop("strength_range", None)
        about = table["families"][family]
        info = DirectionInfo(
            row.pop("name"),
            family,
            row.pop("subject"),
            tuple(strengths) if strengths else None,
            row.pop("effect", ""),
            about["source"],
        )
        file, own_layers = row.pop("file", None), about.get("own_layers", False)
        rows.append(PublishedDirection(info, file, about["scale"], own_layers, row))
    return rows


def names_of_persons() -> frozenset[str]:
    """Read which directions bear the name of a person: they are found when asked for, and never offered."""
    return frozenset(_table()["named_after_persons"])
