"""Codes with attribute scores, from a table or from a callable on generated pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...atomic import replaced
from ...generators.base import Generator
from ...text_files import read_text
from ..base import DirectionError
from .sampling import Progress, sample_w


@dataclass(frozen=True, eq=False)
class ScoredSamples:
    """Codes with their scores.

    codes: [n,D] of W or [n,N,D] of W+; scores: [n,A], one column for each attribute; generator: fingerprint of the
    one whose codes these are. Raises DirectionError if codes and scores do not fit each other or are not finite.
    """

    codes: Tensor
    scores: Tensor
    attributes: tuple[str, ...]
    generator: str | None = None

    def __post_init__(self):
        codes, scores, names = self.codes, self.scores, self.attributes
        if codes.ndim not in (2, 3) or scores.ndim != 2 or len(codes) != len(scores):
            raise DirectionError(
                f"Codes {tuple(codes.shape)} with scores {tuple(scores.shape)}; expected [n,D] or [n,N,D] with [n,A]."
            )
        if scores.shape[1] != len(names) or len(set(names)) != len(names):
            raise DirectionError(f"{scores.shape[1]} score columns for the attributes {', '.join(names)}; one each.")
        if not codes.isfinite().all():
            raise DirectionError("The codes have numbers that are not finite; leave such samples out.")
        for name, bad in zip(names, (~scores.isfinite()).sum(dim=0).tolist(), strict=True):
            if bad:
                raise DirectionError(f"{bad} scores of '{name}' are not finite; leave such samples out.")

    def __repr__(self) -> str:
        return f"ScoredSamples(codes={tuple(self.codes.shape)}, attributes={self.attributes})"

    def column(self, attribute: str) -> Tensor:
        """Return the scores of one attribute: [n]."""
        if attribute not in self.attributes:
            raise DirectionError(f"There are no scores of '{attribute}'; there are: {', '.join(self.attributes)}.")
        return self.scores[:, self.attributes.index(attribute)]


@torch.no_grad()
def sample_scored(
    generator: Generator,
    scorer: Callable[[Tensor], Tensor],
    count: int,
    seed: int = 0,
    batch_size: int = 8,
    *,
    attributes: Sequence[str] = ("score",),
    truncation: float = 1.0,
    progress: Progress | None = None,
) -> ScoredSamples:
    """Generate `count` seeded pictures and score them, in batches, on the generator's device.

    scorer: pictures [b,3,R,R], about [-1,1], to scores [b] or [b,A], A the number of `attributes`; higher
    means more of it. progress: called with the samples done and their number. The codes are w, [count,D].
    """
    measure = picture_scorer(generator, scorer, batch_size)
    codes, scores, done = [], [], 0
    for w in sample_w(generator, count, seed, batch_size, truncation):
        score = measure(w)
        if score.shape != (len(w), len(attributes)):
            raise DirectionError(
                f"The scorer returned {tuple(score.shape)} for {len(w)} pictures; "
                f"expected one number for each of {len(attributes)} attributes."
            )
        codes.append(w.cpu())
        scores.append(score)
        done += len(w)
        if progress is not None:
            progress(done, count)
    return ScoredSamples(torch.cat(codes), torch.cat(scores), tuple(attributes), generator.fingerprint())


def picture_scorer(
    generator: Generator,
    scorer: Callable[[Tensor], Tensor],
    batch_size: int = 8,
    progress: Progress | None = None,
) -> Callable[[Tensor], Tensor]:
    """Make a scorer of codes from one of pictures, for `side_effects` and the like.

    scorer: as for `sample_scored`. The result takes w [n,D] or W+ codes [n,N,D] on any device, generates
    their pictures in batches and returns scores [n,A], float64 on the CPU.
    """

    @torch.no_grad()
    def measure(codes: Tensor) -> Tensor:
        scores = []
        for part in codes.split(batch_size):
            w = part.to(generator.latent_avg.device)
            score = torch.as_tensor(scorer(generator(generator.broadcast(w) if w.ndim == 2 else w)))
            scores.append((score[:, None] if score.ndim == 1 else score).cpu().double())
            if progress is not None:
                progress(sum(map(len, scores)), len(codes))
        return torch.cat(scores)

    return measure


def write_scores(samples: ScoredSamples, path: Path | str) -> Path:
    """Write the scores as the table that `read_scores` reads, numbered from 0. Raises OSError."""
    with replaced(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["index", *samples.attributes])
        table.writerows([i, *(f"{score:.7g}" for score in row)] for i, row in enumerate(samples.scores.tolist()))
    return Path(path)


def read_scores(path: Path | str, samples: int | Sequence[str]) -> tuple[Tensor, tuple[str, ...]]:
    """Read a table of scores: CSV in UTF-8 with a header: `index` or `file`, then attributes.

    samples: how many codes there are (`index` counts them from 0), or the file names of the codes in their
    order; each needs one row, in any order, and further rows are left out. Returns (scores [n,A] float64,
    attribute names).
    """
    path = Path(path)
    try:
        lines = io.StringIO(read_text(path))
        rows = [(i, [cell.strip() for cell in row]) for i, row in enumerate(csv.reader(lines), 1) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DirectionError(f"{path} cannot be read as a table ({error}); expected CSV in UTF-8.") from error
    key = "index" if isinstance(samples, int) else "file"
    if not rows or len(rows[0][1]) < 2 or rows[0][1][0] != key:
        raise DirectionError(f"{path} does not begin with the header `{key},attribute,...`; add one.")
    names, found = tuple(rows[0][1][1:]), {}
    for line, row in rows[1:]:
        try:
            values = [float(cell) for cell in row[1:]]
            row_key = int(row[0]) if key == "index" else row[0]
        except ValueError as error:
            raise DirectionError(f"{path}, line {line}: {error}; expected {key} and numbers.") from error
        if len(values) != len(names):
            raise DirectionError(f"{path}, line {line}: {len(values)} scores for {len(names)} attributes.")
        if row_key in found:
            raise DirectionError(f"{path}, line {line}: {key} {row_key} occurs twice; keep one row of it.")
        found[row_key] = values
    wanted = range(samples) if isinstance(samples, int) else samples
    missing = [str(sample) for sample in wanted if sample not in found]
    if missing:
        raise DirectionError(f"{path} has no row for {len(missing)} samples, the first {key} being {missing[0]}.")
    return torch.tensor([found[sample] for sample in wanted], dtype=torch.float64), names
