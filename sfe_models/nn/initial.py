"""Weights to begin with, drawn wherever there is room for them.

On the meta device they are left out: random numbers and arithmetic there import torch's compiler, a second or two of
every command.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def normal(*shape: int, times: float = 1.0, over: float = 1.0) -> Tensor:
    """Draw normally distributed numbers times `times` over `over`; on the meta device, make a tensor of none."""
    tensor = torch.empty(shape)
    return tensor if tensor.is_meta else tensor.normal_().mul_(times).div_(over)


def initialise(weight: Tensor, how: Callable[..., Tensor], **options) -> None:
    """Fill a weight by a function of nn.init and its options, but for one on the meta device."""
    if not weight.is_meta:
        how(weight, **options)
