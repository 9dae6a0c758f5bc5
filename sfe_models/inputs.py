"""What a stage of the pipeline accepts: pictures and masks are checked before anything is computed."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .domain import DomainSpec

logger = logging.getLogger(__name__)

# Shares of a range: further outside is refused; less is the rounding of half precision, not worth a warning.
_FAR, _ROUNDING = 0.5, 0.002


class InputError(ValueError):
    """A picture, mask or batch that a stage cannot work with."""


def check_encoders(domain: DomainSpec) -> None:
    """Refuse a generator alone where encoders invert a picture."""
    if not domain.has_encoders:
        raise InputError(
            f"{domain.name} is a generator alone, without the encoders that invert a picture. Invert by optimisation: "
            "--optimise, or the method 'optimise' of the node Invert."
        )


def picture_batch(image: Tensor | Sequence[Tensor], domain: DomainSpec) -> Tensor:
    """Check aligned pictures: [B,3,H,W], or a list of [3,H,W] of one size, in the domain's aspect ratio.

    Returns [B,3,H,W] in [-1,1]; see `in_range`.
    """
    image = image if isinstance(image, Tensor) else _stacked(image)
    if image.ndim != 4 or image.shape[1] != 3:
        raise InputError(f"Picture batch of shape {tuple(image.shape)}; expected [B,3,H,W], RGB.")
    if not len(image):
        raise InputError("There is no picture in the batch; give one or more.")
    problem = domain.crop_problem(*image.shape[:1:-1])
    if problem:
        raise InputError(f"The picture {problem}. Align and crop it first.")
    return in_range(image, "The picture", -1, 1)


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


def in_range(values: Tensor, what: str, low: float, high: float) -> Tensor:
    """Bring values into [low, high]: a little outside is clamped with a warning, as sharpening and enlarging leave it.

    Raises InputError for values further outside than half of the range, which were meant for another one (0 to 255,
    light of high dynamic range), and for values that are not finite.
    """
    if not values.numel():
        return values
    least, most = (value.item() for value in values.detach().aminmax())
    if not (math.isfinite(least) and math.isfinite(most)):
        raise InputError(f"{what} has values that are not finite (NaN or infinity); expected [{low},{high}].")
    outside, span = max(low - least, most - high), high - low
    if outside > _FAR * span:
        raise InputError(
            f"{what} has values from {least:g} to {most:g}; expected [{low},{high}]. Scale it to this range first."
        )
    if outside > _ROUNDING * span:
        logger.warning("%s has values from %g to %g; they are clamped to [%g,%g].", what, least, most, low, high)
    return values.clamp(low, high) if outside > 0 else values


def _stacked(images: Sequence[Tensor]) -> Tensor:
    """Stack pictures [3,H,W] of one size: [B,3,H,W]."""
    sizes = sorted({tuple(image.shape) for image in images})
    if not sizes:
        raise InputError("There is no picture in the batch; give one or more.")
    if len(sizes) != 1:
        raise InputError(f"Pictures of the sizes {', '.join(map(str, sizes))}; expected one size for the whole batch.")
    return torch.stack(list(images))


def stop_layer(resolution: int | None, spec: DomainSpec, after: int, what: str) -> int | None:
    """The layer that gives a picture of `resolution` px, None for the last. Raises InputError.

    after: the layer where `what` comes in; pictures begin beyond it.
    """
    if resolution is None:
        return None
    layers = spec.preview_layers(after)
    if resolution not in layers:
        raise InputError(
            f"The picture was asked for at {resolution} px; {spec.name} can be stopped at "
            f"{', '.join(map(str, layers))} px ({what} before that)."
        )
    return layers[resolution]
