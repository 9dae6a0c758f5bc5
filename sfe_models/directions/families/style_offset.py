"""Whole offsets in style space, and the choice of the layers that an offset may touch."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ...generators.base import StyleSpace
from ..base import DirectionError, DirectionInfo, StyleSpaceDirection


@dataclass(frozen=True, eq=False, repr=False)
class StyleOffsetDirection(StyleSpaceDirection):
    """s + scale * strength * offset, for every style vector s.

    convs: one [C] for each convolution of the generator; rgbs: one [C] for each RGB layer, or none, which
    leaves those alone. Style vectors cut to the first layers take the first offsets.
    """

    info: DirectionInfo
    convs: tuple[Tensor, ...]
    rgbs: tuple[Tensor, ...] = ()
    scale: float = 1.0

    def move(self, styles: StyleSpace, strength: Tensor) -> StyleSpace:
        convs = self._moved("convolution", styles.convs, self.convs, strength)
        rgbs = self._moved("RGB layer", styles.rgbs, self.rgbs, strength) if self.rgbs else styles.rgbs
        return StyleSpace(convs, rgbs)

    def _moved(
        self, kind: str, styles: tuple[Tensor, ...], offsets: tuple[Tensor, ...], strength: Tensor
    ) -> tuple[Tensor, ...]:
        if len(styles) > len(offsets):
            raise DirectionError(
                f"Direction '{self.info.name}' has {len(offsets)} {kind} offsets; the model asks for "
                f"{len(styles)}. Use a direction made for this generator."
            )
        moved = []
        for i, (style, offset) in enumerate(zip(styles, offsets, strict=False)):
            if offset.shape != style.shape[1:]:
                raise DirectionError(
                    f"Direction '{self.info.name}' offsets {kind} {i} by {tuple(offset.shape)} numbers; the "
                    f"model's has {style.shape[1]} channels. Use a direction made for this generator."
                )
            moved.append(style + (self.scale * strength.to(style))[:, None] * offset.to(style))
        return tuple(moved)
