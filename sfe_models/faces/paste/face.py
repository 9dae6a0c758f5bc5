"""An edited crop goes back into its photo: feathered mask, matched colours, nothing touched outside."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...choices import BLENDS, FEATHERED, HEAD, PASTE_REGIONS, POISSON, SOFT_EDGE, SQUARE
from ..crop.alignment import FaceAlignment
from ..crop.padding import outward
from ..crop.spline import gathered
from ..crop.warp import Box, check_photo, photo_box, pixel_centres, resampled
from ..errors import FaceError
from ..mask.regions import region_mask
from ..mask.soft import feathered
from .membrane import match_colours, membrane

# Weights nearer to 0 or 1 than this are 0 or 1: they would not change an 8-bit pixel.
_SNAP = 1 / 512
# Pixels of nothing around a crop, so that interpolation ends at its edge.
_RIM_PX = 2
# Weights are smooth, so that a few suffice along each side of the crop.
_WEIGHED = 256
# Colours are compared at this many points along each side of the crop.
_COMPARED = 128


@dataclass(frozen=True)
class PasteOptions:
    """How crops go back into their photos. Raises FaceError.

    feather: width of the soft edge as a share of the crop's side, 0 to 0.5; colour_match: bring the crop's colours
    around the edge to the photo's; region: what goes back where there is no mask, one of PASTE_REGIONS, all of which
    follow the face but `square`; blend: one of BLENDS, `poisson` also takes away colour differences that vary along
    the edge.
    """

    feather: float = SOFT_EDGE
    colour_match: bool = True
    region: str = HEAD
    blend: str = FEATHERED

    def __post_init__(self):
        if not 0 <= self.feather <= 0.5:
            raise FaceError(f"The feather is {self.feather:g}; expected a share of the crop's side from 0 to 0.5.")
        if self.region not in PASTE_REGIONS:
            raise FaceError(f"Region {self.region!r} is unknown; expected one of {', '.join(PASTE_REGIONS)}.")
        if self.blend not in BLENDS:
            raise FaceError(f"Blending {self.blend!r} is unknown; expected one of {', '.join(BLENDS)}.")


DEFAULT_PASTE = PasteOptions()


def edge_mask(size: tuple[int, int], feather: float, device: torch.device | str = "cpu") -> Tensor:
    """Weigh the pixels of a crop of (height, width): 0 at its edge, 1 `feather` sides inside: [h,w]."""
    if feather == 0:
        return torch.ones(size, device=device)
    units = pixel_centres(size, device) / torch.tensor([size[1], size[0]], device=device)
    t = (torch.minimum(units, 1 - units).amin(dim=-1) / feather).clamp(0, 1)
    return t * t * (3 - 2 * t)


def paste_weights(
    alignment: FaceAlignment, mask: Tensor | None = None, options: PasteOptions = DEFAULT_PASTE
) -> Tensor:
    """Say how much of each pixel of the crop goes back: [h,w] in [0,1], 0 at the crop's edge.

    mask: [h,w] of any size in [0,1], in place of the options' region. Raises FaceError.
    """
    feather, region = options.feather, options.region
    size = alignment.crop_size
    if mask is None and feather > 0 and max(size) > _WEIGHED:
        small = alignment.resized(tuple(round(n * _WEIGHED / max(size)) for n in size))
        weights = paste_weights(small, None, options)
        return F.interpolate(weights[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
    if mask is not None:
        if mask.ndim != 2 or 0 in mask.shape or not mask.isfinite().all():
            raise FaceError(f"The mask has the shape {tuple(mask.shape)}; expected finite numbers [h,w] on the crop.")
        inside = F.interpolate(mask[None, None].float(), size=size, mode="bilinear", antialias=True)[0, 0].clamp(0, 1)
    elif region == SQUARE:
        inside = torch.ones(size)
    else:
        inside = feathered(region_mask(alignment, region)[None], feather)[0]
    weights = inside * edge_mask(size, feather, inside.device)
    weights = torch.where(weights < _SNAP, torch.zeros_like(weights), weights)
    return torch.where(weights > 1 - _SNAP, torch.ones_like(weights), weights)


def paste_into(
    photo: Tensor,
    crop: Tensor,
    alignment: FaceAlignment,
    mask: Tensor | None = None,
    options: PasteOptions = DEFAULT_PASTE,
    share: float = 1.0,
) -> tuple[Box, Tensor] | None:
    """Put a crop [C,h,w] into its photo [C,H,W], both of one value range, in place; see `paste_face`.

    share: how much of it is seen, in (0,1], as where an edit fades in. Time and memory follow the part of the photo
    that changes. Returns that part's box (top, left, height, width) and the weights [height,width] that were used
    there; None if nothing changes.
    """
    check_photo(photo, alignment)
    alignment = alignment.resized(tuple(crop.shape[1:]))
    weights = paste_weights(alignment, mask, options).to(photo.device)
    box = _changed_box(weights, alignment) if alignment.found else None
    if box is None:
        return None
    crop = crop.to(photo.device, torch.float64 if photo.dtype == torch.float64 else torch.float32)
    if options.colour_match or options.blend == POISSON:
        crop = _recoloured(photo, crop, alignment, weights, options)
    rim = (_RIM_PX,) * 4
    source = torch.cat([F.pad(crop[None], rim, "replicate")[0], F.pad(weights, rim)[None].to(crop)])
    matrix = alignment.photo_to_crop
    matrix[:, 2] += _RIM_PX
    used = weights.new_zeros(box[2:])
    for (top, left, height, width), part in resampled(source, matrix, box, 1 / alignment.scale, plain=1):
        weight = part[-1].clamp(0, 1) * share
        rows, columns = slice(top, top + height), slice(left, left + width)
        before = photo[:, rows, columns]
        mixed = torch.lerp(before.to(part), part[:-1], weight)
        if not photo.is_floating_point():
            limits = torch.iinfo(photo.dtype)
            mixed = mixed.round().clamp(limits.min, limits.max)
        photo[:, rows, columns] = torch.where(weight > 0, mixed.to(photo.dtype), before)
        used[top - box[0] : top - box[0] + height, left - box[1] : left - box[1] + width] = weight
    return box, used


def paste_face(
    photo: Tensor,
    crop: Tensor,
    alignment: FaceAlignment,
    mask: Tensor | None = None,
    options: PasteOptions = DEFAULT_PASTE,
) -> tuple[Tensor, Tensor]:
    """Put a crop [C,h,w] back into its photo [C,H,W], both of one value range; the crop may be enlarged.

    mask: [h,w] in [0,1] on the crop, what of it goes back, in place of the options' region. Returns the photo
    and the mask [H,W] that was used; where it is 0 the photo is bit-identical. Raises FaceError for sizes that do not
    belong together.
    """
    result = photo.clone()
    used = torch.zeros(photo.shape[1:], dtype=torch.float32, device=photo.device)
    changed = paste_into(result, crop, alignment, mask, options)
    if changed is not None:
        (top, left, height, width), weights = changed
        used[top : top + height, left : left + width] = weights
    return result, used


def _changed_box(weights: Tensor, alignment: FaceAlignment) -> Box | None:
    """The box of the photo in which any weight of the crop is above 0."""
    rows, columns = (weights.amax(dim=d).nonzero()[:, 0] for d in (1, 0))
    if not len(rows):
        return None
    left, right = columns[0].item() - _RIM_PX, columns[-1].item() + 1 + _RIM_PX
    top, bottom = rows[0].item() - _RIM_PX, rows[-1].item() + 1 + _RIM_PX
    corners = torch.tensor([[x, y, 1.0] for x in (left, right) for y in (top, bottom)], dtype=torch.float64)
    return photo_box(alignment, corners @ alignment.crop_to_photo.T)


def _recoloured(
    photo: Tensor, crop: Tensor, alignment: FaceAlignment, weights: Tensor, options: PasteOptions
) -> Tensor:
    """Bring the crop's colours to the photo's; both are compared at few points, the same in both."""
    small = alignment.resized(tuple(min(_COMPARED, n) for n in crop.shape[1:]))
    points = pixel_centres(small.crop_size, crop.device) / crop.new_tensor(small.crop_size[::-1])
    at = points * points.new_tensor([crop.shape[2], crop.shape[1]])
    own, weight = gathered(torch.cat([crop, weights[None].to(crop)]), *at.unbind(-1)).split([len(crop), 1])
    in_photo = alignment.to_photo(points)
    reference = gathered(photo, *in_photo.unbind(-1)).to(own)
    seen = outward(small, crop.device) == 0
    if options.colour_match:
        gain, offset = match_colours(own, reference, weight[0], seen)
        crop, own = crop * gain + offset, own * gain + offset
    if options.blend == POISSON:
        field = membrane((reference - own) * seen, weight[0])
        crop = crop + F.interpolate(field[None], size=crop.shape[1:], mode="bilinear", align_corners=False)[0]
    return crop
