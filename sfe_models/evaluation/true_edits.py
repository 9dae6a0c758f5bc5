"""The rendered domain's benchmark: edits against the true picture of the same person with one attribute changed.

No data set of photographs knows that picture. Methods are compared at matched change: the strength of each is chosen
for each person so that a judge, a network that took no part in training or in finding directions, sees the attribute
where it sees it in the true picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from ..demo.attributes import ATTRIBUTES, NAMES, Portraits, Prior, attribute_index
from ..demo.renderer import render
from ..directions.base import Direction
from ..directions.library import DirectionLibrary
from .calibration import CalibrationRule, Trial, calibrate
from .comparison import as_saved, compared
from .errors import EvaluationError
from .methods import Method, People


class Judge(Protocol):
    """Scores attributes; `AttributeNetwork` is one."""

    names: tuple[str, ...]

    def __call__(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1]. Returns [B,A], 0 to 1 being each attribute's range."""
        ...

    def perceptual_distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Compare pictures [B,3,H,W]: [B]."""
        ...


@dataclass(frozen=True)
class EditRule:
    """The wanted changes and when they count.

    change: of a graded attribute, as a share of its range; the sign is drawn by the person's seed among those that stay
    in the range. A switch (glasses, beard, ...) goes to the other end. visible: a person whose true picture moves the
    judge's score by less than this share of the wanted change (a hat hides the hair) is left out of that attribute.
    least_span: a direction that, from one end of its range to the other, raises the mean score of e4e's edits by less
    than this is rejected: it does not move its attribute.
    """

    change: float = 0.4
    visible: float = 0.5
    least_span: float = 0.1
    calibration: CalibrationRule = field(default_factory=CalibrationRule)

    def __post_init__(self):
        if not 0 < self.change <= 0.5:
            raise EvaluationError(f"The wanted change is {self.change}; expected more than 0 and at most 0.5.")


def wanted_values(portraits: Portraits, seeds: Sequence[int], name: str, rule: EditRule) -> Tensor:
    """Choose each person's new value of an attribute, [B], within its range and a function of its seed alone."""
    attribute, column = ATTRIBUTES[attribute_index(name)], attribute_index(name)
    position = (portraits.get(name) - attribute.low) / (attribute.high - attribute.low)
    if attribute.prior is Prior.SWITCH:
        wanted = (position < 0.5).to(position)
    else:
        draws = [torch.rand((), generator=torch.Generator().manual_seed(seed * 1009 + column)).item() for seed in seeds]
        up = torch.tensor(draws) < 0.5
        up = (up | (position - rule.change < 0)) & (position + rule.change <= 1)
        wanted = position + torch.where(up, rule.change, -rule.change)
    return attribute.low + (attribute.high - attribute.low) * wanted.clamp(0, 1)


def true_edit(portraits: Portraits, seeds: Sequence[int], name: str, rule: EditRule, size: int) -> Tensor:
    """Render the same people with the same details and one attribute changed: [B,3,S,S] in [-1,1], 8 bits deep."""
    return as_saved(render(portraits.changed(name, wanted_values(portraits, seeds, name, rule)), size).image)


@torch.no_grad()
def measure_edits(
    people: People,
    seeds: Sequence[int],
    directions: Sequence[Direction],
    methods: Sequence[Method],
    inverted: dict[str, Tensor],
    judge: Judge,
    rule: EditRule,
) -> list[dict[str, dict]]:
    """Edit people along directions that are named as the attributes that they move, at matched change.

    inverted: each method's pictures at strength 0, [B,3,H,W]. Returns for each person, by attribute:
    {"wanted", "score": the judge's of the true picture, "span": see EditRule (None without e4e), "methods": {NAME:
    {"error", "attributes", "strength", "score", "reached"}}}; "error" is the L2 to the true picture, pictures in [-1,1]
    at the side that L2 is compared at. Where the judge does not see the change, "methods" is empty.
    """
    present = judge(people.image).cpu()
    rows: list[dict[str, dict]] = [{} for _ in seeds]
    for direction in directions:
        name = direction.info.name
        target = true_edit(people.portraits, seeds, name, rule, people.image.shape[-1]).to(people.image.device)
        run = _AttributeRun(people, direction, target, judge)
        values = wanted_values(people.portraits, seeds, name, rule)
        attribute = ATTRIBUTES[attribute_index(name)]
        moved = (values - people.portraits.get(name)).abs() / (attribute.high - attribute.low)
        wanted = judge(target)[:, run.column].cpu()
        seen = ((wanted - present[:, run.column]).abs() >= rule.visible * moved).nonzero()[:, 0].tolist()
        span = _span(run, methods, list(range(len(people))))
        for i, row in enumerate(rows):
            row[name] = {"wanted": float(values[i]), "score": float(wanted[i]), "span": span[i], "methods": {}}
        if not seen:
            continue
        for i, distances in zip(seen, run.distances(people.image[seen], seen), strict=True):
            unedited = {**distances, "strength": None, "score": float(present[i, run.column]), "reached": False}
            rows[i][name]["methods"]["unedited"] = unedited
        for method in methods:
            starts = run.trials(as_saved(inverted[method.name])[seen], [0.0] * len(seen))

            def measure(index, strengths, method=method, run=run, seen=seen):
                chosen = [seen[i] for i in index]
                return run.trials(as_saved(method.edited(people, chosen, run.direction, strengths)), strengths)

            found = calibrate(measure, wanted[seen].tolist(), starts, direction.info.strength_range, rule.calibration)
            pictures = torch.stack([one.trial.picture for one in found])
            for i, one, distances in zip(seen, found, run.distances(pictures, seen), strict=True):
                trial = {"strength": one.trial.strength, "score": one.trial.score, "reached": one.reached}
                rows[i][name]["methods"][method.name] = {**distances, **trial}
    return rows


