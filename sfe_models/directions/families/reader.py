"""What a file or a row of a table says of a direction, and how a family tells that it is its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from ...generators.base import GeneratorSpec
from ..base import Direction, DirectionInfo


@dataclass(frozen=True, eq=False)
class Stored:
    """One direction as it was found, before a family has recognised it.

    where: what errors name; tensors: floating point and finite, by name, one without a name under ""; scale: what a
    vector is multiplied by; parameters: what a table says besides, such as `component` or `channels`.
    """

    where: str
    info: DirectionInfo
    tensors: Mapping[str, Tensor]
    scale: float = 1.0
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """How one family is read.

    holds: its content in words, for errors; recognises: whether something is of this family, by its content alone;
    read: makes the direction for a generator, raises DirectionError for one that does not fit.
    """

    holds: str
    recognises: Callable[[Stored], bool]
    read: Callable[[Stored, GeneratorSpec], Direction]
