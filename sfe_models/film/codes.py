"""Codes without flicker: w, w_E and F_k of neighbouring frames, filtered without lag."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..equations import delta_features, run_to_k
from ..pipeline import Pipeline
from ..values import Inversion
from .shots import cells, change, cuts

# Deviations of the filter's Gaussian that are looked at.
_WINDOW = 3
# How fast a cell's weight falls when it differs more than is usual, in usual differences: of films made by the renderer
# 2 keeps speech and blinks (docs/film.md).
_TOLERANCE = 2.0
_TINY, _LEAST = 1e-12, 0.05


def reach(deviation: float) -> int:
    """How many frames before and after one the filter reads."""
    return int(_WINDOW * deviation)


def time_weights(times: Tensor, now: int, deviation: float) -> Tensor:
    """Weights [T] that give the value at one of the times of the line through the values, Gaussian about it.

    In the middle of a run that is the Gaussian's mean; at its ends the line keeps a steady motion where it is. They
    sum to 1; times [T] and deviation in one unit, now: the number of the time that is asked for.
    """
    time = times.double() - times[now]
    weights = torch.exp(-0.5 * (time / deviation).square())
    apart = (torch.arange(len(times)) - now).abs()
    weights = torch.where((time.abs() <= _WINDOW * deviation) & (apart <= reach(deviation)), weights, 0.0)
    weights = weights / weights.sum()
    mean = (weights * time).sum()
    spread = (weights * (time - mean).square()).sum()
    if spread > 0:
        weights = weights * (1 - mean * (time - mean) / spread)
    return weights.float()


@torch.no_grad()
def smoothed(
    pipeline: Pipeline, window: Sequence[Inversion], times: Sequence[float], chosen: Sequence[int], deviation: float
) -> Inversion:
    """Filter some pictures of a run by their neighbours.

    Every cell of F_k is averaged with itself in other frames, by `time_weights` and by how alike both are: what differs
    as much as frames usually do is noise, what differs more is a blink, speech or a turn of the head, and stays. Codes
    are averaged as the cells are on the mean. window: inversions of one picture each, in the order of time; times:
    theirs, in frames; chosen: which of them are wanted; deviation: in frames. Returns their inversion as one batch.
    """
    own = Inversion.cat([window[i] for i in chosen])
    if len(window) == 1:
        return own
    pairs = zip(window, window[1:], strict=False)
    usual = torch.stack([_difference(a.F_k, b.F_k).float().median() for a, b in pairs]).median()
    moments = torch.tensor(times, dtype=torch.float64)
    mixed = [_mixed(window, time_weights(moments, i, deviation).tolist(), i, usual) for i in chosen]
    return recoded(pipeline, own, *map(torch.cat, zip(*mixed, strict=True)))


def _mixed(
    window: Sequence[Inversion], weights: Sequence[float], now: int, usual: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """w, w_E and F_k of one picture; usual: how much cells differ from one frame to the next."""
    here, codes, shares = window[now], [], []
    total, whole = torch.zeros_like(here.F_k), torch.zeros_like(here.F_k[:, :1])
    for one, weight in zip(window, weights, strict=True):
        if weight:
            unlike = (_difference(one.F_k, here.F_k) / usual.clamp_min(_TINY) - 1).clamp_min(0)
            alike = weight * torch.exp(-unlike / _TOLERANCE)
            total, whole = total + alike * one.F_k, whole + alike
            codes.append((one.w, one.w_e))
            shares.append(float(alike.mean()))
    # At the ends of a run, where weights beyond the line's fulcrum are below 0, cells may leave little of the rest.
    F_k = torch.where(whole > _LEAST, total / whole.clamp_min(_LEAST), here.F_k)
    if sum(shares) <= _LEAST:
        return here.w, here.w_e, F_k
    w, w_e = (sum(share * code for share, code in zip(shares, kind, strict=True)) for kind in zip(*codes, strict=True))
    return w / sum(shares), w_e / sum(shares), F_k


def _difference(a: Tensor, b: Tensor) -> Tensor:
    """How much features [1,C,r,r] differ around every cell: [1,1,r,r]."""
    return F.avg_pool2d((a - b).square().mean(dim=1, keepdim=True), 3, 1, 1, count_include_pad=False)


def smoothed_batch(
    pipeline: Pipeline, inversion: Inversion, deviation: float, done: Callable[[], None] = lambda: None
) -> Inversion:
    """Filter a batch whose pictures are frames that follow each other, each by its neighbours; cuts are found.

    done: called after each picture.
    """
    if deviation <= 0 or len(inversion) < 2:
        return inversion
    small = [cells((picture + 1) * 127.5) for picture in inversion.picture.float()]
    starts = [0, *cuts([change(*pair) for pair in zip(small, small[1:], strict=False)])]
    far, made = reach(deviation), []
    for start, end in zip(starts, [*starts[1:], len(inversion)], strict=True):
        for number in range(start, end):
            first, last = max(start, number - far), min(end, number + far + 1)
            window = [inversion[i] for i in range(first, last)]
            made.append(smoothed(pipeline, window, range(first, last), [number - first], deviation))
            done()
    return Inversion.cat(made)


@torch.no_grad()
def recoded(pipeline: Pipeline, inversion: Inversion, w: Tensor, w_e: Tensor, F_k: Tensor) -> Inversion:
    """Put other codes into an inversion; what follows from them, F(w_E) and what the generator carries, is computed."""
    spec, generator, device = pipeline.spec, pipeline.networks.generator, pipeline.networks.device
    k, layer = spec.feature_layer, spec.delta_layer
    carried = inversion.carried
    if carried:
        carried = run_to_k(generator, spec, generator.style_space(w[:, : k + 1].to(device), k)).carried
    styles_e = generator.style_space(w_e[:, : layer + 1].to(device), layer)
    F_w_e = delta_features(generator, spec, run_to_k(generator, spec, styles_e), styles_e)
    carried, F_w_e = tuple(part.to(F_k.device) for part in carried), F_w_e.to(F_k.device)
    return replace(inversion, w=w, w_e=w_e, F_k=F_k, F_w_e=F_w_e, carried=carried)
