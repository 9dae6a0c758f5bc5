"""Colours that agree along a mask's edge: one gain and offset, or a smooth field (Poisson blending)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..blur import gaussian_blur

# A colour's deviation is not stretched by more than this, so that flat surfaces stay flat.
_LARGEST_GAIN = 1.25
# Colours are compared after a blur by this share of the side: a crop that lost detail has not lost contrast.
_COARSE = 0.03
# Deviations below this, as a share of the brightest value, say nothing about contrast.
_SMALLEST_DEVIATION = 0.004
# The edge of a mask is where its blur, by this share of the side, is neither 0 nor 1; fewer points are no edge.
_EDGE, _LEAST_POINTS = 0.02, 32
_SOLVED = 96


def around_edge(weights: Tensor) -> Tensor:
    """Mark the points [h,w] around the edge of a mask, the picture's own edge included."""
    deviation = _EDGE * max(weights.shape)
    rim = int(2 * deviation) + 1
    blurred = gaussian_blur(F.pad(weights[None], (rim,) * 4), deviation)[0, rim:-rim, rim:-rim]
    return (blurred > 0.02) & (blurred < 0.98)


def match_colours(crop: Tensor, reference: Tensor, weights: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Give each channel's gain and offset, [C,1,1] each, that bring a crop [C,h,w] to a reference around a mask's edge.

    weights: the mask [h,w]; seen: where the reference is known [h,w]. Mean and deviation are compared; without an
    edge both stay as they are.
    """
    edge = around_edge(weights) & seen
    if edge.sum() < _LEAST_POINTS:
        return crop.new_ones(len(crop), 1, 1), crop.new_zeros(len(crop), 1, 1)
    deviation = _COARSE * max(weights.shape)
    own, wanted = (gaussian_blur(picture, deviation)[:, edge] for picture in (crop, reference))
    least = _SMALLEST_DEVIATION * float(reference.abs().max())
    deviation = own.std(dim=1)
    gain = (wanted.std(dim=1) / deviation.clamp_min(1e-12)).clamp(1 / _LARGEST_GAIN, _LARGEST_GAIN)
    gain = torch.where(deviation > least, gain, torch.ones_like(gain))
    offset = wanted.mean(dim=1) - gain * own.mean(dim=1)
    return gain[:, None, None], offset[:, None, None]


def membrane(difference: Tensor, weights: Tensor) -> Tensor:
    """Continue a difference of colours [C,h,w] from around a mask into it, as smoothly as a soap film.

    Inside the mask the Laplace equation is solved with the difference at the mask's edge as boundary values, which is
    Poisson blending (Perez et al. 2003) written for the correction; outside it is the difference itself. Solved on at
    most 96 px, since the solution is smooth: [C,h',w'].
    """
    size = tuple(min(_SOLVED, n) for n in difference.shape[1:])
    smooth = F.interpolate(difference[None].float(), size=size, mode="bilinear", antialias=True)[0]
    inside = F.interpolate(weights[None, None].float(), size=size, mode="bilinear", antialias=True)[0, 0] > 0.5
    inside[0], inside[-1], inside[:, 0], inside[:, -1] = False, False, False, False
    if not inside.any():
        return smooth
    from scipy import sparse  # a fifth of a second that most commands do without
    from scipy.sparse.linalg import spsolve

    known, values = ~inside.cpu().numpy(), smooth.cpu().double().numpy()
    number = np.full(size, -1)
    number[~known] = np.arange((~known).sum())
    y, x = np.nonzero(~known)
    rows, columns, right = [np.arange(len(y))], [np.arange(len(y))], np.zeros((len(y), len(values)))
    entries = [np.full(len(y), 4.0)]
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        neighbour = number[y + dy, x + dx]
        free = neighbour >= 0
        rows.append(np.nonzero(free)[0])
        columns.append(neighbour[free])
        entries.append(np.full(free.sum(), -1.0))
        right[~free] += values[:, (y + dy)[~free], (x + dx)[~free]].T
    place = (np.concatenate(rows), np.concatenate(columns))
    matrix = sparse.csr_matrix((np.concatenate(entries), place), shape=(len(y), len(y)))
    values[:, y, x] = spsolve(matrix.tocsc(), right).reshape(len(y), -1).T
    return torch.from_numpy(values).to(difference)
