"""Facial landmarks: the sets that detectors give, and what the alignment needs of them.

Points are (x, y) in px of the photo; the first pixel's centre is at (0.5, 0.5). dlib counts from its centre, so add
0.5 to dlib's numbers. "Left" is always the picture's left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from .errors import FaceError

# Eyes and mouth nearer to one line than this (the sine of the angle between both axes) are no face; 30 degrees.
_LEAST_SINE = 0.5


@dataclass(frozen=True)
class LandmarkSet:
    """Which of a detector's points outline the eyes and end the mouth."""

    left_eye: tuple[int, ...]
    right_eye: tuple[int, ...]
    mouth_corners: tuple[int, int]


# By the number of points. 5: eyes, nose, mouth corners (MTCNN, RetinaFace, YuNet). 68: dlib's (iBUG 300-W).
# 468, 478: MediaPipe's face mesh, without and with irises; the points at the places of dlib's twelve.
_MESH = LandmarkSet((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380), (61, 291))
LANDMARK_SETS = {
    5: LandmarkSet((0,), (1,), (3, 4)),
    68: LandmarkSet(tuple(range(36, 42)), tuple(range(42, 48)), (48, 54)),
    468: _MESH,
    478: _MESH,
}


@dataclass(frozen=True)
class FaceCentres:
    """The three points that the alignment is made from: [2] each, float64."""

    left_eye: Tensor
    right_eye: Tensor
    mouth: Tensor

    @property
    def eyes(self) -> Tensor:
        """The middle between the eyes."""
        return (self.left_eye + self.right_eye) / 2

    @property
    def middle(self) -> Tensor:
        """Half way between eyes and mouth."""
        return (self.eyes + self.mouth) / 2

    @property
    def size(self) -> float:
        """From eyes to mouth, in px: what distances between faces are measured in."""
        return float((self.mouth - self.eyes).norm())


def face_centres(points: Tensor) -> FaceCentres:
    """Find the centres of the eyes and of the mouth in 5, 68, 468 or 478 landmarks [n,2] or [n,3] (x, y, unused).

    Raises FaceError for another number, for points that are not finite, for eyes or mouth in one place or on one line,
    and for eyes in the wrong order.
    """
    known = LANDMARK_SETS.get(len(points)) if points.ndim == 2 and points.shape[1] in (2, 3) else None
    if known is None:
        raise FaceError(
            f"Landmarks of shape {tuple(points.shape)}; expected [n,2] with n one of "
            f"{', '.join(map(str, LANDMARK_SETS))}: five points (eyes, nose, mouth corners), dlib's or MediaPipe's."
        )
    points = points[:, :2].detach().cpu().double()
    if not points.isfinite().all():
        raise FaceError("The landmarks have numbers that are not finite; expected px of the photo.")
    centres = FaceCentres(*(points[list(part)].mean(dim=0) for part in vars(known).values()))
    if torch.equal(centres.left_eye, centres.right_eye) or torch.equal(centres.mouth, centres.eyes):
        raise FaceError("The landmarks of the eyes, or of the eyes and the mouth, lie in one place; they show no face.")
    across, along = centres.right_eye - centres.left_eye, centres.mouth - centres.eyes
    sine = float(across[0] * along[1] - across[1] * along[0]) / float(across.norm() * along.norm())
    if abs(sine) < _LEAST_SINE:
        raise FaceError("The landmarks of the eyes and the mouth lie almost on one line; they show no face.")
    if sine < 0:
        raise FaceError(
            "The eyes of the landmarks are the wrong way round: when the face stands upright, the eye on the picture's "
            "left comes first."
        )
    return centres


def parse_landmarks(text: str) -> list[list[Tensor]]:
    """Read landmarks from text: faces [n,2] of each photo.

    One line a photo, faces parted by semicolons (a lone one is a photo without a face), x and y of each point in turn,
    parted by blanks or commas: "310 402, 512 398, 409 520, 331 640, 495 636". Raises FaceError for anything else.
    """
    photos = []
    for line in filter(None, map(str.strip, text.splitlines())):
        faces = []
        for face in filter(None, map(str.strip, line.split(";"))):
            words = [word for word in re.split(r"[\s,()\[\]]+", face) if word]
            try:
                numbers = [float(word) for word in words]
            except ValueError:
                raise FaceError(f"Landmarks {face[:60]!r} are not numbers; expected x y for each point.") from None
            if len(numbers) not in {2 * n for n in LANDMARK_SETS}:
                raise FaceError(f"Landmarks of {len(numbers)} numbers; expected x and y of 5, 68, 468 or 478 points.")
            faces.append(torch.tensor(numbers, dtype=torch.float64).unflatten(0, (-1, 2)))
        photos.append(faces)
    return photos


def format_landmarks(photos: list[list[Tensor]]) -> str:
    """Write what `parse_landmarks` reads, to a hundredth of a px."""
    return "\n".join(
        "; ".join(", ".join(f"{x:.2f} {y:.2f}" for x, y in face.tolist()) for face in faces) for faces in photos
    )
