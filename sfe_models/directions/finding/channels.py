"""Finding style channels of an attribute: StyleSpace (Wu et al. 2021), by examples or by gradient.

Only the style vectors of convolutions are searched; RGB layers carry colour and are left out, as in the
paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...generators.base import Generator, StyleSpace
from ..base import DirectionError, DirectionInfo
from ..families.style_offset import StyleOffsetDirection
from ..families.stylespace import StyleChannelsDirection
from .sampling import Progress, sample_w

# In standard deviations; single channels bear far larger moves than codes do.
STRENGTH_RANGE = (-10.0, 10.0)
# Relative to the largest deviation; a channel that moves less is taken as constant.
_CONSTANT = 1e-9
# Examples that differ by less, in the population's deviations, differ by rounding.
_ALIKE = 1e-6


@dataclass(frozen=True)
class ChannelEffect:
    """One style channel and what it has to do with an attribute.

    conv, channel: where it is; effect: signed size, see the function that found it; relevance: what the
    channels are ranked by, 0 or more; deviation: the channel's standard deviation over the population.
    """

    conv: int
    channel: int
    effect: float
    relevance: float
    deviation: float


@dataclass(frozen=True, eq=False)
class StylePopulation:
    """Mean and standard deviation of each convolution's style channels: one [C] each, float64 on the CPU."""

    mean: tuple[Tensor, ...]
    std: tuple[Tensor, ...]

    def __repr__(self) -> str:
        return f"StylePopulation(convs={len(self.mean)})"


