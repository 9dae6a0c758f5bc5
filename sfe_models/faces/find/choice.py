"""Which faces of a photo to take, and which cannot be used."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...choices import ORDERS
from ..crop.alignment import FaceAlignment, align_face
from ..errors import FaceError
from ..landmarks import face_centres

# Half of an aligned crop's side is about the width of the face; below this there is nothing to invert.
_SMALLEST_PX = 40
# Distance of the eyes over the distance from eyes to mouth: about 1 from the front, and falling with the cosine of the
# head's turn. Below this, about 60 degrees, half of the face is hidden.
_NARROWEST = 0.5


def face_problem(landmarks: Tensor, photo_size: tuple[int, int]) -> str | None:
    """Say why a face cannot be edited, or None: too small, in profile, not in px, or cut off by the photo's edge.

    Raises FaceError for landmarks that show no face at all.
    """
    centres = face_centres(landmarks)
    height, width = photo_size
    if 0 <= landmarks[:, :2].min() and landmarks[:, :2].max() <= 1:
        return f"all its points lie within 0..1: give px of the photo of {width} x {height} px"
    across, along = float((centres.right_eye - centres.left_eye).norm()), centres.size
    if across < _NARROWEST * along:
        return (
            f"it is seen from the side (the eyes are {across / along:.2f} of the way to the mouth apart, at least "
            f"{_NARROWEST} is needed)"
        )
    points = torch.stack([centres.left_eye, centres.right_eye, centres.mouth])
    if (points < 0).any() or (points > points.new_tensor([width, height])).any():
        return f"its eyes or its mouth lie outside of the photo of {width} x {height} px"
    side = align_face(landmarks, photo_size, (16, 16)).area ** 0.5
    if side / 2 < _SMALLEST_PX:
        return f"it is {side / 2:.0f} px wide, at least {_SMALLEST_PX} are needed"
    return None


def choose_faces(found: Sequence[FaceAlignment], order: str, face: int) -> list[FaceAlignment]:
    """Take the `face`-th face of a photo in one of ORDERS, or all in this order (-1); an empty list if there is none.

    Faces that are equal in the order stay in the order in which they were given. Raises FaceError.
    """
    keys = {
        "largest first": lambda one: -one.area,
        "left to right": lambda one: _middle(one)[0],
        "right to left": lambda one: -_middle(one)[0],
        "top to bottom": lambda one: _middle(one)[1],
        "nearest to the middle": _off_middle,
        "as given": lambda one: 0,
    }
    if order not in keys:
        raise FaceError(f"Order {order!r} is unknown; expected one of {', '.join(ORDERS)}.")
    if face < -1:
        raise FaceError(f"Face number {face} is asked for; expected 0 for the first one, or -1 for all.")
    ordered = sorted(found, key=keys[order])
    return ordered if face == -1 else ordered[face : face + 1]


def _middle(face: FaceAlignment) -> tuple[float, float]:
    x, y = face.quad().mean(dim=0).tolist()
    return x, y


def _off_middle(face: FaceAlignment) -> float:
    (x, y), (height, width) = _middle(face), face.photo_size
    return (x - width / 2) ** 2 + (y - height / 2) ** 2
