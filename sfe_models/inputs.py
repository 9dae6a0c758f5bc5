"""What a stage of the pipeline accepts: pictures and masks are checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .domain import DomainSpec


class InputError(ValueError):
    """A picture, mask or batch that a stage cannot work with."""


def picture_batch(image: Tensor | Sequence[Tensor], domain: DomainSpec) -> Tensor:
    """Check aligned pictures: [B,3,H,W], or a list of [3,H,W] of one size, in the domain's aspect ratio; [B,3,H,W]."""
    image = image if isinstance(image, Tensor) else _stacked(image)
    if image.ndim != 4 or image.shape[1] != 3:
        raise InputError(f"Picture batch of shape {tuple(image.shape)}; expected [B,3,H,W], RGB.")
    problem = domain.crop_problem(*image.shape[:1:-1])
    if problem:
        raise InputError(f"The picture {problem}. Align and crop it first.")
    if not image.isfinite().all():
        raise InputError("The picture has values that are not finite (NaN or infinity); expected [-1,1].")
    return image


def mask_batch(mask: Tensor, batch: int, domain: DomainSpec) -> Tensor:
    """Check a mask for `batch` pictures: [H,W], [1 or B,H,W] or [1 or B,1,H,W] in [0,1]; [1 or B,H,W], float32."""
    mask = mask.float()
    if mask.ndim == 4 and mask.shape[1] == 1:
        mask = mask[:, 0]
    mask = mask[None] if mask.ndim == 2 else mask
    if mask.ndim != 3 or len(mask) not in (1, batch) or 0 in mask.shape:
        raise InputError(f"Mask of shape {tuple(mask.shape)} for {batch} pictures; expected [H,W] or [{batch},H,W].")
    if not mask.isfinite().all() or mask.min() < 0 or mask.max() > 1:
        raise InputError("The mask has values outside [0,1]; expected 1 where the picture may change, else 0.")
    problem = domain.crop_problem(*mask.shape[:0:-1])
    if problem:
        raise InputError(f"The mask {problem}. Draw it on the crop.")
    return mask


def _stacked(images: Sequence[Tensor]) -> Tensor:
    """Stack pictures [3,H,W] of one size: [B,3,H,W]."""
    sizes = sorted({tuple(image.shape) for image in images})
    if len(sizes) != 1:
        raise InputError(f"Pictures of the sizes {', '.join(map(str, sizes))}; expected one size for the whole batch.")
    return torch.stack(list(images))