@torch.no_grad()
def style_population(
    generator: Generator,
    samples: int = 10_000,
    seed: int = 0,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> StylePopulation:
    """Measure the styles of seeded samples, streaming, in float64 (divisor: samples - 1)."""
    if samples < 2:
        raise DirectionError(f"{samples} samples have no standard deviation; expected 2 or more.")
    convs = [generator.conv(i).conv.modulation for i in range(generator.spec.n_layers)]
    near = [conv(generator.latent_avg[None])[0].cpu().double() for conv in convs]
    first, second = [torch.zeros_like(s) for s in near], [torch.zeros_like(s) for s in near]
    done = 0
    for w in sample_w(generator, samples, seed, batch_size):
        for i, conv in enumerate(convs):
            centred = conv(w).cpu().double() - near[i]
            first[i] += centred.sum(dim=0)
            second[i] += centred.square().sum(dim=0)
        done += len(w)
        if progress is not None:
            progress(done, samples)
    mean = tuple(n + f / samples for n, f in zip(near, first, strict=True))
    variance = [(s - f * f / samples) / (samples - 1) for f, s in zip(first, second, strict=True)]
    return StylePopulation(mean, tuple(v.clamp_min(0).sqrt() for v in variance))


def channels_from_examples(
    positives: StyleSpace, population: StylePopulation, count: int = 10
) -> tuple[ChannelEffect, ...]:
    """Find the channels that set examples of an attribute apart from the population.

    positives: style vectors of 2 or more pictures with the attribute; the paper takes 10 to 30. With the
    examples normalised, theta = (s - mean) / std of the population, the effect is their mean in standard
    deviations and channels are ranked by |mean of theta| / std of theta: far off and always alike.
    """
    _check_count(count)
    if len(positives.convs) != len(population.mean) or any(
        s.shape[1:] != m.shape for s, m in zip(positives.convs, population.mean, strict=False)
    ):
        raise DirectionError("The examples' style vectors do not have the population's shapes; use one generator.")
    examples = len(positives.convs[0])
    if examples < 2:
        raise DirectionError(f"{examples} example; expected 2 or more pictures with the attribute, better 10 to 30.")
    effects, relevances = [], []
    for style, mean, std in zip(positives.convs, population.mean, population.std, strict=True):
        theta = (style.detach().cpu().double() - mean) / std.clamp_min(torch.finfo(torch.float64).tiny)
        if not style.isfinite().all():
            raise DirectionError("The examples' style vectors are not finite; invert the pictures again.")
        effects.append(theta.mean(dim=0))
        relevances.append(effects[-1].abs() / theta.std(dim=0).clamp_min(_ALIKE))
    return _ranked(effects, relevances, population, count)


def channels_from_gradient(
    generator: Generator,
    scorer: Callable[[Tensor], Tensor],
    population: StylePopulation,
    count: int = 10,
    *,
    samples: int = 64,
    seed: int = 0,
    batch_size: int = 4,
    truncation: float = 1.0,
    progress: Progress | None = None,
) -> tuple[ChannelEffect, ...]:
    """Find the channels that a score depends on most, by its gradient in style space.

    scorer: differentiable, pictures [b,3,R,R], about [-1,1], to scores [b]. The effect is the gradient's mean
    over `samples` seeded pictures times the channel's deviation: the score's change, to first order, for one
    standard deviation; channels are ranked by its size.
    """
    _check_count(count)
    widths = [len(generator.conv(i).conv.modulation.bias) for i in range(generator.spec.n_layers)]
    if [len(mean) for mean in population.mean] != widths:
        raise DirectionError("The population is of another generator; measure it with style_population.")
    total = [torch.zeros_like(std) for std in population.std]
    done = 0
    for w in sample_w(generator, samples, seed, batch_size, truncation):
        for part, gradient in zip(total, _gradients(generator, scorer, w), strict=True):
            part += gradient.cpu().double().sum(dim=0)
        done += len(w)
        if progress is not None:
            progress(done, samples)
    effects = [part / samples * std for part, std in zip(total, population.std, strict=True)]
    if not all(effect.isfinite().all() for effect in effects):
        raise DirectionError("The score's gradient is not finite; give a scorer that is smooth on pictures.")
    return _ranked(effects, [effect.abs() for effect in effects], population, count)


def _gradients(generator: Generator, scorer: Callable[[Tensor], Tensor], w: Tensor) -> tuple[Tensor, ...]:
    """Gradient of each picture's score in its convolutions' style vectors: one [b,C] each."""
    with torch.enable_grad():
        styles = generator.style_space(generator.broadcast(w)).map(lambda s: s.detach().clone().requires_grad_())
        score = scorer(generator.synthesize(styles))
        if not isinstance(score, Tensor) or score.shape not in ((len(w),), (len(w), 1)):
            shape = tuple(score.shape) if isinstance(score, Tensor) else type(score).__name__
            raise DirectionError(f"The scorer returned {shape} for {len(w)} pictures; expected one number for each.")
        if not score.requires_grad:
            raise DirectionError("The scorer's result has no gradient; give one that is differentiable in pictures.")
        return torch.autograd.grad(score.sum(), styles.convs, materialize_grads=True)


def _check_count(count: int) -> None:
    if count < 1:
        raise DirectionError(f"{count} channels are asked for; expected 1 or more.")


def _ranked(
    effects: Sequence[Tensor], relevances: Sequence[Tensor], population: StylePopulation, count: int
) -> tuple[ChannelEffect, ...]:
    """Return the most relevant channels, the first first; constant channels are left out."""
    deviations = torch.cat(list(population.std))
    effect, relevance = torch.cat(list(effects)), torch.cat(list(relevances))
    places = [(conv, channel) for conv, std in enumerate(population.std) for channel in range(len(std))]
    moving = (deviations > _CONSTANT * deviations.max()).nonzero()[:, 0]
    order = moving[relevance[moving].argsort(descending=True, stable=True)]
    return tuple(
        ChannelEffect(*places[i], effect[i].item(), relevance[i].item(), deviations[i].item())
        for i in order[:count].tolist()
    )


def _info(rows: Sequence[ChannelEffect], subject: str, name: str, effect: str, source: str) -> DirectionInfo:
    listed = ", ".join(f"{row.conv}/{row.channel} ({row.effect:+.3g})" for row in rows[:8])
    more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
    source = f"{source or 'StyleSpace channels found'}: {listed}{more}"
    return DirectionInfo(name, "stylespace", subject, STRENGTH_RANGE, effect, source)


def channel_direction(
    row: ChannelEffect, subject: str, name: str, *, effect: str = "", source: str = ""
) -> StyleChannelsDirection:
    """Make the direction of one channel, with strengths in its standard deviations.

    Its scale is the channel's deviation with the sign of its effect, so that positive means more of the
    attribute.
    """
    info = _info([row], subject, name, effect, source)
    return StyleChannelsDirection(info, ((row.conv, row.channel),), math.copysign(row.deviation, row.effect))


def channels_direction(
    rows: Sequence[ChannelEffect],
    population: StylePopulation,
    subject: str,
    name: str,
    *,
    effect: str = "",
    source: str = "",
) -> StyleOffsetDirection:
    """Make one direction of several channels: each moves by strength of its own standard deviations.

    Each goes to its side of more of the attribute. (A StyleChannelsDirection has one scale for all its
    channels.)
    """
    if not rows:
        raise DirectionError("No channel to make a direction of; give at least one.")
    offsets = [torch.zeros_like(std, dtype=torch.float32) for std in population.std]
    for row in rows:
        if not (0 <= row.conv < len(offsets) and 0 <= row.channel < len(offsets[row.conv])):
            raise DirectionError(f"There is no channel {row.channel} of convolution {row.conv} in this population.")
        offsets[row.conv][row.channel] = math.copysign(row.deviation, row.effect)
    return StyleOffsetDirection(_info(rows, subject, name, effect, source), tuple(offsets))
