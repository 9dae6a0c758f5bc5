"""A small alphabet of strokes for words on caps and walls."""

from __future__ import annotations

import torch
from torch import Tensor

from .shapes import segment

WORDS = ("HEY", "SUN", "LOVE", "JAZZ", "WOW", "ART", "YES", "ZOO", "MOON", "SURF")

# Letters as strokes on a grid 2 wide and 4 high, origin at the top left.
STROKES: tuple[tuple[str, tuple[tuple[int, int, int, int], ...]], ...] = (
    ("A", ((0, 4, 0, 1), (0, 1, 1, 0), (1, 0, 2, 1), (2, 1, 2, 4), (0, 2, 2, 2))),
    ("E", ((0, 0, 0, 4), (0, 0, 2, 0), (0, 2, 2, 2), (0, 4, 2, 4))),
    ("F", ((0, 0, 0, 4), (0, 0, 2, 0), (0, 2, 2, 2))),
    ("H", ((0, 0, 0, 4), (2, 0, 2, 4), (0, 2, 2, 2))),
    ("J", ((2, 0, 2, 3), (2, 3, 1, 4), (1, 4, 0, 3))),
    ("L", ((0, 0, 0, 4), (0, 4, 2, 4))),
    ("M", ((0, 4, 0, 0), (0, 0, 1, 2), (1, 2, 2, 0), (2, 0, 2, 4))),
    ("N", ((0, 4, 0, 0), (0, 0, 2, 4), (2, 4, 2, 0))),
    ("O", ((0, 0, 0, 4), (0, 4, 2, 4), (2, 4, 2, 0), (2, 0, 0, 0))),
    ("R", ((0, 4, 0, 0), (0, 0, 2, 0), (2, 0, 2, 2), (2, 2, 0, 2), (1, 2, 2, 4))),
    ("S", ((2, 0, 0, 0), (0, 0, 0, 2), (0, 2, 2, 2), (2, 2, 2, 4), (2, 4, 0, 4))),
    ("T", ((0, 0, 2, 0), (1, 0, 1, 4))),
    ("U", ((0, 0, 0, 4), (0, 4, 2, 4), (2, 4, 2, 0))),
    ("V", ((0, 0, 1, 4), (1, 4, 2, 0))),
    ("W", ((0, 0, 0, 4), (0, 4, 1, 2), (1, 2, 2, 4), (2, 4, 2, 0))),
    ("Y", ((0, 0, 1, 2), (2, 0, 1, 2), (1, 2, 1, 4))),
    ("Z", ((0, 0, 2, 0), (2, 0, 0, 4), (0, 4, 2, 4))),
)


def word_distance(x: Tensor, y: Tensor, words: Tensor, height: float, stacked: bool = False) -> Tensor:
    """Return the distance to the strokes of one word per picture, centred at the origin.

    x, y: [B,S,S]; words: [B] int64, indices into WORDS; height: of a letter, in the unit of x and y. stacked: letters
    stand below each other.
    """
    rows = [_word(x[i : i + 1], y[i : i + 1], WORDS[word], height, stacked) for i, word in enumerate(words.tolist())]
    return torch.cat(rows)


def _word(x: Tensor, y: Tensor, word: str, height: float, stacked: bool) -> Tensor:
    """Return the distance to one word's strokes [1,S,S]."""
    unit = height / 4
    distance = torch.full_like(x, 10.0)
    for index, letter in enumerate(word):
        place = index - 0.5 * (len(word) - 1)
        left, top = (-1.0, 5.6 * place - 2) if stacked else (3.2 * place - 1, -2.0)
        strokes = next(strokes for name, strokes in STROKES if name == letter)
        for x0, y0, x1, y1 in strokes:
            start, end = (unit * (left + x0), unit * (top + y0)), (unit * (left + x1), unit * (top + y1))
            distance = torch.minimum(distance, segment(x, y, start, end, 0.42 * unit))
    return distance
