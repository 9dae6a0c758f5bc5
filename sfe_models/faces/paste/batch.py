"""All crops of a batch back into their photos."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..crop.batch import AlignedFaces
from ..errors import FaceError
from .face import DEFAULT_PASTE, PasteOptions, paste_into


def paste_faces(
    photos: Tensor,
    crops: Tensor,
    aligned: AlignedFaces,
    masks: Tensor | None = None,
    options: PasteOptions = DEFAULT_PASTE,
    done: Callable[[Tensor], None] = lambda photo: None,
) -> tuple[Tensor, Tensor]:
    """Put crops [F,C,h,w] back into photos [B,C,H,W], as `paste_face` does; masks: [F,h,w], or [1,h,w] for all.

    Returns the photos and the masks used [B,H,W]. Photos without a face come back as they are.
    """
    if len(crops) != len(aligned) or (aligned.photos and max(aligned.photos) >= len(photos)):
        raise FaceError(
            f"{len(crops)} crops and {len(photos)} photos for an alignment of {len(aligned)} faces; expected one crop "
            "for each face, and the photos that were aligned."
        )
    if masks is not None and len(masks) not in (1, len(crops)):
        raise FaceError(f"{len(masks)} masks for {len(crops)} crops; expected one, or one for each.")
    result = photos.clone()
    used = photos.new_zeros(len(photos), *photos.shape[2:], dtype=torch.float32)
    for number, (face, i) in enumerate(zip(aligned.faces, aligned.photos, strict=True)):
        mask = None if masks is None else masks[number if len(masks) > 1 else 0]
        share = aligned.shares[number] if aligned.shares else 1.0
        changed = paste_into(result[i], crops[number], face, mask, options, share)
        if changed is not None:
            (top, left, height, width), weights = changed
            part = used[i, top : top + height, left : left + width]
            part.copy_(torch.maximum(part, weights))
        done(result[i])
    return result, used
