"""StyleCLIP global directions (Patashnik et al. 2021, section 6): from two prompts to an offset in style
space.

delta_t is the unit difference of the target's and the neutral prompt's embeddings. The weight of channel c is
its relevance <delta_i_c, delta_t>, 0 if that is smaller than the threshold beta; the weights are divided by
the largest and multiplied by the channels' deviations. A higher threshold leaves fewer channels, a narrower
edit.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from ...choices import TEXT_THRESHOLD
from ..base import DirectionError, DirectionInfo
from ..families.stylespace import StyleOffsetDirection
from .clip_text import Embedder, check_threshold, text_difference
from .relevance import PUBLISHED_CONVS, ChannelRelevance

# The published SFE code divides the strength by 1.5. It moves RGB style vectors too, but by zeros.
PUBLISHED_SCALE = 1 / 1.5
# The strengths and thresholds that StyleCLIP's own tool offers are -10 to 10 and 0.08 to 0.4.
STRENGTH_RANGE = (-10.0, 10.0)


class StyleCLIPGlobal:
    """Make directions from prompts for one generator. The last `cached` prompt pairs are kept.

    convs: only the first so many convolutions move, None for all that the relevance covers. The published SFE
    code moves 11, up to 128 px, though its matrix covers more, whose channels count in the largest weight.
    """

    def __init__(
        self,
        embedder: Embedder,
        relevance: ChannelRelevance,
        convs: int | None = PUBLISHED_CONVS,
        cached: int = 32,
    ):
        if convs is not None and convs < 1:
            raise DirectionError(f"{convs} convolutions are to move; expected at least 1, or None for all.")
        self.embedder, self.relevance = embedder, relevance
        self.convs = relevance.convs if convs is None else min(convs, relevance.convs)
        self._difference = lru_cache(cached)(self._embed_difference)

    def _embed_difference(self, neutral: str, target: str) -> Tensor:
        difference = text_difference(self.embedder, neutral, target).cpu()
        if difference.shape != self.relevance.matrix.shape[1:]:
            raise DirectionError(
                f"{self.embedder.name} embeds into {len(difference)} dimensions; the channel relevance was "
                f"made with a CLIP of {self.relevance.matrix.shape[1]}. Use the CLIP that it was made with "
                "(ViT-B/32)."
            )
        return difference / difference.norm()

    def channel_weights(self, neutral: str, target: str, threshold: float = TEXT_THRESHOLD) -> Tensor:
        """Weigh every channel: [n] in [-1,1], n the rows of the relevance matrix.

        Channels of convolutions that do not move have 0. Raises DirectionError if the threshold leaves no
        channel.
        """
        threshold = check_threshold(threshold)
        weights = self.relevance.matrix @ self._difference(neutral, target)
        moving = sum(len(part) for part in self.relevance.split(weights)[: self.convs])
        largest = float(weights[:moving].abs().max())
        if largest == 0 or largest < threshold:
            raise DirectionError(
                f"The threshold {threshold:g} removes every channel for {neutral!r} to {target!r}; the "
                f"largest relevance is {largest:.3g}. Lower the threshold, or choose prompts that the "
                "generator can show."
            )
        kept = torch.where(weights.abs() < threshold, 0.0, weights) / weights.abs().max()
        kept[moving:] = 0
        return kept

    def direction(self, neutral: str, target: str, threshold: float = TEXT_THRESHOLD) -> StyleOffsetDirection:
        """Make the direction. Its name is the published one: styleclip_global_<neutral>_<target>_<beta>."""
        weights = self.relevance.split(self.channel_weights(neutral, target, threshold))
        std = self.relevance.statistics.std.convs
        offsets = [w * s[0] for w, s in zip(weights, std, strict=False)]
        offsets += [torch.zeros_like(s[0]) for s in std[len(weights) :]]
        count = sum(int(w.count_nonzero()) for w in weights)
        info = DirectionInfo(
            f"styleclip_global_{neutral}_{target}_{threshold:g}",
            "styleclip_global",
            self.relevance.subject,
            STRENGTH_RANGE,
            f"from {neutral!r} to {target!r}, {count} channels",
            f"StyleCLIP global direction through {self.embedder.name}",
            self.relevance.statistics.generator,
        )
        return StyleOffsetDirection(info, tuple(offsets), scale=PUBLISHED_SCALE)
