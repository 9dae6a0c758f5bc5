"""Where one shot ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

# Frames are compared at this size in cells, (height, width): coarse, so that motion changes little.
_CELLS = (18, 32)
# A cut changes the cells by this much at least, in levels of 255 on the mean,
_LEAST = 12.0
# and so many times more than the frames around it change: a fast pan or a dance changes all of them.
_TIMES = 2.5
_AROUND = 6


def cells(picture: Tensor) -> Tensor:
    """Bring a picture [3,H,W] of 0 to 255 down to coarse cells [3,h,w], float32."""
    step = max(1, min(picture.shape[1:]) // 180)
    return F.interpolate(picture[None, :, ::step, ::step].float(), _CELLS, mode="area")[0]


def change(before: Tensor, after: Tensor) -> float:
    """How much the cells of two frames differ, in levels of 255 on the mean.

    The mean of both frames counts for little, so that a flash or a light that is switched on is no other place.
    """
    difference = after - before
    overall = difference.mean(dim=(1, 2), keepdim=True)
    return float((difference - 0.7 * overall).abs().mean())


def cuts(changes: Sequence[float]) -> list[int]:
    """Numbers of the frames that begin a shot, without the first.

    changes: of frame 1 from frame 0, of frame 2 from frame 1, and so on.
    """
    found = []
    values = torch.tensor(changes, dtype=torch.float64)
    for i, value in enumerate(changes):
        near = torch.cat([values[max(0, i - _AROUND) : i], values[i + 1 : i + 1 + _AROUND]])
        usual = near.median().item() if len(near) else 0.0
        if value >= _LEAST and value >= _TIMES * usual:
            found.append(i + 1)
    return found
