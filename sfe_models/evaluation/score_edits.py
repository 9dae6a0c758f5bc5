"""Edits of photographs at matched change: each method until a score has moved as far as is wanted, then compared.

Nobody knows the true picture of an edit of a photograph. What can be asked is who the edited picture still shows, and
what it changed that was not asked for, once all methods have changed the score (age, happiness) by the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..directions.base import Direction
from ..directions.library import DirectionLibrary
from ..perception.scores import Score, Scorer, score_named
from .calibration import CalibrationRule, Trial, calibrate
from .comparison import as_saved
from .errors import EvaluationError
from .methods import Method, People
from .metrics import Metrics

# A twentieth of the score's range is reached; photographs are large, so few edits are tried.
RULE = CalibrationRule(tolerance=0.05, reach=3.0, evaluations=8)
# What an edited picture and its photograph are compared by.
FOLLOWED = ("dlib", "mobile", "outside")


@dataclass(frozen=True)
class ScoreEdit:
    """A score, the direction that raises it, and by how much, in the score's own unit."""

    score: Score
    direction: Direction
    change: float

    @property
    def label(self) -> str:
        """The name in records and tables."""
        return f"{self.score.name}{self.change:+g} by {self.direction.info.name}"

    @staticmethod
    def parse(text: str, library: DirectionLibrary) -> ScoreEdit:
        """Read SCORE=DIRECTION:CHANGE. Raises EvaluationError, ScoreError or DirectionError."""
        name, equals, rest = text.partition("=")
        direction, colon, change = rest.rpartition(":")
        try:
            value = float(change)
        except ValueError:
            value = 0.0
        if not (name and equals and direction and colon) or not value:
            raise EvaluationError(f"The edit {text!r} cannot be read; expected SCORE=DIRECTION:CHANGE, as age=age:15.")
        edit = ScoreEdit(score_named(name), library.get(direction), value)
        span = edit.direction.info.strength_range
        if span is None or not span[0] < 0 < span[1]:
            raise EvaluationError(f"Direction '{direction}' has the useful range {span}; expected one around 0.")
        return edit


@dataclass(frozen=True)
class ScoreEditing:
    """Edit every picture by every method, at matched change. scorer: knows the score of each edit."""

    edits: tuple[ScoreEdit, ...]
    scorer: Scorer
    metrics: Metrics
    rule: CalibrationRule = field(default=RULE)

    def wanted(self, key: str) -> tuple[str, ...]:
        """Name the edits of one picture."""
        return tuple(edit.label for edit in self.edits)

    @torch.no_grad()
    def measure(
        self, people: People, keys: Sequence[str], methods: Sequence[Method], inverted: dict[str, Tensor]
    ) -> list[tuple[dict, dict]]:
        """Edit a batch: for each picture, by edit {"score": the photograph's, "methods": {NAME: numbers}}; no features.

        The numbers are "strength", "score", "reached" and, against the photograph, those of FOLLOWED that can be had.
        """
        done: list[tuple[dict, dict]] = [({}, {}) for _ in keys]
        for edit in self.edits:
            present = self._scores(people.image, edit)
            for row, score in zip(done, present, strict=True):
                row[0][edit.label] = {"score": score, "methods": {}}
            guesses: list[float | None] = [None] * len(keys)
            for method in methods:
                cells = self._by(method, edit, people, inverted[method.name], present, guesses)
                # What brought one method there is a good guess for the next.
                guesses = [c["strength"] if c["reached"] else g for c, g in zip(cells, guesses, strict=True)]
                for row, cell in zip(done, cells, strict=True):
                    row[0][edit.label]["methods"][method.name] = cell
        return done

    def _by(
        self,
        method: Method,
        edit: ScoreEdit,
        people: People,
        start: Tensor,
        present: Sequence[float],
        guesses: Sequence[float | None],
    ) -> list[dict]:
        score, span = edit.score, edit.direction.info.strength_range

        def trials(pictures: Tensor, strengths: Sequence[float]) -> list[Trial]:
            shares = [value / score.span for value in self._scores(pictures, edit)]
            return [Trial(*one) for one in zip(strengths, shares, pictures, strict=True)]

        def measure(index: Sequence[int], strengths: Sequence[float]) -> list[Trial]:
            return trials(as_saved(method.edited(people, index, edit.direction, strengths)), strengths)

        wanted = [(value + edit.change) / score.span for value in present]
        found = calibrate(measure, wanted, trials(as_saved(start), [0.0] * len(people)), span, self.rule, guesses)
        pictures = torch.stack([one.trial.picture for one in found])
        paired = {key: self.metrics.paired[key] for key in FOLLOWED if key in self.metrics.paired}
        columns = {key: metric(pictures, people.image).tolist() for key, metric in paired.items()}
        return [
            {
                "strength": one.trial.strength,
                "score": one.trial.score * score.span,
                "reached": one.reached,
                **{key: values[i] for key, values in columns.items()},
            }
            for i, one in enumerate(found)
        ]

    def _scores(self, pictures: Tensor, edit: ScoreEdit) -> list[float]:
        return self.scorer(pictures)[:, self.scorer.names.index(edit.score.name)].tolist()


def score_edit_table(
    results: Sequence[dict], editing: ScoreEditing, methods: Sequence[str]
) -> dict[str, dict[str, dict]]:
    """Average over the `people` whom every method that brings anybody there brought there: edit -> method -> numbers.

    "KEY_where_reached" is over those whom this method brought there, "reached" its share of all people; "nearer" the
    share of those whom it and e4e brought there whose identity it keeps better than e4e does, by dlib's distance, or
    MobileFaceNet's cosine without it.
    """
    table: dict[str, dict[str, dict]] = {}
    for label in editing.wanted(""):
        cells = [row["editing"][label]["methods"] for row in results if label in row["editing"]]
        run = [name for name in methods if any(name in cell for cell in cells)]
        # One that brings nobody there, as F_k without H does, has no say in whom the others are compared on.
        able = [name for name in run if any(cell[name]["reached"] for cell in cells)]
        common = [cell for cell in cells if able and all(cell[name]["reached"] for name in able)]
        table[label] = {}
        for name in methods:
            numbers: dict = {"error": None, "reached": None, "people": len(common)}
            if name in run:
                own = [cell for cell in cells if cell[name]["reached"]]
                numbers["reached"] = len(own) / len(cells)
                for suffix, some in (("", common if name in able else []), ("_where_reached", own)):
                    numbers |= {f"{key}{suffix}": _mean([cell[name].get(key) for cell in some]) for key in FOLLOWED}
                numbers["nearer"] = _nearer(own, name)
            table[label][name] = numbers
    return table


def _nearer(cells: Sequence[dict], name: str) -> float | None:
    """The share of people, of those whom e4e brought there too, whose identity a method keeps better than e4e."""
    both = [cell for cell in cells if "e4e" in cell and cell["e4e"]["reached"]]
    for key, sign in (("dlib", 1), ("mobile", -1)):
        pairs = [(cell[name][key], cell["e4e"][key]) for cell in both if key in cell[name]]
        if pairs and name != "e4e":
            return sum(sign * own < sign * other for own, other in pairs) / len(pairs)
    return None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
