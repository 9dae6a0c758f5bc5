"""Details painted onto an aligned picture of a real-looking face, which no code of its generator holds.

Freckles, paint on a cheek, a patterned headband and a word on the wall; places as in FFHQ's crops: the eyes at (+-0.23,
-0.05), the mouth at (0, 0.44) in coordinates from -1 to 1, y down.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .lettering import WORDS, word_distance
from .palette import constant, hsl
from .patterns import dots, stripes
from .shapes import bell, ellipse, fill, paint, segment, smooth_max, smoothstep, tint, wave

_FRECKLES = 110
_PAINT = ((0.86, 0.16, 0.20), (0.97, 0.95, 0.90), (0.12, 0.36, 0.74))
# The headband: its middle's height, its curve, half its width, and the outline of the head that it lies on.
_BAND_Y, _BAND_CURVE, _BAND_HALF, _HEAD = -0.53, 0.48, 0.082, (0.69, 1.10)
# Of the wall's word: where it stands, and the height of a letter.
_WORD_X, _WORD_Y, _LETTER = -0.85, -0.40, 0.16


@torch.no_grad()
def paint_details(image: Tensor, seed: int) -> Tensor:
    """Paint seeded details onto pictures [B,3,S,S] in [-1,1], in the light that the pictures have."""
    size = image.shape[-1]
    line = (torch.arange(size, device=image.device) + 0.5) * (2 / size) - 1
    x, y = (part[None] for part in torch.meshgrid(line, line, indexing="xy"))
    random = torch.Generator().manual_seed(seed)
    numbers = torch.rand(8, generator=random).tolist()
    painted = (image.float() + 1) / 2
    light = _light(painted)
    pixel = 1.5 * 2 / size
    _wall_word(painted, light, x, y, numbers, pixel)
    _freckles(painted, x, y, random)
    _face_paint(painted, light, x, y, numbers, pixel)
    _headband(painted, light, x, y, numbers, pixel)
    return painted.clamp(0, 1) * 2 - 1


def _light(picture: Tensor) -> Tensor:
    """How light a picture is around each place: [B,1,S,S], its mean 1."""
    grey, size = picture.mean(dim=1, keepdim=True), picture.shape[-1]
    small = F.adaptive_avg_pool2d(grey, 32)
    soft = F.interpolate(small, size=(size, size), mode="bicubic", align_corners=False)
    return (0.4 + soft / soft.mean(dim=(2, 3), keepdim=True) * 0.6).clamp(0.45, 1.35)


def _wall_word(image: Tensor, light: Tensor, x: Tensor, y: Tensor, numbers: list[float], pixel: float) -> None:
    """Letter a word on the wall, one letter below the other, with the wall's light on it."""
    word = torch.tensor([int(numbers[0] * len(WORDS))])
    distance = word_distance(x - _WORD_X, y - _WORD_Y, word, _LETTER, stacked=True)
    colour = hsl(torch.tensor([[[numbers[1]]]]), 0.60, 0.45).to(image)
    paint(image, 0.85 * fill(distance, 3 * pixel), colour * light)


def _freckles(image: Tensor, x: Tensor, y: Tensor, random: torch.Generator) -> None:
    """Sprinkle freckles over the nose and the cheeks."""
    cover = torch.zeros_like(x)
    for u, v, radius, strength in torch.rand(_FRECKLES, 4, generator=random).tolist():
        across = (2 * u - 1) * 0.36
        down = 0.16 + (2 * v - 1) * 0.12 + 0.25 * across**2
        spot = bell(((x - across).square() + (y - down).square()) * (1 / (0.006 + 0.012 * radius**2) ** 2))
        cover = torch.maximum(cover, (0.25 + 0.6 * strength) * spot)
    tint(image, cover, constant((0.76, 0.60, 0.50), image))


def _face_paint(image: Tensor, light: Tensor, x: Tensor, y: Tensor, numbers: list[float], pixel: float) -> None:
    """Draw three stripes on a cheek; pores and shadows show through."""
    side = 1 if numbers[2] < 0.5 else -1
    grey = image.mean(dim=1, keepdim=True)
    relief = (grey / (light * grey.mean(dim=(2, 3), keepdim=True))).clamp(0.75, 1.25)
    for i, colour in enumerate(_PAINT):
        down = 0.235 + 0.055 * i
        stroke = segment(side * x, y, (0.245 + 0.012 * i, down), (0.375 - 0.016 * i, down - 0.035), 0.017)
        paint(image, 0.86 * fill(stroke, 4 * pixel), constant(colour, image) * light * relief * 0.92)


def _headband(image: Tensor, light: Tensor, x: Tensor, y: Tensor, numbers: list[float], pixel: float) -> None:
    """Lay a patterned band over the forehead, darker to the sides, with its shadow on the skin below."""
    along = y - _BAND_Y - _BAND_CURVE * x.square()
    head = ellipse(x - 0.02, y - 0.10, *_HEAD)
    band = smooth_max(along.abs() - _BAND_HALF, head, 0.02)
    shadow = fill(smooth_max(along.abs() - _BAND_HALF - 0.01, head, 0.02), 0.06)
    tint(image, 0.5 * shadow, constant((0.45, 0.36, 0.36), image))
    cloth = hsl(torch.tensor([[[numbers[3]]]]), 0.62, 0.40).to(image).expand(-1, 3, *x.shape[1:]).clone()
    # Farther from the middle the head turns away, and what is on it stands closer.
    width, round_x = torch.tensor(0.027), x * (1 + 0.35 * x.square())
    pattern = dots(round_x, along, width, pixel) if numbers[4] < 0.5 else stripes(round_x + along, width * 0.7, pixel)
    inside = fill(along.abs() - 0.78 * _BAND_HALF, pixel)
    paint(cloth, 0.9 * pattern * inside, constant((0.93, 0.89, 0.80), image))
    hem = bell(((along.abs() - 0.86 * _BAND_HALF) * (1 / 0.007)).square())
    tint(cloth, 0.5 * hem, constant((0.55, 0.55, 0.60), image))
    folds = 0.06 * wave(6 * along + 1.3 * x + 2 * x.square()) + 0.03 * wave(2.2 * x - 9 * along)
    dome = 1.0 - 0.62 * (x / _HEAD[0]).square().clamp(max=1) + folds
    dome = dome * (1 - 0.22 * smoothstep(0.75, 1.0, (along / _BAND_HALF).abs()))
    paint(image, fill(band, 2 * pixel), cloth * dome[:, None] * light)
