"""Scores of aligned photographs by name: what a direction or an edit changes, as numbers.

The networks behind them were made by others, for faces aligned as FFHQ's; a score tells pictures apart, and says
nothing certain about a person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checkpoints.measuring_weights import EXPRESSION, POINTS, SMALL_AGE
from ..checkpoints.present import MissingWeightsError
from . import face_measures as measures
from .age_gender import find_age, find_gender, load_age, load_gender
from .face_api import EXPRESSIONS, find_face_api, load_expression, load_face_api_age, load_landmarks
from .face_classes import find_face_classes, load_face_classes


class ScoreError(ValueError):
    """A name that is no score."""


@dataclass(frozen=True)
class Score:
    """One score.

    network: which of FIND and LOAD it reads; of: pictures [B,3,H,W] in [-1,1] and that network's output to [B],
    higher being more. low, high: between these most photographs lie; changes are told in shares of that range.
    """

    name: str
    meaning: str
    network: str
    of: Callable[[Tensor, Tensor], Tensor]
    low: float
    high: float

    @property
    def span(self) -> float:
        return self.high - self.low


# How each network's file is found in a folder, and how it is read.
FIND: dict[str, Callable[[Path | str], Path]] = {
    "age": find_age,
    "gender": find_gender,
    "expression": partial(find_face_api, EXPRESSION),
    "small age": partial(find_face_api, SMALL_AGE),
    "points": partial(find_face_api, POINTS),
    "classes": find_face_classes,
}
LOAD: dict[str, Callable[[Path | str], nn.Module]] = {
    "age": load_age,
    "gender": load_gender,
    "expression": load_expression,
    "small age": load_face_api_age,
    "points": load_landmarks,
    "classes": load_face_classes,
}


def _itself(image: Tensor, output: Tensor) -> Tensor:
    return output


def _happiness(image: Tensor, logits: Tensor) -> Tensor:
    """Log odds of "happy": the probability itself saturates."""
    column = EXPRESSIONS.index("happy")
    others = [i for i in range(len(EXPRESSIONS)) if i != column]
    return logits[:, column] - logits[:, others].logsumexp(dim=1)


def _points(measure: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda image, points: measure(points)


def _share(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda image, classes: measures.share(classes, name)


SCORES = (
    Score("age", "years that the face looks like", "age", _itself, 22.0, 54.0),
    Score("small_age", "years that the face looks like to a second network", "small age", _itself, 18.0, 59.0),
    Score("gender", "log odds of male against female", "gender", _itself, -44.0, 11.0),
    Score("happiness", "log odds of a happy expression", "expression", _happiness, -14.0, 24.0),
    Score("yaw", "nose right of the eyes' middle, in eye distances", "points", _points(measures.yaw), -0.22, 0.19),
    Score("pitch", "nose from the eyes (0) to the mouth (1)", "points", _points(measures.pitch), 0.44, 0.74),
    Score("eyes_open", "height of the eyes by their width", "points", _points(measures.eyes_open), 0.26, 0.34),
    Score("mouth_open", "inner lips apart, in eye distances", "points", _points(measures.mouth_open), 0.0069, 0.24),
    Score("face_width", "width of the face by its height", "points", _points(measures.face_width), 1.2, 1.4),
    Score("glasses", "log odds of glasses before the eyes", "classes", lambda _, x: measures.glasses(x), -8.1, -1.3),
    Score("hat", "log odds of the hat's share of the picture", "classes", _share("hat"), -6.8, -3.3),
    Score("hair", "log odds of the hair's share of the picture", "classes", _share("hair"), -1.9, 0.24),
    Score("bangs", "hair's share of the forehead", "classes", lambda _, classes: measures.bangs(classes), 0.0013, 0.8),
    Score("hair_light", "brightness of the hair", "classes", measures.hair_light, 0.11, 0.54),
    Score("hair_warm", "hair redder than blue", "classes", measures.hair_warm, 0.0, 0.25),
    Score(
        "hair_length",
        "hair's share below the mouth",
        "classes",
        lambda _, classes: measures.hair_length(classes),
        0.0,
        0.4,
    ),
    Score("lipstick", "lips redder than the skin", "classes", measures.lipstick, 0.015, 0.18),
    Score("beard", "chin darker than the face", "classes", measures.beard, -0.084, 0.16),
    Score("light", "light from the right of the picture", "classes", measures.light, -0.18, 0.2),
    Score("brightness", "brightness of the face", "classes", measures.brightness, 0.41, 0.72),
)
NAMES = tuple(score.name for score in SCORES)


def score_named(name: str) -> Score:
    """Return a score by its name. Raises ScoreError."""
    for score in SCORES:
        if score.name == name:
            return score
    raise ScoreError(f"There is no score {name!r}; expected one of {', '.join(NAMES)}.")


@dataclass(frozen=True, eq=False)
class Scorer:
    """Score pictures. networks: those that the scores need, by their names in LOAD."""

    scores: tuple[Score, ...]
    networks: dict[str, nn.Module]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(score.name for score in self.scores)

    @torch.no_grad()
    def __call__(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W], about [-1,1], aligned as FFHQ's. Returns [B,A], a column for each of `names`."""
        image = image.float().clamp(-1, 1)
        outputs = {name: network(image) for name, network in self.networks.items()}
        return torch.stack([score.of(image, outputs[score.network]) for score in self.scores], dim=1)


def available(weights: Path | str) -> tuple[list[str], list[str]]:
    """Say which scores' files are in a folder, and in a sentence each what the others need.

    Raises MissingWeightsError if none is.
    """
    missing: dict[str, MissingWeightsError] = {}
    for name, find in FIND.items():
        try:
            find(weights)
        except MissingWeightsError as error:
            missing[name] = error
    names = [score.name for score in SCORES if score.network not in missing]
    if not names:
        raise next(iter(missing.values()))
    return names, [str(error) for error in missing.values()]


def load_scorer(names: Sequence[str], weights: Path | str, device: torch.device | str = "cpu") -> Scorer:
    """Load what the scores of these names need from a folder.

    Raises ScoreError, MissingWeightsError or CheckpointError.
    """
    scores = tuple(score_named(name) for name in dict.fromkeys(names))
    wanted = dict.fromkeys(score.network for score in scores)
    return Scorer(scores, {name: LOAD[name](FIND[name](weights)).to(device) for name in wanted})
