"""What a crop shows beyond the photo's edge: the reflection, blurred and faded outwards as FFHQ's crops are."""

from __future__ import annotations

import torch
from torch import Tensor

from ..blur import gaussian_blur
from .alignment import FaceAlignment

# Shares of the crop's side (recreate_aligned_images): least width of the padding, deviation of its blur.
_PADDING, _BLUR = 0.3, 0.02


def outward(alignment: FaceAlignment, device: torch.device | str = "cpu") -> Tensor:
    """Say how far beyond the photo's nearest edge each pixel of the crop lies: [h,w] in px of the photo, 0 within."""
    height, width = alignment.crop_size
    columns, rows = torch.arange(width, device=device) + 0.5, (torch.arange(height, device=device) + 0.5)[:, None]
    distances = []
    for (a, b, c), limit in zip(alignment.crop_to_photo.tolist(), reversed(alignment.photo_size), strict=True):
        position = a * columns + (b * rows + c)
        distances.append(torch.maximum(-position, position - limit))
    return torch.maximum(*distances).clamp_min(0)


def faded_padding(crop: Tensor, alignment: FaceAlignment) -> Tensor:
    """Blur and fade what a crop [C,h,w] shows beyond the photo's edge, towards its median.

    Where FFHQ's script pads the photo, this works on the crop, in the same shares of its side, and leaves what is
    within the photo exactly as it is: there FFHQ's begins its blur a third of the padding inside the photo.
    """
    quad = alignment.quad()
    sides = quad.new_tensor([alignment.photo_size[1], alignment.photo_size[0]])
    if (quad >= 0).all() and (quad <= sides).all():
        return crop
    distance = outward(alignment, crop.device).to(crop.dtype)
    side = alignment.area**0.5
    share = distance / max(_PADDING * side, float(distance.max()))
    blurred = gaussian_blur(crop, _BLUR * max(crop.shape[1:]))
    crop = torch.lerp(crop, blurred, (3 * share).clamp(0, 1))
    median = crop.flatten(1).median(dim=1).values
    return torch.lerp(crop, median[:, None, None].expand_as(crop), share.clamp(0, 1))
