"""Directions made of directions: the average of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from ...generators.base import StyleSpace
from ..base import Direction, DirectionError, DirectionInfo, StyleSpaceDirection, WPlusDirection


@dataclass(frozen=True, eq=False, repr=False)
class _Averaged:
    info: DirectionInfo
    directions: tuple[Direction, ...]

    @property
    def reads_all_layers(self) -> bool:
        return any(d.reads_all_layers for d in self.directions)


class AveragedDirection(_Averaged, WPlusDirection):
    """The mean of the moves of several W+ directions, each at the full strength."""

    def move(self, w_plus: Tensor, strength: Tensor) -> Tensor:
        return w_plus + sum(d.move(w_plus, strength) - w_plus for d in self.directions) / len(self.directions)


class AveragedStyleDirection(_Averaged, StyleSpaceDirection):
    """The mean of the moves of several style space directions, each at the full strength."""

    def move(self, styles: StyleSpace, strength: Tensor) -> StyleSpace:
        moved = [d.move(styles, strength) for d in self.directions]

        def mean(before: Tensor, after: tuple[Tensor, ...]) -> Tensor:
            return before + sum(a - before for a in after) / len(after)

        convs = zip(styles.convs, zip(*(m.convs for m in moved), strict=True), strict=True)
        rgbs = zip(styles.rgbs, zip(*(m.rgbs for m in moved), strict=True), strict=True)
        return StyleSpace(tuple(mean(*c) for c in convs), tuple(mean(*r) for r in rgbs))


def averaged(directions: Sequence[Direction], name: str | None = None) -> Direction:
    """Average directions of one subject, one generator and one space, W+ or style space."""
    directions = tuple(directions)
    if not directions:
        raise DirectionError("There is nothing to average; expected at least one direction.")
    names = ", ".join(d.info.name for d in directions)
    subjects = sorted({d.info.subject for d in directions} - {None})
    if len(subjects) > 1:
        raise DirectionError(f"Directions for {' and '.join(subjects)} cannot be averaged: {names}.")
    generators = sorted({d.info.generator for d in directions} - {None})
    if len(generators) > 1:
        raise DirectionError(
            f"Directions found from the generators {' and '.join(generators)} cannot be averaged: {names}. Find them "
            "anew from one."
        )
    in_style_space = [isinstance(d, StyleSpaceDirection) for d in directions]
    if any(in_style_space) and not all(in_style_space):
        spaces = [
            f"'{d.info.name}' ({'style space' if s else 'W+'})" for d, s in zip(directions, in_style_space, strict=True)
        ]
        raise DirectionError(
            f"Directions of different spaces cannot be averaged: {', '.join(spaces)}. Apply them one after another."
        )
    subject, generator = (found[0] if found else None for found in (subjects, generators))
    info = DirectionInfo(name or f"average of {names}", "average", subject, generator=generator)
    return (AveragedStyleDirection if in_style_space[0] else AveragedDirection)(info, directions)
