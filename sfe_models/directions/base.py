"""What an editing direction is, whatever family it comes from.

A direction moves W+ codes or style vectors by a strength. To add a family, write a class with `move` and a `READER`
in `families/`, and name the latter in `families/readers.py`.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass

import torch
from torch import Tensor

from ..generators.base import Generator, StyleSpace

# Far beyond every useful strength; a typing error, not an edit.
MAX_STRENGTH = 1000.0


class DirectionError(ValueError):
    """A direction that does not exist, cannot be read, or does not fit the model."""


@dataclass(frozen=True)
class DirectionInfo:
    """What a person wants to know of a direction.

    subject: what it was made for ("human faces", "cars", ...), None where nobody says; strength_range: approximate
    useful strengths; effect: what a positive strength does; source: where the vector comes from; generator: the
    fingerprint of the one that it was found from, None where nobody says.
    """

    name: str
    family: str
    subject: str | None
    strength_range: tuple[float, float] | None = None
    effect: str = ""
    source: str = ""
    generator: str | None = None


def may_move(made_for: str | None, shown: str | None) -> bool:
    """Tell whether what was made for one subject, or generator, may move another; unknown excludes nothing."""
    return made_for is None or shown is None or made_for == shown


def check_subject(info: DirectionInfo, name: str, shown: str | None) -> None:
    """Refuse a direction for another subject than the one that a model of this name shows."""
    if not may_move(info.subject, shown):
        raise DirectionError(f"Direction '{info.name}' is for {info.subject}; {name} shows {shown}.")


def check_generator(info: DirectionInfo, fingerprint: str) -> None:
    """Refuse a direction that was found from another generator than the one of this fingerprint.

    Published directions and old files do not say what they were found from; they pass. A generator that was distilled
    from another may share its W space, but its fingerprint is its own.
    """
    if info.generator not in (None, fingerprint):
        raise DirectionError(
            f"Direction '{info.name}' was found from another generator than this model's: from weights with the "
            f"fingerprint {info.generator}, these have {fingerprint}. Find it anew with this model or, if both "
            "generators share one W, take 'generator' out of the JSON file beside it."
        )


class Direction(abc.ABC):
    """Something that moves a latent code. `info` says what it does."""

    info: DirectionInfo
    # Whether the move at one layer depends on the codes of other layers than that one and the first.
    reads_all_layers: bool = False

    def __repr__(self) -> str:
        return f"{self.info.family} {self.info.name!r}"

    @abc.abstractmethod
    def moved_styles(self, generator: Generator, w_plus: Tensor, strength: Tensor) -> StyleSpace:
        """Compute all style vectors of moved codes. w_plus: [B,N,D]; strength: [B]."""


class WPlusDirection(Direction):
    """A direction that moves W+ codes."""

    @abc.abstractmethod
    def move(self, w_plus: Tensor, strength: Tensor) -> Tensor:
        """w_plus: [B,n,D], the first n styles; strength: [B]. Returns the moved code [B,n,D]."""

    def moved_styles(self, generator: Generator, w_plus: Tensor, strength: Tensor) -> StyleSpace:
        return generator.style_space(self.move(w_plus, strength))


class StyleSpaceDirection(Direction):
    """A direction that moves style vectors."""

    @abc.abstractmethod
    def move(self, styles: StyleSpace, strength: Tensor) -> StyleSpace:
        """styles: of the first layers or of all; strength: [B]. Returns the moved style vectors."""

    def moved_styles(self, generator: Generator, w_plus: Tensor, strength: Tensor) -> StyleSpace:
        return self.move(generator.style_space(w_plus), strength)


@dataclass(frozen=True, eq=False)
class Step:
    """One direction with its strength for each picture: [B]."""

    direction: Direction
    strength: Tensor

    def __repr__(self) -> str:
        values = ", ".join(f"{s:g}" for s in self.strength[:4].tolist())
        return f"{self.direction!r} at {values}{', ...' if len(self.strength) > 4 else ''}"


def strength_tensor(strength: float | Tensor, batch: int, device: torch.device | str) -> Tensor:
    """Make one strength per picture, [B] float32; a number serves all. Raises DirectionError beyond MAX_STRENGTH."""
    if isinstance(strength, bool) or not isinstance(strength, int | float | Tensor):
        raise DirectionError(f"Strength is {strength!r}; expected a number or one number per picture.")
    values = torch.as_tensor(strength, dtype=torch.float32, device=device).reshape(-1)
    if len(values) not in (1, batch):
        raise DirectionError(f"{len(values)} strengths for {batch} pictures; expected one, or one per picture.")
    bad = [v for v in values.tolist() if not abs(v) <= MAX_STRENGTH]
    if bad:
        raise DirectionError(f"Strength is {bad[0]:g}; expected a number from {-MAX_STRENGTH:g} to {MAX_STRENGTH:g}.")
    return values.expand(batch)


def evenly_spaced(first: float, last: float, steps: int) -> list[float]:
    """Strengths from the first to the last, both included, rounded to 6 decimals so that they can be written."""
    # + 0.0 makes of -0.0 what people write.
    return [round(strength, 6) + 0.0 for strength in torch.linspace(first, last, steps, dtype=torch.float64).tolist()]
