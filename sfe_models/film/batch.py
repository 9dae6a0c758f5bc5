"""A batch of pictures that are the frames of a film: one person, followed as `edit_film` does."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..choices import ERROR
from ..faces.crop.alignment import FaceAlignment
from ..faces.crop.batch import AlignedFaces
from ..faces.errors import FaceError
from ..faces.find.people import align_photos
from .following import Looking, follow


def align_frames(
    frames: Tensor,
    found: Sequence[Sequence[Tensor]],
    crop_size: tuple[int, int],
    face: int = 0,
    order: str = "largest first",
    no_face: str = ERROR,
    smoothing: float = 0.0,
) -> AlignedFaces:
    """Align the faces of frames [B,3,H,W] in [0,1], by the landmarks [n,2] of each face found in each.

    One person alone (`face` from 0 on) is followed through each shot by the pixels and smoothed, see `follow`; a face
    that is missed for a few frames is bridged. Single photos (smoothing 0) and all people at once (face -1) are left
    to `align_photos`. Raises FaceError.
    """
    size = tuple(frames.shape[2:])
    if smoothing <= 0 or face < 0:
        return align_photos(found, size, crop_size, face, order, no_face, smoothing)
    # Copies, because one line of landmarks may stand for all frames, and who is who goes by the very tensor.
    each = iter([[points.clone() for points in faces] for faces in found])
    looking = Looking(lambda picture: next(each))
    for frame in frames:
        looking.see(frame.float() * 255)
    places = follow(looking, range(len(frames)), crop_size, face, order, smoothing).places
    if no_face == ERROR and None in places:
        raise FaceError(
            f"Photo {places.index(None) + 1} does not show person number {face}, who is followed through the batch: "
            f"{len(found[places.index(None)])} faces were found there. Pass photos without the face through, turn "
            "smoothing off (0), or give another number."
        )
    gone = FaceAlignment.without_face(size, crop_size)
    return AlignedFaces(
        tuple(gone if place is None else place.alignment for place in places),
        tuple(range(len(frames))),
        tuple(1.0 if place is None else place.weight for place in places),
    )
