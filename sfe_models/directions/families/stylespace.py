"""StyleSpace directions (Wu et al. 2021): single channels of the style vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from ...generators.base import StyleSpace
from ..base import DirectionError, DirectionInfo, StyleSpaceDirection

# The published SFE code multiplies the strength of its style space directions by this.
PUBLISHED_SCALE = 3.0


@dataclass(frozen=True, eq=False, repr=False)
class StyleChannelsDirection(StyleSpaceDirection):
    """Add scale * strength to some channels; channels: (convolution, channel) pairs, RGB layers not counted."""

    info: DirectionInfo
    channels: tuple[tuple[int, int], ...]
    scale: float = PUBLISHED_SCALE

    def move(self, styles: StyleSpace, strength: Tensor) -> StyleSpace:
        convs = list(styles.convs)
        for conv, channel in self.channels:
            if conv >= len(convs):
                continue  # only the first layers were asked for
            if channel >= convs[conv].shape[1]:
                raise DirectionError(
                    f"Direction '{self.info.name}' moves channel {channel} of convolution {conv}, which has "
                    f"{convs[conv].shape[1]} channels in this model. Use a direction made for this generator."
                )
            moved = convs[conv].clone()
            moved[:, channel] += self.scale * strength.to(moved)
            convs[conv] = moved
        return replace(styles, convs=tuple(convs))
