"""Which faces of a batch of photos to take: one, all, or the same people in all frames of a video."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from torch import Tensor

from ...choices import ERROR, NO_FACE
from ..crop.alignment import FaceAlignment, align_face
from ..crop.batch import AlignedFaces
from ..errors import FaceError
from .choice import choose_faces, face_problem
from .tracking import smooth_track, track_faces

logger = logging.getLogger(__name__)


def align_photos(
    found: Sequence[Sequence[Tensor]],
    photo_size: tuple[int, int],
    crop_size: tuple[int, int],
    face: int = 0,
    order: str = "largest first",
    no_face: str = ERROR,
    smoothing: float = 0.0,
) -> AlignedFaces:
    """Align faces of a batch of photos of one size, by the landmarks [n,2] of each face found in each photo.

    face: which face, counted in this order from 0; -1 takes all. no_face: one of NO_FACE, for a photo without this
    face; a photo that is passed through keeps one place in the batch, with a crop that is never pasted. Faces that
    are too small, in profile or cut off are left out, with a warning. smoothing: above 0 the photos are frames of a
    video; people are told apart by position, `face` is the same person in all frames, and the landmarks are smoothed
    with this deviation in frames (`tracking`). Raises FaceError.
    """
    if no_face not in NO_FACE:
        raise FaceError(f"No-face policy {no_face!r} is unknown; expected one of {', '.join(NO_FACE)}.")
    if smoothing < 0:
        raise FaceError(f"The smoothing is {smoothing:g}; expected 0 (off) or a number of frames.")
    usable, problems = [], []
    for number, faces in enumerate(found):
        reasons = [face_problem(points, photo_size) for points in faces]
        for reason in filter(None, reasons):
            logger.warning("Photo %d: a face is left out: %s.", number + 1, reason)
        usable.append([points for points, reason in zip(faces, reasons, strict=True) if reason is None])
        problems.append(tuple(filter(None, reasons)))
    if smoothing > 0:
        chosen = _in_frames(usable, photo_size, crop_size, face, order, smoothing)
    else:
        chosen = [
            choose_faces([align_face(points, photo_size, crop_size) for points in faces], order, face)
            for faces in usable
        ]
    faces, photos = [], []
    for number, (in_photo, reasons) in enumerate(zip(chosen, problems, strict=True)):
        if not in_photo:
            if no_face == ERROR:
                raise FaceError(_missing(number, len(usable[number]), face, reasons, smoothing > 0))
            in_photo = [FaceAlignment.without_face(photo_size, crop_size)]
        faces += in_photo
        photos += [number] * len(in_photo)
    return AlignedFaces(tuple(faces), tuple(photos))


def _missing(number: int, count: int, face: int, reasons: tuple[str, ...], frames: bool) -> str:
    if count and frames:
        shown = "another person" if count == 1 else f"{count} others"
        return (
            f"Photo {number + 1} shows {shown}: person number {face}, who is followed through all frames, is not seen "
            "there, as after a cut. Pass photos without the face through, turn smoothing off (0), or give each shot by "
            "itself."
        )
    if count:
        has, give = ("1 face", "0") if count == 1 else (f"{count} faces", f"a number from 0 to {count - 1}")
        return (
            f"Photo {number + 1} has {has}; face number {face} is asked for. Give {give}, or landmarks of more faces."
        )
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return (
        f"Photo {number + 1} has no face that can be used{why}. Give another photo, landmarks of your own, or pass "
        "photos without a face through."
    )


def _in_frames(
    found: Sequence[Sequence[Tensor]],
    photo_size: tuple[int, int],
    crop_size: tuple[int, int],
    face: int,
    order: str,
    smoothing: float,
) -> list[list[FaceAlignment]]:
    """Choose the same people in all frames; frames in which they are not seen get an empty list."""
    tracks = [smooth_track(track, smoothing) for track in track_faces(found)]
    aligned = [
        {frame: align_face(points, photo_size, crop_size) for frame, points in track.items()} for track in tracks
    ]
    # People are ordered by how they are seen in the middle of the time that they are there.
    shown = [one[sorted(one)[len(one) // 2]] for one in aligned]
    people = [aligned[i] for i in _numbers(choose_faces(shown, order, face), shown)]
    return [[one[frame] for one in people if frame in one] for frame in range(len(found))]


def _numbers(chosen: Sequence[FaceAlignment], among: Sequence[FaceAlignment]) -> list[int]:
    return [next(i for i, other in enumerate(among) if other is one) for one in chosen]
