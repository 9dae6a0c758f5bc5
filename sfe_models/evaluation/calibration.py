"""Find the strength at which an edit has made the wanted change, for several pictures at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class CalibrationRule:
    """When a change counts as reached.

    tolerance: largest distance of the score from the wanted one, scores being in [0,1] of the attribute's range;
    reach: strengths are looked for up to so many times the ends of the direction's useful range; evaluations: edits
    that may be tried for one picture. typical_change: what the ends of the range are expected to move the score by,
    for the first guess only.
    """

    tolerance: float = 0.02
    reach: float = 2.0
    evaluations: int = 12
    typical_change: float = 0.45


@dataclass(frozen=True)
class Trial:
    """One edit that was tried: its strength, the score of its picture, and the picture [3,H,W] itself."""

    strength: float
    score: float
    picture: Tensor


@dataclass(frozen=True)
class Found:
    """The trial nearest to the wanted score, and whether it is within the tolerance."""

    trial: Trial
    reached: bool


# A growing strength goes where the last two scores point, but by no less and no more than these factors.
_LEAST_GROWTH, _MOST_GROWTH = 1.25, 2.0


class _Search:
    """One picture's search: away from 0 until the score passes the wanted one, then between the last two strengths.

    Between them it is the false position method with Illinois's halving of the end that stays (Dowell and Jarratt
    1971), which needs no slope and cannot leave the bracket.
    """

    def __init__(
        self, wanted: float, start: Trial, span: tuple[float, float], rule: CalibrationRule, guess: float | None = None
    ):
        self.wanted, self.rule = wanted, rule
        self.best, self.tried = start, 0
        error = start.score - wanted
        side = span[1] if error < 0 else span[0]
        self.limit = rule.reach * side
        self.inner, self.outer = (0.0, error), None
        self.next = side * min(1.0, max(abs(error) / rule.typical_change, 0.05))
        if guess is not None and guess * side > 0:
            self.next = guess
        self.stopped = abs(error) <= rule.tolerance or side == 0

    def update(self, trial: Trial) -> None:
        """Take in the score of the strength that was asked for, and choose the next one."""
        error = trial.score - self.wanted
        self.tried += 1
        if abs(error) < abs(self.best.score - self.wanted):
            self.best = trial
        self.stopped = abs(error) <= self.rule.tolerance or self.tried >= self.rule.evaluations
        point = (trial.strength, error)
        if self.outer is None and (error < 0) == (self.inner[1] < 0):
            self.stopped = self.stopped or trial.strength == self.limit
            self.next = self._further(point)
            self.inner = point
        elif self.outer is None:
            self.outer = point
            self.next = self._between()
        else:
            self._narrow(point)
            self.next = self._between()

    def _further(self, point: tuple[float, float]) -> float:
        strength, error = point
        gained = abs(self.inner[1]) - abs(error)
        guess = _MOST_GROWTH * strength
        if gained > 0:
            guess = strength + 1.1 * (strength - self.inner[0]) * abs(error) / gained
        smallest, largest = _LEAST_GROWTH * abs(strength), _MOST_GROWTH * abs(strength)
        size = min(max(abs(guess), smallest), largest, abs(self.limit))
        return size if self.limit > 0 else -size

    def _narrow(self, point: tuple[float, float]) -> None:
        if (point[1] < 0) == (self.inner[1] < 0):
            self.inner, self.outer = point, (self.outer[0], self.outer[1] / 2)
        else:
            self.inner, self.outer = (self.inner[0], self.inner[1] / 2), point

    def _between(self) -> float:
        (a, error_a), (b, error_b) = self.inner, self.outer
        return a + (b - a) * error_a / (error_a - error_b)


def calibrate(
    measure: Callable[[Sequence[int], Sequence[float]], Sequence[Trial]],
    wanted: Sequence[float],
    starts: Sequence[Trial],
    span: tuple[float, float],
    rule: CalibrationRule,
    guesses: Sequence[float | None] | None = None,
) -> list[Found]:
    """Find for each picture a strength whose edit scores what is wanted.

    measure: numbers of pictures and a strength for each, to their trials, as one batch; starts: the pictures' trials at
    strength 0; span: (low, high), the direction's useful range, whose positive strengths raise the score; guesses: what
    to try first, None where nothing is known. Where several strengths give the score, the search ends at the one
    nearest to 0 that its steps do not pass over.
    """
    known = guesses or [None] * len(wanted)
    searches = [_Search(w, start, span, rule, guess) for w, start, guess in zip(wanted, starts, known, strict=True)]
    while active := [i for i, search in enumerate(searches) if not search.stopped]:
        trials = measure(active, [searches[i].next for i in active])
        for i, trial in zip(active, trials, strict=True):
            searches[i].update(trial)
    return [Found(search.best, abs(search.best.score - search.wanted) <= rule.tolerance) for search in searches]
