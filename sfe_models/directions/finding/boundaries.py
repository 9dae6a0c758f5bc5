"""InterFaceGAN (Shen et al. 2020): boundaries in W or W+ from scored samples.

The samples with the highest scores are the positives, those with the lowest the negatives, and what lies
between is left out; the direction is the unit normal of the linear boundary that separates them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ...choices import BOUNDARY_METHODS
from ..base import DirectionError, DirectionInfo, may_move
from ..families.linear import LinearDirection
from .scored_samples import ScoredSamples

# Distances from the boundary that the published code draws by default.
STRENGTH_RANGE = (-3.0, 3.0)
# Share of the mean variance that is added to every variance before codes are whitened; below it lies noise.
_FLOOR = 0.03
# Of a vector of length 1, what remains below this after a projection is rounding.
_REMAINDER = 1e-6


@dataclass(frozen=True, eq=False)
class Boundary:
    """A trained boundary <code, normal> + intercept = 0.

    direction: its unit normal, pointing to higher scores, [1,D] for W or [N,D] for W+. Accuracies are in
    [0,1], of the samples trained on and of those held out; chosen: how many positives, and as many negatives.
    """

    direction: LinearDirection
    intercept: float
    method: str
    chosen: int
    train_accuracy: float
    validation_accuracy: float


@dataclass(frozen=True)
class BoundaryTraining:
    """How a boundary is trained.

    fraction: share of the samples that are positives, and as many negatives, in (0, 0.5]; train_share: share
    of each that is trained on, the rest validates; both default to the published code's. seed: of that split.
    method: "logistic" or "svm" (C = 1 on the codes as they are, the published code's; needs scikit-learn).
    l2: for "logistic", weight of half the variance of <code, normal> over all samples against the mean loss.
    That penalty, instead of |normal|^2, keeps the normal from leaning to where codes vary most, which it does
    when only extreme scores are taken. With scores that can be trusted in the middle too, larger fractions
    are more exact. Raises DirectionError for what is outside of these ranges.
    """

    fraction: float = 0.02
    train_share: float = 0.7
    seed: int = 0
    method: str = "logistic"
    l2: float = 0.1

    def __post_init__(self):
        if self.method not in BOUNDARY_METHODS:
            raise DirectionError(f"Method is {self.method!r}; expected one of {', '.join(BOUNDARY_METHODS)}.")
        if not 0 < self.fraction <= 0.5 or not 0 < self.train_share < 1 or self.l2 < 0:
            raise DirectionError(
                f"fraction {self.fraction}, train_share {self.train_share}, l2 {self.l2}; "
                "expected numbers in (0, 0.5], in (0, 1) and from 0 on."
            )


def train_boundary(
    samples: ScoredSamples,
    attribute: str,
    subject: str | None,
    how: BoundaryTraining = BoundaryTraining(),  # noqa: B008  frozen
) -> Boundary:
    """Find the direction that raises one attribute's score, under its name."""
    scores, codes = samples.column(attribute).cpu(), samples.codes.cpu()
    codes = codes if codes.ndim == 3 else codes[:, None]
    n = len(scores)
    chosen = int(n * how.fraction)
    trained = int(chosen * how.train_share)
    if trained < 1 or trained == chosen:
        raise DirectionError(
            f"{how.fraction} of {n} samples are {chosen} positives, too few to train on and to validate with; "
            "take more samples or a larger fraction."
        )
    order = scores.argsort(stable=True)
    low, high = order[:chosen], order[n - chosen :]
    if scores[low[-1]] >= scores[high[0]]:
        raise DirectionError(
            f"The scores of '{attribute}' do not tell positives from negatives: the {chosen} highest and the "
            f"{chosen} lowest both hold {scores[high[0]].item():g}. Take a smaller fraction or other samples."
        )
    random = torch.Generator().manual_seed(how.seed)
    low, high = (side[torch.randperm(chosen, generator=random)] for side in (low, high))
    parts = []
    for part in (slice(0, trained), slice(trained, chosen)):
        labels = torch.tensor([0.0, 1.0], dtype=torch.float64).repeat_interleave(len(low[part]))
        parts.append((codes[torch.cat([low[part], high[part]])].double(), labels))
    if how.method == "logistic":
        normal, intercept = _logistic(*parts[0], _whitening(codes), how.l2)
    else:
        normal, intercept = _svm(*parts[0])
    length = normal.norm()
    if not length > 0:
        raise DirectionError(f"The codes of both sides of '{attribute}' are the same; nothing separates them.")
    normal, intercept = normal / length, float(intercept / length)
    accuracies = []
    for x, labels in parts:
        above = (x * normal).sum(dim=(1, 2)) + intercept > 0
        accuracies.append((above == (labels > 0)).double().mean().item())
    source = (
        f"boundary ({how.method}) between the {chosen} highest and lowest of {n} scores of '{attribute}', "
        f"validation accuracy {accuracies[1]:.3f}"
    )
    effect = f"more '{attribute}'"
    info = DirectionInfo(attribute, "interfacegan", subject, STRENGTH_RANGE, effect, source, samples.generator)
    direction = LinearDirection(info, normal.float())
    return Boundary(direction, intercept, how.method, chosen, *accuracies)


def _whitening(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Find what gives each layer of codes [n,N,D] unit covariance: mean [N,D], symmetric matrices [N,D,D]."""
    mean, covariance = [], []
    for layer in codes.unbind(dim=1):
        wide = layer.double()
        mean.append(wide.mean(dim=0))
        centred = wide - mean[-1]
        covariance.append(centred.T @ centred / len(centred))
    values, vectors = torch.linalg.eigh(torch.stack(covariance))
    scale = (values.clamp_min(0) + _FLOOR * values.mean()).clamp_min(1e-24).rsqrt()
    return torch.stack(mean), (vectors * scale[:, None]) @ vectors.transpose(1, 2)


def _logistic(x: Tensor, y: Tensor, whitening: tuple[Tensor, Tensor], l2: float) -> tuple[Tensor, Tensor]:
    """Fit logistic regression by L-BFGS from zero. x: [m,N,D]; y: [m] of 0 and 1.

    Returns (normal [N,D], intercept), both in the codes' own units.
    """
    mean, matrices = whitening
    white = torch.einsum("mnd,nde->mne", x - mean, matrices).flatten(1)
    parameters = torch.zeros(white.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS(
        [parameters],
        max_iter=1000,
        tolerance_grad=1e-9,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        solver.zero_grad()
        normal, intercept = parameters[:-1], parameters[-1]
        value = F.binary_cross_entropy_with_logits(white @ normal + intercept, y)
        value = value + l2 / 2 * normal.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        solver.step(loss)
    fitted = parameters.detach()
    normal = torch.einsum("nde,ne->nd", matrices, fitted[:-1].reshape(mean.shape))
    return normal, fitted[-1] - (mean * normal).sum()


def _svm(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Fit a linear support vector machine, as the published code does. x, y and result as in `_logistic`."""
    try:
        from sklearn.svm import SVC
    except ImportError as error:
        raise DirectionError(
            'method="svm" needs scikit-learn: `pip install scikit-learn`, or take method="logistic".'
        ) from error
    fitted = SVC(kernel="linear").fit(x.flatten(1).numpy(), y.numpy())
    normal = torch.from_numpy(fitted.coef_[0].copy()).double().reshape(x.shape[1:])
    return normal, torch.tensor(float(fitted.intercept_[0]), dtype=torch.float64)


def conditional(vector: Tensor, others: Sequence[Tensor]) -> Tensor:
    """Take out of a direction what moves other attributes: InterFaceGAN's conditional manipulation.

    vector, others: normals of one shape, [1,D] or [N,D]. Subtracts the components in the space that the
    others span, by Gram-Schmidt in float64. Returns a vector of length 1 and of that shape, orthogonal to
    each of them.
    """
    basis: list[Tensor] = []
    for i, other in enumerate(others):
        if other.shape != vector.shape:
            raise DirectionError(
                f"The direction is {tuple(vector.shape)}, condition {i} is {tuple(other.shape)}; expected equal shapes."
            )
        rest = _without(other, basis)
        if rest is not None:
            basis.append(rest)
    rest = _without(vector, basis)
    if rest is None:
        raise DirectionError("Nothing is left of the direction: the others span it. Condition on fewer attributes.")
    return rest.reshape(vector.shape).to(vector)


def _without(vector: Tensor, basis: Sequence[Tensor]) -> Tensor | None:
    """Take the components along an orthonormal basis off and scale to length 1; None if nothing is left."""
    flat = vector.flatten().cpu().double()
    length = flat.norm()
    if not (length.isfinite() and length > 0):
        raise DirectionError(f"A direction has length {length.item():g}; expected a finite vector other than zero.")
    rest = flat / length
    for _ in range(2):  # once leaves rounding errors
        for unit in basis:
            rest = rest - (rest @ unit) * unit
    return rest / rest.norm() if rest.norm() > _REMAINDER else None


def conditional_direction(direction: LinearDirection, others: Sequence[LinearDirection]) -> LinearDirection:
    """Make a direction that moves its attribute and leaves the scores of the others' boundaries as they are.

    Its vector keeps the length it had, so that strengths mean the same distances.
    """
    for other in others:
        if not may_move(other.info.subject, direction.info.subject):
            raise DirectionError(
                f"Direction '{direction.info.name}' is for {direction.info.subject}, '{other.info.name}' for "
                f"{other.info.subject}; expected directions of one subject."
            )
        if not may_move(other.info.generator, direction.info.generator):
            raise DirectionError(
                f"Directions '{direction.info.name}' and '{other.info.name}' were found from different generators, "
                f"{direction.info.generator} and {other.info.generator}; expected directions of one."
            )
    vector = conditional(direction.vector, [other.vector for other in others]) * direction.vector.norm()
    info, kept = direction.info, [other.info.name for other in others]
    info = replace(
        info,
        name=f"{info.name} keeping {'+'.join(kept)}",
        source=f"{info.source}; made orthogonal to {', '.join(map(repr, kept))}",
    )
    return LinearDirection(info, vector, direction.scale)
