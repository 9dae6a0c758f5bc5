"""Every picture with every strength: one batch for both kinds of pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor

from .directions.base import DirectionError
from .domain import DomainSpec
from .inputs import mask_batch
from .values import GradualInversion, Inversion, repeat_each

Found = TypeVar("Found", Inversion, GradualInversion)


def spread(
    inversion: Found, strengths: Sequence[float] | Tensor, mask: Tensor | None, domain: DomainSpec
) -> tuple[Found, Tensor, Tensor | None]:
    """Repeat each of B pictures for S strengths: inversions [B*S], their strengths [B*S], masks [1 or B*S,H,W].

    mask: one for each picture or for all, never one for each strength. Raises DirectionError, InputError.
    """
    values = torch.as_tensor(strengths, dtype=torch.float32)
    if values.ndim != 1 or not len(values):
        raise DirectionError(f"Strengths of shape {tuple(values.shape)}; expected a list of numbers.")
    batch, count = len(inversion), len(values)
    if mask is not None:
        mask = mask_batch(mask, batch, domain)
        mask = mask if len(mask) == 1 else mask.repeat_interleave(count, dim=0)
    return repeat_each(inversion, count), values.repeat(batch), mask