@dataclass(frozen=True)
class _AttributeRun:
    """One direction on some people: how its pictures are measured."""

    people: People
    direction: Direction
    target: Tensor
    judge: Judge

    @property
    def column(self) -> int:
        return self.judge.names.index(self.direction.info.name)

    def distances(self, pictures: Tensor, index: Sequence[int]) -> list[dict[str, float]]:
        """Measure pictures against the true ones of the people of these numbers."""
        target = self.target[list(index)]
        error = (compared(pictures) - compared(target)).square().mean(dim=(1, 2, 3)).tolist()
        attributes = self.judge.perceptual_distance(pictures, target).tolist()
        return [{"error": e, "attributes": a} for e, a in zip(error, attributes, strict=True)]

    def trials(self, pictures: Tensor, strengths: Sequence[float]) -> list[Trial]:
        """Score edited pictures."""
        scores = self.judge(pictures)[:, self.column].tolist()
        return [Trial(*one) for one in zip(strengths, scores, pictures, strict=True)]


def _span(run: _AttributeRun, methods: Sequence[Method], index: list[int]) -> list[float | None]:
    """How much further e4e's edit scores at the upper end of the direction's range than at the lower one."""
    e4e = next((method for method in methods if method.name == "e4e"), None)
    if e4e is None:
        return [None] * len(index)
    ends = [
        run.judge(as_saved(e4e.edited(run.people, index, run.direction, [end] * len(index))))[:, run.column]
        for end in run.direction.info.strength_range
    ]
    return (ends[1] - ends[0]).tolist()


@dataclass(frozen=True)
class TrueEditing:
    """The benchmark on the people of some keys, which are seeds."""

    directions: tuple[Direction, ...]
    judge: Judge
    rule: EditRule
    keys: frozenset[str]

    def wanted(self, key: str) -> tuple[str, ...]:
        """Name the attributes that a person is edited in."""
        return tuple(direction.info.name for direction in self.directions) if key in self.keys else ()

    def measure(
        self, people: People, keys: Sequence[str], methods: Sequence[Method], inverted: dict[str, Tensor]
    ) -> list[tuple[dict, dict]]:
        """Edit those of a batch that take part: for each person the rows of `measure_edits`, and no features."""
        chosen = [i for i, key in enumerate(keys) if key in self.keys]
        done: list[tuple[dict, dict]] = [({}, {}) for _ in keys]
        if chosen:
            some = people[chosen]
            pictures = {name: made[chosen] for name, made in inverted.items()}
            seeds = [int(keys[i]) for i in chosen]
            rows = measure_edits(some, seeds, self.directions, methods, pictures, self.judge, self.rule)
            for i, row in zip(chosen, rows, strict=True):
                done[i][0].update(row)
        return done


def named_directions(library: DirectionLibrary, judge: Judge, names: Sequence[str] | None) -> tuple[Direction, ...]:
    """Find the directions that are named as attributes of the rendered domain; names: only these.

    Raises EvaluationError for a name that is no attribute or that the judge does not know, or without a useful range,
    DirectionError for one without a direction.
    """
    if names is None:
        entries = (entry.info.name for entry in library.entries if library.available(entry))
        names = [name for name in entries if name in NAMES]
    found = []
    for name in names:
        attribute_index(name)
        if name not in judge.names:
            raise EvaluationError(f"The judge does not know {name!r}; it knows {', '.join(judge.names)}.")
        direction = library.get(name)
        span = direction.info.strength_range
        if span is None or not span[0] < 0 < span[1]:
            raise EvaluationError(
                f"Direction '{name}' has the useful range {span}; expected one from below to above 0, such as "
                "`attribute-directions` measures."
            )
        found.append(direction)
    return tuple(found)
