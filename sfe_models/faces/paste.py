"""An edited crop goes back into its photo: feathered mask, matched colours, nothing touched outside."""

from __future__ import annotations

import torch
from torch import Tensor

from .alignment import FaceAlignment
from .landmarks import FaceError
from .warp import check_photo, crop_face, crop_in_photo, photo_box, pixel_centres

# A colour's deviation is not stretched by more than this, so that flat surfaces stay flat.
_LARGEST_GAIN = 1.5
_SMALLEST_DEVIATION = 1e-4
# Share of the crop's side that the colours are compared in, from its edge inwards.
_RIM = 0.15


def edge_mask(units: Tensor, feather: float) -> Tensor:
    """Weigh points of the crop's unit square [...,2]: 0 at its edge and outside, 1 `feather` sides inside: [...]."""
    distance = torch.minimum(units, 1 - units).amin(dim=-1)
    if feather == 0:
        return (distance > 0).to(units.dtype)
    t = (distance / feather).clamp(0, 1)
    return t * t * (3 - 2 * t)


def match_colours(crop: Tensor, reference: Tensor) -> Tensor:
    """Bring mean and deviation of each channel of a crop [C,h,w] to those of a reference, compared along the rim."""
    height, width = crop.shape[1:]
    units = pixel_centres((0, 0, height, width), device=crop.device) / crop.new_tensor([width, height])
    rim = torch.minimum(units, 1 - units).amin(dim=-1) < _RIM
    own, wanted = crop[:, rim], reference[:, rim]
    deviation = own.std(dim=1).clamp_min(_SMALLEST_DEVIATION)
    gain = (wanted.std(dim=1) / deviation).clamp(1 / _LARGEST_GAIN, _LARGEST_GAIN)
    return (crop - own.mean(dim=1)[:, None, None]) * gain[:, None, None] + wanted.mean(dim=1)[:, None, None]


def paste_face(
    photo: Tensor,
    crop: Tensor,
    alignment: FaceAlignment,
    feather: float = 0.1,
    match: bool = True,
    mask: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Put a crop [C,h,w] back into its photo [C,H,W], both of one value range.

    feather: width of the mask's soft edge as a share of the crop's side, 0 to 0.5; match: bring the crop's colours to
    the photo's; mask: [h,w] in [0,1] on the crop, what of it goes back. Returns the photo and the mask [H,W] that was
    used; where it is 0 the photo is bit-identical. Raises FaceError for sizes that do not belong together.
    """
    check_photo(photo, alignment)
    if not 0 <= feather <= 0.5:
        raise FaceError(f"The feather is {feather:g}; expected a share of the crop's side from 0 to 0.5.")
    alignment = alignment.resized(tuple(crop.shape[1:]))
    used = photo.new_zeros(photo.shape[1:])
    box = photo_box(alignment)
    if box is None:
        return photo.clone(), used
    if match:
        crop = match_colours(crop, crop_face(photo, alignment))
    inside = edge_mask(alignment.to_crop(pixel_centres(box, device=photo.device).to(photo.dtype)), feather)
    if mask is not None:
        inside = inside * crop_in_photo(mask[None].to(photo), alignment, box)[0].clamp(0, 1)
    top, left, height, width = box
    rows, columns = slice(top, top + height), slice(left, left + width)
    before = photo[:, rows, columns]
    mixed = torch.lerp(before, crop_in_photo(crop.to(photo), alignment, box), inside)
    result = photo.clone()
    result[:, rows, columns] = torch.where(inside > 0, mixed, before)
    used[rows, columns] = inside
    return result, used
