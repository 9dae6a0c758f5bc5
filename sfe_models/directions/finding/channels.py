"""Finding the style channels of an attribute by examples: StyleSpace (Wu et al. 2021).

Only the style vectors of convolutions are searched; RGB layers carry colour and are left out, as in the paper.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ...generators.base import StyleSpace
from ..base import DirectionError, DirectionInfo
from ..families.stylespace import StyleOffsetDirection
from .statistics import ChannelStatistics

# In standard deviations; single channels bear far larger moves than codes do.
STRENGTH_RANGE = (-10.0, 10.0)
# Relative to the largest standard deviation; a channel that moves less is taken as constant.
_CONSTANT = 1e-9
# Examples that differ by less, in the population's standard deviations, differ by rounding.
_ALIKE = 1e-6


@dataclass(frozen=True)
class ChannelEffect:
    """One style channel and what it has to do with an attribute.

    conv, channel: where it is; effect: how far the examples lie from the mean, in standard deviations; relevance: what
    the channels are ranked by, 0 or more; std: the channel's standard deviation over the population.
    """

    conv: int
    channel: int
    effect: float
    relevance: float
    std: float


def channels_from_examples(
    positives: StyleSpace, population: ChannelStatistics, count: int = 10
) -> tuple[ChannelEffect, ...]:
    """Find the channels that set examples of an attribute apart from the population, the most relevant first.

    positives: style vectors of 2 or more pictures with the attribute; the paper takes 10 to 30. With the examples
    normalised, theta = (s - mean) / std of the population, the effect is their mean and channels are ranked by
    |mean of theta| / std of theta: far off and always alike. Constant channels are left out.
    """
    if count < 1:
        raise DirectionError(f"{count} channels are asked for; expected 1 or more.")
    means, stds = ([s[0].double() for s in part.convs] for part in (population.mean, population.std))
    if [s.shape[1:] for s in positives.convs] != [mean.shape for mean in means]:
        raise DirectionError("The examples' style vectors do not have the population's shapes; use one generator.")
    if (examples := len(positives.convs[0])) < 2:
        raise DirectionError(f"{examples} example; expected 2 or more pictures with the attribute, better 10 to 30.")
    if not all(style.isfinite().all() for style in positives.convs):
        raise DirectionError("The examples' style vectors are not finite; invert the pictures again.")
    tiny = torch.finfo(torch.float64).tiny
    thetas = [
        (style.detach().cpu().double() - mean) / std.clamp_min(tiny)
        for style, mean, std in zip(positives.convs, means, stds, strict=True)
    ]
    theta = torch.cat(thetas, dim=1)
    effect = theta.mean(dim=0)
    relevance = effect.abs() / theta.std(dim=0).clamp_min(_ALIKE)
    places = [(conv, channel) for conv, std in enumerate(stds) for channel in range(len(std))]
    std = torch.cat(list(stds))
    moving = (std > _CONSTANT * std.max()).nonzero()[:, 0]
    order = moving[relevance[moving].argsort(descending=True, stable=True)]
    return tuple(
        ChannelEffect(*places[i], effect[i].item(), relevance[i].item(), std[i].item()) for i in order[:count].tolist()
    )


def channels_direction(
    rows: Sequence[ChannelEffect], population: ChannelStatistics, subject: str | None, name: str
) -> StyleOffsetDirection:
    """Make one direction of several channels: each moves by strength of its own standard deviations.

    Each goes to its side of more of the attribute. (A StyleChannelsDirection has one scale for all its channels.)
    """
    if not rows:
        raise DirectionError("No channel to make a direction of; give at least one.")
    offsets = [torch.zeros_like(std[0], dtype=torch.float32) for std in population.std.convs]
    for row in rows:
        if not (0 <= row.conv < len(offsets) and 0 <= row.channel < len(offsets[row.conv])):
            raise DirectionError(f"There is no channel {row.channel} of convolution {row.conv} in this population.")
        offsets[row.conv][row.channel] = math.copysign(row.std, row.effect)
    listed = ", ".join(f"{row.conv}/{row.channel} ({row.effect:+.3g})" for row in rows[:8])
    more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
    source = f"StyleSpace channels found: {listed}{more}"
    info = DirectionInfo(name, "stylespace", subject, STRENGTH_RANGE, source=source, generator=population.generator)
    return StyleOffsetDirection(info, tuple(offsets))
