"""The colours of the portraits: sRGB in [0,1], [B,3,1,1]."""

from __future__ import annotations

import torch
from torch import Tensor

# Chosen by eye, from light to dark, from black to blond, from dark brown to blue.
SKIN = ((1.00, 0.87, 0.78), (0.97, 0.78, 0.65), (0.88, 0.65, 0.49), (0.70, 0.46, 0.32), (0.47, 0.29, 0.20))
HAIR = ((0.12, 0.10, 0.12), (0.24, 0.15, 0.12), (0.42, 0.26, 0.16), (0.66, 0.45, 0.25), (0.93, 0.77, 0.46))
RED_HAIR = ((0.30, 0.09, 0.07), (0.44, 0.14, 0.08), (0.64, 0.23, 0.10), (0.80, 0.36, 0.14), (0.93, 0.55, 0.27))
EYES = ((0.26, 0.14, 0.08), (0.47, 0.28, 0.12), (0.50, 0.48, 0.18), (0.28, 0.53, 0.36), (0.25, 0.53, 0.82))
GREY_HAIR = (0.80, 0.80, 0.82)


def constant(colour: tuple[float, float, float], like: Tensor) -> Tensor:
    """Return one colour as [1,3,1,1]."""
    return like.new_tensor(colour).view(1, 3, 1, 1)


def ramp(stops: tuple[tuple[float, float, float], ...], t: Tensor) -> Tensor:
    """Interpolate linearly between equally spaced colours. t: [B,1,1] in [0,1]."""
    position = t.unsqueeze(1) * (len(stops) - 1)
    total = torch.zeros_like(position)
    for index, stop in enumerate(stops):
        total = total + (1 - (position - index).abs()).clamp(min=0) * constant(stop, t)
    return total


def hsl(hue: Tensor, saturation: Tensor | float, lightness: Tensor | float) -> Tensor:
    """Convert hue (in turns), saturation and lightness, [B,1,1] or numbers in [0,1], to a colour."""
    offsets = hue.new_tensor([0.0, 2 / 3, 1 / 3]).view(1, 3, 1, 1)
    turn = hue.unsqueeze(1) + offsets
    pure = ((turn - torch.floor(turn)) * 6 - 3).abs() - 1
    saturation = saturation.unsqueeze(1) if isinstance(saturation, Tensor) else saturation
    lightness = lightness.unsqueeze(1) if isinstance(lightness, Tensor) else lightness
    chroma = (1 - abs(2 * lightness - 1)) * saturation
    return lightness + chroma * (pure.clamp(0, 1) - 0.5)


def hair_colour(colour: Tensor, redness: Tensor, age: Tensor) -> Tensor:
    """Return the hair's base colour [B,3,1,1]; it greys from an age of about 0.62 on. Arguments: [B,1,1] in [0,1]."""
    grey = ((age - 0.62) * 2.4).clamp(0, 0.88).unsqueeze(1)
    base = ramp(HAIR, colour)
    base = base + (ramp(RED_HAIR, colour) - base) * redness.unsqueeze(1) * 0.85
    return base + (constant(GREY_HAIR, colour) - base) * grey


def complexion(skin: Tensor, age: Tensor) -> Tensor:
    """Return the skin's base colour [B,3,1,1], a little paler with age. Arguments: [B,1,1] in [0,1]."""
    base = ramp(SKIN, skin)
    grey = (base[:, :1] + base[:, 1:2] + base[:, 2:]) * (1.0 / 3.0)
    return base + (grey - base) * 0.15 * age.unsqueeze(1)
