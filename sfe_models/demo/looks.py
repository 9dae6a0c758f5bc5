"""The same people in another style, which no training has seen: pictures outside of the rendered domain."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..choices import LINES, LOOKS, PALETTE

# How much a step between neighbouring pixels, in [0,1], must be to leave a line, how dark lines get with it, and the
# colours of ink and paper.
_LEAST, _DARKER, _INK, _PAPER = 0.03, 6.0, 0.08, 0.96


def with_look(image: Tensor, look: str) -> Tensor:
    """Draw portraits [B,3,S,S] in [-1,1] in one of LOOKS; the first leaves them as they are. Raises ValueError.

    palette: red, green and blue change places, so that skin turns violet; lines: dark lines where colours
    meet, on white paper.
    """
    if look not in LOOKS:
        raise ValueError(f"The look is {look!r}; expected one of {', '.join(LOOKS)}.")
    if look == PALETTE:
        return image[:, [1, 2, 0]].contiguous()
    return _lines(image) if look == LINES else image


def _lines(image: Tensor) -> Tensor:
    padded = F.pad(image / 2, (1, 0, 1, 0), mode="replicate")
    across = (padded[:, :, 1:, 1:] - padded[:, :, 1:, :-1]).abs()
    down = (padded[:, :, 1:, 1:] - padded[:, :, :-1, 1:]).abs()
    step = torch.maximum(across, down).amax(dim=1, keepdim=True)
    ink = ((step - _LEAST) * _DARKER).clamp(0, 1)
    drawn = _PAPER + (_INK - _PAPER) * ink
    return (drawn * 2 - 1).expand(-1, 3, -1, -1).contiguous()
