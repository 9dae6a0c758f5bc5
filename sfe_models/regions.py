"""Where in a picture an edit is seen: masks with a soft edge, and several of them side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .domain import DomainSpec
from .faces.blur import gaussian_blur

# Width of a mask's soft edge as a share of the picture's longer side: 10 px of 1024. It lies inside of what may change.
SOFT_EDGE = 0.01
# A region that makes less than this of every pixel is left out: a fortieth of a level of 255.
_UNSEEN = 1e-4
# What a blur of ones may lack.
_ROUNDING = 1e-5


def full_mask(batch: int, domain: DomainSpec) -> Tensor:
    """A mask [B,H,W] that is 1 everywhere, at the size of the domain's picture."""
    return torch.ones(1, *domain.picture_size).expand(batch, -1, -1)


def soft_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring masks [n,h,w] in [0,1] to the picture's size and soften their edge inwards: [n,H,W].

    Where the mask is 0 the result is 0, where it is constant it stays as it is, and nowhere is it larger: each mask
    shrinks by SOFT_EDGE and is blurred over as much. Resized bilinear, align_corners off, antialiased.
    """
    mask = resized_mask(mask, size)
    radius = max(1, round(SOFT_EDGE * max(size)))
    shrunk = mask[:, None]
    for window in ((2 * radius + 1, 1), (1, 2 * radius + 1)):
        shrunk = -F.max_pool2d(-shrunk, window, stride=1, padding=(window[0] // 2, window[1] // 2))
    soft = gaussian_blur(shrunk[:, 0], radius / 2)
    return torch.minimum(torch.where(soft > 1 - _ROUNDING, 1.0, soft).clamp(min=0), mask)


def resized_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring masks [n,h,w] to another size, bilinear, align_corners off, antialiased: [n,H,W]."""
    if tuple(mask.shape[1:]) == tuple(size):
        return mask
    return F.interpolate(mask[:, None], size=size, mode="bilinear", align_corners=False, antialias=True)[:, 0]


def seen_together(masks: Sequence[Sequence[Tensor]]) -> list[tuple[tuple[int | None, ...], Tensor]]:
    """Say which regions of several edits are seen together, and where.

    masks: for each edit those of its regions [B,H,W], which add up to at most 1; what they leave sees nothing of that
    edit. Returns, for each choice of one region of every edit (None: of what it leaves) that is seen anywhere, the
    mask of that choice; all None is left out. Together they add up to at most 1, too. Of two masks m and n, both
    are seen as far as m + n passes 1: of two halves with a common soft edge, one fades into the other.
    """
    found: list[tuple[tuple[int | None, ...], Tensor]] = [((), torch.ones_like(masks[0][0]))]
    for regions in masks:
        rest = (torch.ones_like(regions[0]) - sum(regions)).clamp(min=0)
        choices = [*enumerate(regions), (None, rest)]
        # Laid along a line, what sees nothing of the edits before lies first, and what sees nothing of this one last.
        pairs = [
            ((*before, choice), overlap)
            for before, start, end in _laid(found)
            for choice, first, last in _laid(choices)
            if (overlap := (torch.minimum(end, last) - torch.maximum(start, first)).clamp(min=0)).max() > _UNSEEN
        ]
        found = sorted(pairs, key=lambda pair: any(choice is not None for choice in pair[0]))
    return [(chosen, mask) for chosen, mask in found if any(choice is not None for choice in chosen)]


def _laid(parts: Sequence[tuple]) -> list[tuple]:
    """(name, start, end) of (name, length) laid one behind the other."""
    start, laid = torch.zeros_like(parts[0][1]), []
    for name, length in parts:
        laid.append((name, start, start + length))
        start = start + length
    return laid


def is_seen(mask: Tensor) -> bool:
    """Whether a mask [B,H,W] lets anything be seen."""
    return mask.max().item() > _UNSEEN


def covers_all(mask: Tensor) -> bool:
    """Whether a mask [B,H,W] leaves nothing out."""
    return mask.min().item() == 1
