"""Details painted onto training pictures that no W+ code holds: pieces of other pictures, patterns, letters.

A thousand photographs have few hats, hands and prints; what the Inverter has to learn from them, that every pixel
counts, is the same for whatever lies in front of the face.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..demo.lettering import WORDS, word_distance
from ..demo.patterns import bricks, dots, stripes
from ..demo.shapes import fill, smoothstep

# Side of the noise that pieces are cut along: the fewer, the larger the pieces.
_COARSE = (3, 4, 6)


def paint_over(image: Tensor, share: float) -> Tensor:
    """Paint onto a share of pictures [B,3,H,W] in [-1,1]: a piece of a neighbour in the batch, a pattern or a word."""
    painted = image.clone()
    for i in (torch.rand(len(image)) < share).nonzero().flatten().tolist():
        kind = int(torch.randint(4, ()))
        if kind < 2:
            layer, cover = _neighbour(image, i), _piece(image.shape[2:])
        else:
            layer, cover = (
                torch.rand(3, 1, 1) * 2 - 1,
                _pattern(image.shape[2:]) if kind == 2 else _word(image.shape[2:]),
            )
        cover = cover.to(image.device) * (0.6 + 0.4 * torch.rand(()).item())
        painted[i] = torch.lerp(image[i], layer.to(image.device).expand_as(image[i]), cover)
    return painted


def _neighbour(image: Tensor, i: int) -> Tensor:
    """Another picture of the batch [3,H,W], mirrored, upside down or shifted, in other colours."""
    other = image[(i + 1) % len(image)]
    if torch.rand(()) < 0.5:
        other = other.flip(1)
    other = other.roll([int(torch.randint(side, ())) for side in other.shape[1:]], (1, 2))
    tint = 0.6 * (torch.rand(3, 1, 1) - 0.5).to(image.device)
    return (other[torch.randperm(3)] * (0.5 + torch.rand(()).item()) + tint).clamp(-1, 1)


def _piece(size: tuple[int, int]) -> Tensor:
    """A cover [H,W] in [0,1] of a few smooth pieces with sharp edges, a quarter of the picture or less."""
    cells = _COARSE[int(torch.randint(len(_COARSE), ()))]
    height = F.interpolate(torch.randn(1, 1, cells, cells), size, mode="bicubic", align_corners=True)[0, 0]
    low = torch.quantile(height.flatten()[::64], 0.75 + 0.2 * torch.rand(()).item())
    return smoothstep(float(low), float(low) + 0.05, height)


def _coordinates(size: tuple[int, int]) -> tuple[Tensor, Tensor, float]:
    """x and y [1,H,W] from a drawn place and angle, in pictures' widths of about 2, and the size of a pixel."""
    rows, columns = (torch.linspace(-1, 1, side) for side in size)
    angle = (torch.rand(()).item() - 0.5) * math.pi
    y, x = torch.meshgrid(rows - 1.4 * (torch.rand(()) - 0.5), columns - 1.4 * (torch.rand(()) - 0.5), indexing="ij")
    turned = x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
    return turned[0][None], turned[1][None], 2 / size[1]


def _pattern(size: tuple[int, int]) -> Tensor:
    """Stripes, dots or the joints of bricks inside one piece: a cover [H,W] in [0,1]."""
    x, y, pixel = _coordinates(size)
    width = torch.tensor(0.02 + 0.06 * torch.rand(()).item())
    drawn = (stripes(x, width, pixel), dots(x, y, width, pixel), bricks(x, y, width * 2, pixel))
    return drawn[int(torch.randint(3, ()))][0] * _piece(size)


def _word(size: tuple[int, int]) -> Tensor:
    """A word anywhere: a cover [H,W] in [0,1]."""
    x, y, pixel = _coordinates(size)
    distance = word_distance(x, y, torch.randint(len(WORDS), (1,)), 0.1 + 0.25 * torch.rand(()).item())
    return fill(distance, 1.5 * pixel)[0]
