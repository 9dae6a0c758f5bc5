"""Directions by linear regression of scores on codes: the least change of a code that raises one score alone.

Codes are written in the principal components of each group of latents, scaled to variance 1, and every score is
regressed on them. Of all changes that raise the wanted score, and by that regression none of those that are to be kept,
the shortest there is taken: the one that stays nearest to the codes that the generator knows. Unlike a boundary's
normal, to which others are made orthogonal in W (see `boundaries`), it uses every score, and minds how codes vary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...choices import REGRESSION
from ..base import DirectionError, DirectionInfo
from ..families.linear import LinearDirection
from .scored_samples import ScoredSamples

STRENGTH_RANGE = (-4.0, 4.0)
# What a strength of 1 raises the score by, in standard deviations over the samples.
STEP = 0.5
# Scores beyond these shares of the samples are taken for as high, or low, as there.
_EXTREMES = (0.01, 0.99)
_FOLDS = 5


@dataclass(frozen=True)
class RegressionTraining:
    """How a direction is found by regression.

    components: of the codes of each group of latents; ridge: weight of the squared slopes against the mean squared
    error, scores and components having variance 1. Raises DirectionError for what is no such number.
    """

    components: int = 100
    ridge: float = 0.05

    def __post_init__(self):
        if self.components < 1 or not self.ridge > 0:
            raise DirectionError(
                f"components {self.components}, ridge {self.ridge}; expected 1 or more, and more than 0."
            )


@dataclass(frozen=True, eq=False)
class Regression:
    """A direction, and which share of each score's variance the regression explains on samples held out of it."""

    direction: LinearDirection
    explained: dict[str, float]


def train_regression(
    samples: ScoredSamples,
    attributes: Sequence[str],
    keep: Sequence[str],
    subject: str | None,
    groups: Sequence[Sequence[int]] | None = None,
    how: RegressionTraining = RegressionTraining(),  # noqa: B008  frozen
) -> Regression:
    """Find the direction that raises an attribute's score and leaves those of `keep` as they are.

    attributes: one, or several scores of the same thing, which are averaged. groups: of W+ codes, latents that move
    alike; each latent belongs to one. None: all alike. Strength 1 raises the score by half a standard deviation, as far
    as the regression is right. Its name is the first attribute's.
    """
    wanted, kept = tuple(dict.fromkeys(attributes)), tuple(dict.fromkeys(keep))
    for both in set(wanted) & set(kept):
        raise DirectionError(f"'{both}' cannot be raised and kept as it is; leave it out of what is kept.")
    names = (*wanted, *kept)
    codes = samples.codes.cpu().double()
    codes = codes if codes.ndim == 3 else codes[:, None]
    groups = _checked(groups, codes.shape[1])
    scores = torch.stack([samples.column(name).cpu().double() for name in names], dim=1)
    scores = _standardised(scores, names)
    bases = [_components(codes[:, list(group)].mean(dim=1), how.components) for group in groups]
    seen = torch.cat(
        [(codes[:, list(g)].mean(dim=1) - mean) @ to for g, (mean, to, _) in zip(groups, bases, strict=True)], 1
    )
    explained = dict(zip(names, _explained(seen, scores, how.ridge), strict=True))
    change = _least_change(_slopes(seen, scores, how.ridge).T, len(wanted))
    if change is None:
        raise DirectionError(f"Nothing raises '{wanted[0]}' alone; keep fewer attributes.")
    vector = torch.zeros(codes.shape[1:], dtype=torch.float64)
    for group, part, (_, _, back) in zip(groups, change.split([b[1].shape[1] for b in bases]), bases, strict=True):
        vector[list(group)] = back @ part
    keeping = f", keeping {', '.join(map(repr, kept))}" if kept else ""
    said, share = " and ".join(map(repr, wanted)), explained[wanted[0]]
    source = f"regression of {said} on {len(codes)} samples{keeping}; explains {share:.2f} of it"
    name, effect = wanted[0], f"more '{wanted[0]}'"
    info = DirectionInfo(name, REGRESSION, subject, STRENGTH_RANGE, effect, source, samples.generator)
    return Regression(LinearDirection(info, vector.float()), explained)


def _checked(groups: Sequence[Sequence[int]] | None, latents: int) -> list[tuple[int, ...]]:
    """Return groups that hold each latent once; raises DirectionError for others."""
    groups = [tuple(range(latents))] if groups is None else [tuple(group) for group in groups]
    if sorted(latent for group in groups for latent in group) != list(range(latents)) or not all(groups):
        raise DirectionError(f"The groups of latents are {groups}; expected each of 0 to {latents - 1} in one of them.")
    return groups


def _standardised(scores: Tensor, names: Sequence[str]) -> Tensor:
    """Give scores [n,A] mean 0 and variance 1, their extremes cut off."""
    low, high = (scores.quantile(share, dim=0) for share in _EXTREMES)
    scores = scores.clamp(low, high)
    std = scores.std(dim=0)
    for name, value in zip(names, std.tolist(), strict=True):
        if not value > 0:
            raise DirectionError(f"The scores of '{name}' do not differ; nothing can be learned from them.")
    return (scores - scores.mean(dim=0)) / std


def _components(codes: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Find the principal components of codes [n,D]: mean [D], to variance 1 [D,K] and back [D,K]."""
    mean = codes.mean(dim=0)
    centred = codes - mean
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(codes))
    # Values from rounding alone belong to no component.
    known = int((values > 1e-9 * values[-1]).sum())
    values, vectors = values.flip(0)[: min(count, known)], vectors.flip(1)[:, : min(count, known)]
    if not len(values):
        raise DirectionError("All codes are the same; scores cannot be told from them. Take other samples.")
    std = values.sqrt()
    return mean, vectors / std, vectors * std


def _slopes(x: Tensor, y: Tensor, ridge: float) -> Tensor:
    """Regress y [n,A] on x [n,F], ridge on the squared slopes: [F,A]."""
    x, y = x - x.mean(dim=0), y - y.mean(dim=0)
    covariance = x.T @ x / len(x)
    covariance.diagonal().add_(ridge)
    return torch.linalg.solve(covariance, x.T @ y / len(x))


def _least_change(slopes: Tensor, wanted: int) -> Tensor | None:
    """Solve for the shortest change [F] that raises the mean of the first `wanted` scores by STEP, the others by 0.

    slopes: [A,F], of each score. None if no change does.
    """
    rows = torch.cat([slopes[:wanted].mean(dim=0, keepdim=True), slopes[wanted:]])
    step = torch.zeros(len(rows), dtype=slopes.dtype)
    step[0] = STEP
    change = torch.linalg.pinv(rows, rtol=1e-6) @ step
    return change if torch.allclose(rows @ change, step, atol=1e-3) else None


def _explained(x: Tensor, y: Tensor, ridge: float) -> list[float]:
    """Return the share of each score's variance that regressions explain on the fifth held out of each: [A]."""
    fold = torch.arange(len(x)) % _FOLDS
    error = torch.zeros(y.shape[1], dtype=y.dtype)
    for held_out in range(_FOLDS):
        own, other = fold == held_out, fold != held_out
        guess = (x[own] - x[other].mean(dim=0)) @ _slopes(x[other], y[other], ridge) + y[other].mean(dim=0)
        error += (y[own] - guess).square().sum(dim=0)
    return (1 - error / (y - y.mean(dim=0)).square().sum(dim=0)).tolist()
