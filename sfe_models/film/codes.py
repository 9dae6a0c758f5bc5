"""Codes without flicker: w, w_E and F_k of neighbouring frames, filtered without lag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..equations import delta_features, run_to_k
from ..pipeline import Pipeline
from ..values import Inversion

# Deviations of the filter's Gaussian that are looked at.
_WINDOW = 3


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


def smoothed(
    pipeline: Pipeline, window: Sequence[Inversion], times: Sequence[float], chosen: Sequence[int], deviation: float
) -> Inversion:
    """Filter some pictures of a run by their neighbours.

    window: inversions of one picture each, in the order of time; times: theirs, in frames; chosen: which of them are
    wanted; deviation: in frames. Returns their inversion as one batch.
    """
    moments = torch.tensor(times, dtype=torch.float64)
    weights = torch.stack([time_weights(moments, i, deviation) for i in chosen])  # [n,T]

    def mixed(name: str) -> Tensor:
        total = torch.zeros(())
        for one, share in zip(window, weights.unbind(1), strict=True):
            value = getattr(one, name)
            if share.any():
                total = total.to(value.device) + share.to(value.device).reshape(-1, *[1] * (value.ndim - 1)) * value
        return total

    return recoded(pipeline, Inversion.cat([window[i] for i in chosen]), mixed("w"), mixed("w_e"), mixed("F_k"))


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
    return replace(inversion, w=w, w_e=w_e, F_k=F_k, F_w_e=F_w_e, carried=carried)
