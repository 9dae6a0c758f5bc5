"""The details of a portrait that no attribute describes, drawn at random from its detail seed.

Every portrait with a seed >= 0 has two to five of them. What a detail looks like depends on the seed alone, and those
on the face move with the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor

from .attributes import Portraits


class Detail(IntEnum):
    """What a portrait may carry besides its attributes."""

    WALL_PATTERN = 0
    CLOTHES_PATTERN = 1
    FRECKLES = 2
    MOLES = 3
    SCAR = 4
    EARRINGS = 5
    HEADWEAR = 6
    STICKER = 7
    WALL_WORD = 8


# Likelier details first in the draw: relative odds, chosen so that most pictures have something to keep.
ODDS = (1.6, 1.3, 0.8, 0.8, 0.5, 0.9, 1.0, 0.9, 0.5)
FEWEST, MOST = 2, 5
NUMBERS = 8  # Uniform numbers for each detail: variant, two colours, position, scale and spares.
RIVALS = (Detail.WALL_PATTERN, Detail.WALL_WORD)  # A portrait has one of them only: no word is readable on a pattern.


@dataclass(frozen=True)
class Details:
    """Hold which details each portrait has and the random numbers that shape them.

    present: [B,9] bool, in the order of Detail. numbers: [B,9,8] in [0,1).
    """

    present: Tensor
    numbers: Tensor

    def who(self, detail: Detail) -> Tensor:
        """Return the indices [N] of the portraits that have a detail."""
        return self.present[:, detail].nonzero().flatten()

    def number(self, detail: Detail, index: int, who: Tensor) -> Tensor:
        """Return one random number of a detail for the chosen portraits: [N,1,1]."""
        return self.numbers[who, detail, index].reshape(-1, 1, 1)


def draw_details(portraits: Portraits) -> Details:
    """Draw the details of every portrait, each from a generator of its own."""
    seeds = portraits.detail_seeds.tolist()
    present = torch.zeros(len(seeds), len(Detail), dtype=torch.bool)
    numbers = torch.zeros(len(seeds), len(Detail), NUMBERS)
    for row, seed in enumerate(seeds):
        if seed >= 0:
            generator = torch.Generator().manual_seed(seed)
            present[row] = _chosen(generator)
            numbers[row] = torch.rand(len(Detail), NUMBERS, generator=generator)
    device = portraits.values.device
    return Details(present.to(device), numbers.to(device))


def _chosen(generator: torch.Generator) -> Tensor:
    """Choose FEWEST to MOST details without repetition or rivals, as [9] bool."""
    count = int(torch.randint(FEWEST, MOST + 1, (1,), generator=generator))
    order = torch.multinomial(torch.tensor(ODDS), len(ODDS), generator=generator).tolist()
    chosen: list[int] = []
    for detail in order:
        beaten = detail in RIVALS and any(rival in chosen for rival in RIVALS)
        if not beaten and len(chosen) < count:
            chosen.append(detail)
    present = torch.zeros(len(ODDS), dtype=torch.bool)
    present[chosen] = True
    return present
