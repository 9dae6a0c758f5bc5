"""How much directions move each attribute: the report that tells entangled directions from clean ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..base import DirectionError, strength_tensor
from ..families.linear import LinearDirection
from .scored_samples import ScoredSamples


@dataclass(frozen=True, eq=False)
class LinearScorer:
    """Scores that are linear in the code: weight [A,F] with F = D or N*D, intercept [A], float64."""

    weight: Tensor
    intercept: Tensor

    def __call__(self, codes: Tensor) -> Tensor:
        """codes: [n,D] or [n,N,D]. Returns scores [n,A], on the CPU."""
        return codes.flatten(1).cpu().double() @ self.weight.T + self.intercept


def fit_linear_scorer(samples: ScoredSamples, ridge: float = 1e-3) -> LinearScorer:
    """Fit a ridge regression of every attribute's score on the codes.

    ridge: weight of |w|^2 against the mean squared error, in units of the codes' mean variance.
    """
    x, y = samples.codes.flatten(1).cpu().double(), samples.scores.cpu().double()
    x_mean, y_mean = x.mean(dim=0), y.mean(dim=0)
    x, y = x - x_mean, y - y_mean
    covariance = x.T @ x / len(x)
    variance = covariance.diagonal().mean()
    if not variance > 0:
        raise DirectionError("All codes are the same; scores cannot be told from them. Take other samples.")
    covariance.diagonal().add_(ridge * variance)
    weight = torch.linalg.solve(covariance, x.T @ y / len(x)).T
    return LinearScorer(weight, y_mean - weight @ x_mean)


@dataclass(frozen=True, eq=False)
class SideEffects:
    """What directions (rows, R) do to attributes (columns, A).

    cosines: [R,A], of each direction with the gradient of the attribute's linear regression; changes: [R,A],
    the attribute's mean change at `strength`; stds: [A], its standard deviation over the samples.
    float64.
    """

    directions: tuple[str, ...]
    attributes: tuple[str, ...]
    strength: float
    cosines: Tensor
    changes: Tensor
    stds: Tensor

    def describe(self) -> str:
        """Write the changes, in standard deviations of the attribute, and the cosines as a Markdown table."""
        head = ["direction", *self.attributes]
        lines = [head, ["---"] * len(head)]
        relative = (self.changes / self.stds.clamp_min(1e-12)).tolist()
        for name, changes, cosines in zip(self.directions, relative, self.cosines.tolist(), strict=True):
            cells = (f"{change:+.2f} ({cosine:+.2f})" for change, cosine in zip(changes, cosines, strict=True))
            lines.append([name, *cells])
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return f"Change at strength {self.strength:g} in standard deviations (cosine):\n\n{table}"


@torch.no_grad()
def side_effects(
    directions: Sequence[LinearDirection],
    samples: ScoredSamples,
    scorer: Callable[[Tensor], Tensor] | None = None,
    strength: float = 1.0,
) -> SideEffects:
    """Measure how much each direction moves each attribute.

    scorer: codes, as the samples' are, to scores [n,A] in the order of the samples' attributes; None takes
    linear regressions fitted on the samples. Directions of one row serve codes of W and W+, those of N rows
    W+ only.
    """
    if not directions:
        raise DirectionError("No direction to report on; give at least one.")
    codes, linear = samples.codes, fit_linear_scorer(samples)
    measure = linear if scorer is None else scorer
    before = _scores(measure, samples, codes)
    strengths = strength_tensor(strength, len(codes), codes.device)
    cosines, changes = [], []
    for direction in directions:
        rows = codes.shape[1] if codes.ndim == 3 else 1
        if direction.vector.shape[1] != codes.shape[-1] or len(direction.vector) not in (1, rows):
            raise DirectionError(
                f"Direction '{direction.info.name}' is {tuple(direction.vector.shape)}; the samples' codes "
                f"are {tuple(codes.shape[1:])}. Sample codes of the space that the direction is for."
            )
        moved = direction.move(codes if codes.ndim == 3 else codes[:, None], strengths).reshape(codes.shape)
        changes.append((_scores(measure, samples, moved) - before).mean(dim=0))
        vector = direction.vector.expand(rows, -1).flatten().cpu().double() * direction.scale
        cosines.append(torch.cosine_similarity(linear.weight, vector[None], dim=1))
    return SideEffects(
        tuple(direction.info.name for direction in directions),
        samples.attributes,
        float(strength),
        torch.stack(cosines),
        torch.stack(changes),
        samples.scores.cpu().double().std(dim=0),
    )


def _scores(scorer: Callable[[Tensor], Tensor], samples: ScoredSamples, codes: Tensor) -> Tensor:
    scores = torch.as_tensor(scorer(codes))
    scores = scores[:, None] if scores.ndim == 1 else scores
    if scores.shape != samples.scores.shape:
        raise DirectionError(
            f"The scorer returned {tuple(scores.shape)} for {len(codes)} codes; expected one number for "
            f"each of {', '.join(samples.attributes)}."
        )
    return scores.cpu().double()
