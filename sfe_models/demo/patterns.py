"""Patterns on walls and clothes, and words on walls."""

from __future__ import annotations

import torch
from torch import Tensor

from .details import Detail, Details
from .head import Head
from .lettering import WORDS, word_distance
from .palette import constant, hsl
from .shapes import Screen, bell, fill, paint, smoothstep, wave

WALL_PATTERNS, CLOTHES_PATTERNS = 7, 4


def stripes(x: Tensor, width: Tensor, pixel: float) -> Tensor:
    """Return stripes across x with a period of 2 `width`, in [0,1]."""
    f = x / (2 * width)
    return fill(((f - torch.floor(f)) - 0.5).abs() * 2 * width - 0.5 * width, 1.5 * pixel)


def dots(x: Tensor, y: Tensor, width: Tensor, pixel: float) -> Tensor:
    """Return staggered dots with a spacing of 2 `width`, in [0,1]."""
    row = torch.floor(y / (2 * width))
    shift = (row - 2 * torch.floor(row * 0.5)) * 0.5
    fx, fy = x / (2 * width) + shift, y / (2 * width)
    dx, dy = fx - torch.floor(fx) - 0.5, fy - row - 0.5
    return fill(((dx.square() + dy.square()).sqrt() * 2 - 0.56) * width, 1.5 * pixel)


def bricks(x: Tensor, y: Tensor, width: Tensor, pixel: float) -> Tensor:
    """Return the joints of a brick wall, in [0,1]."""
    row = torch.floor(y / width)
    shift = (row - 2 * torch.floor(row * 0.5)) * 0.5
    fx, fy = x / (2 * width) + shift, y / width
    joint_x = 0.5 - (fx - torch.floor(fx) - 0.5).abs()
    joint_y = 0.5 - (fy - row - 0.5).abs()
    return fill(torch.minimum(joint_x * 2, joint_y) * width - 0.011, 1.5 * pixel)


def _bokeh(x: Tensor, y: Tensor, details: Details, who: Tensor) -> Tensor:
    """Return large soft lights, in [0,1]."""
    total = torch.zeros_like(x + y)
    for index in range(9):
        # Steps of an additive recurrence in two dimensions spread the lights evenly.
        a = details.number(Detail.WALL_PATTERN, 5, who) + 0.754878 * index
        b = details.number(Detail.WALL_PATTERN, 6, who) + 0.569840 * index
        cx, cy = (a - torch.floor(a)) * 1.8 - 0.9, (b - torch.floor(b)) * 1.4 - 0.9
        square = (x - cx).square() + (y - cy).square()
        radius = 0.10 + 0.02 * (index % 4)
        total = total + 0.6 * smoothstep(radius * 1.15, radius * 0.85, square.sqrt()) + 0.4 * bell(square * 6)
    return total.clamp(max=1)


def draw_wall(image: Tensor, screen: Screen, details: Details) -> None:
    """Paint patterns and words on the background, in place."""
    kind = Detail.WALL_PATTERN
    who = details.who(kind)
    if len(who):
        # How a pattern is chosen: one number in [0,1) cut into equal parts.
        variant = (details.numbers[who, kind, 0] * WALL_PATTERNS).floor()
        for index in range(WALL_PATTERNS):
            some = who[variant == index]
            if len(some):
                width = 0.075 + 0.055 * details.number(kind, 1, some)
                alpha = _wall_pattern(index, screen, width, details, some)
                picked = image[some]
                paint(picked, alpha * (0.45 + 0.4 * details.number(kind, 3, some)), _accent(details, kind, some))
                image[some] = picked
    who = details.who(Detail.WALL_WORD)
    if len(who):
        # There is room beside the head: the letters stand below each other.
        side = (details.number(Detail.WALL_WORD, 3, who) > 0.5).to(image.dtype) * 2 - 1
        x, y = torch.broadcast_tensors(screen.x - 0.73 * side, screen.y + 0.12)
        words = (details.numbers[who, Detail.WALL_WORD, 0] * len(WORDS)).long()
        distance = word_distance(x, y, words, 0.22, stacked=True)
        picked = image[who]
        # A light border keeps the word readable on every wall.
        paint(picked, fill(distance - 0.022, 1.5 * screen.pixel), constant((0.97, 0.95, 0.90), image))
        colour = hsl(details.number(Detail.WALL_WORD, 5, who), 0.65, 0.36)
        paint(picked, fill(distance, 1.5 * screen.pixel), colour)
        image[who] = picked


def _wall_pattern(index: int, screen: Screen, width: Tensor, details: Details, who: Tensor) -> Tensor:
    """Return one of the wall's patterns [N,S,S], in [0,1]."""
    slant = details.number(Detail.WALL_PATTERN, 4, who) * 1.4 - 0.7
    x, y, _ = torch.broadcast_tensors(screen.x, screen.y, slant)
    pixel = screen.pixel
    if index == 0:
        return stripes(x + slant * y, width, pixel)
    if index == 1:
        return dots(x, y, width, pixel)
    if index == 2:
        one, other = stripes(x, width, pixel), stripes(y, width, pixel)
        return one + other - 2 * one * other
    if index == 3:
        return stripes(y + 0.05 * wave(1.6 * x), width, pixel)
    if index == 4:
        return _bokeh(x, y, details, who)
    if index == 5:
        return bricks(x, y, width * 1.6, pixel)
    return stripes((x.square() + (y + 0.1).square()).sqrt(), width, pixel)


def _accent(details: Details, kind: Detail, who: Tensor) -> Tensor:
    """Return a detail's own colour [N,3,1,1]: pastel, bright or deep."""
    return hsl(details.number(kind, 5, who), 0.60, 0.30 + 0.55 * details.number(kind, 2, who))


def dress(cloth: Tensor, head: Head, details: Details) -> Tensor:
    """Return the clothes' colour [B,3,S,S] with patterns. cloth: [B,3,1,1]."""
    kind, screen = Detail.CLOTHES_PATTERN, head.screen
    cloth = cloth.expand(-1, 3, head.u.shape[-2], head.u.shape[-1]).contiguous()
    who = details.who(kind)
    if len(who):
        variant = (details.numbers[who, kind, 0] * CLOTHES_PATTERNS).floor()
        for index in range(CLOTHES_PATTERNS):
            some = who[variant == index]
            if len(some):
                width = 0.045 + 0.035 * details.number(kind, 1, some)
                x, y, _ = torch.broadcast_tensors(screen.x, screen.y - 0.30 * screen.x.square(), width)
                alpha = _cloth_pattern(index, x, y, width, screen.pixel)
                picked = cloth[some]
                paint(picked, 0.85 * alpha, _accent(details, kind, some))
                cloth[some] = picked
    return cloth


def _cloth_pattern(index: int, x: Tensor, y: Tensor, width: Tensor, pixel: float) -> Tensor:
    """Return one of the clothes' patterns [N,S,S], in [0,1]."""
    if index == 0:
        return stripes(y, width, pixel)
    if index == 1:
        return stripes(x, width, pixel)
    if index == 2:
        return 0.55 * (stripes(x, width * 1.3, pixel) + stripes(y, width * 1.3, pixel))
    return dots(x, y, width, pixel)
