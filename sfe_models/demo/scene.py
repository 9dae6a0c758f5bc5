"""What surrounds the head: the background, the neck and the clothes."""

from __future__ import annotations

import torch
from torch import Tensor

from .attributes import Portraits
from .head import Head, column
from .palette import constant, hsl
from .shapes import Screen, bell, ellipse, fill, paint, smoothstep, tint


def background_colour(portraits: Portraits) -> Tensor:
    """Return the background's base colour [B,3,1,1]."""
    light = column(portraits, "background_light")
    return hsl(column(portraits, "background_hue"), 0.26 + 0.30 * light, 0.26 + 0.58 * light)


def clothes_colour(portraits: Portraits) -> Tensor:
    """Return the clothes' base colour [B,3,1,1]."""
    light = column(portraits, "clothes_light")
    return hsl(column(portraits, "clothes_hue"), 0.46 - 0.06 * light, 0.22 + 0.60 * light)


def shade_background(image: Tensor, screen: Screen) -> None:
    """Let the background glow behind the head and fall off towards the corners, in place."""
    glow = bell((screen.x.square() + (screen.y + 0.15).square()) * (1 / 2.9))
    image *= (0.74 + 0.34 * glow).unsqueeze(1)


def draw_neck(image: Tensor, head: Head, skin: Tensor) -> Tensor:
    """Paint the neck with the chin's shadow and return its coverage [B,S,S]. skin: [B,3,1,1]."""
    x, y = head.screen.x, head.screen.y
    lean = head.centre_x * smoothstep(1.0, 0.3, y)
    half = 0.215 + 0.10 * smoothstep(0.60, 0.90, y)
    distance = torch.maximum((x - lean * 0.8).abs() - half, 0.2 - y)
    alpha = fill(distance, 1.5 * head.screen.pixel)
    across = (x - lean * 0.8) / half
    round_light = 0.86 - 0.22 * across.square() + 0.20 * head.light[0] * across
    chin = smoothstep(0.26, -0.02, head.outline)
    warm = constant((0.50, 0.38, 0.38), image)
    paint(image, alpha, skin * round_light.unsqueeze(1) * (1 + (warm - 1) * chin.unsqueeze(1) * 0.85))
    return alpha


def clothes_shape(head: Head) -> tuple[Tensor, Tensor]:
    """Return the distances to the clothes and to their collar's opening [B,S,S]."""
    x, y = head.screen.x, head.screen.y
    side = x.abs()
    shoulder = 0.70 + 0.62 * (side - 0.25).clamp(min=0).square() + 0.10 * side
    shape = (shoulder - y) * 0.85
    collar = ellipse(x - 0.25 * head.centre_x, y - 0.665, 0.29, 0.145)
    return torch.maximum(shape, -collar), collar


def draw_clothes(image: Tensor, head: Head, cloth: Tensor) -> Tensor:
    """Paint the clothes and return their coverage [B,S,S]. cloth: their colour [B,3,1,1] or [B,3,S,S]."""
    x, y = head.screen.x, head.screen.y
    distance, collar = clothes_shape(head)
    alpha = fill(distance, 1.5 * head.screen.pixel)
    lit = 0.94 + 0.28 * head.light[0] * x - 0.25 * smoothstep(0.75, 1.2, x.abs())
    fold = bell(((x.abs() - 0.60 + 0.35 * (y - 0.8)) * (1 / 0.07)).square()) * smoothstep(0.80, 1.0, y)
    lit = lit - 0.10 * fold + 0.10 * bell(((distance + 0.05) * (1 / 0.05)).square())
    drop = smoothstep(0.40, 0.02, head.outline)
    paint(image, alpha, cloth * (lit * (1 - 0.30 * drop)).unsqueeze(1))
    rib = bell(((collar - 0.030) * (1 / 0.034)).square())
    tint(image, 0.9 * rib * alpha, constant((0.78, 0.76, 0.80), image))
    return alpha
