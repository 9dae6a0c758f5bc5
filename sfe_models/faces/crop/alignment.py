"""The alignment of FFHQ (Karras et al. 2019): the square of a photo that a face crop shows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import FaceError
from ..landmarks import face_centres

# Half a side is the larger of 2.0 eye distances and 1.8 distances from the eyes to the mouth; the centre lies 0.1 of
# the latter below the eyes (recreate_aligned_images of the FFHQ data set).
_EYES, _MOUTH, _DOWN = 2.0, 1.8, 0.1
# Crops may come back enlarged, by an upscaler on the way; any size of one shape is the same crop.
_SHAPE_TOLERANCE = 0.02

Point = tuple[float, float]


@dataclass(frozen=True, repr=False)
class FaceAlignment:
    """Where in a photo a crop lies.

    corner: the crop's top left corner; right, down: its upper and its left edge as vectors; all (x, y) in px of the
    photo, whose first pixel's centre is at (0.5, 0.5). photo_size, crop_size: (height, width) in px. landmarks: the
    points that it was made from, in px of the photo, none for a crop. found: False for a photo without a face, whose
    crop is never pasted.
    """

    corner: Point
    right: Point
    down: Point
    photo_size: tuple[int, int]
    crop_size: tuple[int, int]
    landmarks: tuple[Point, ...] = ()
    found: bool = True

    @staticmethod
    def identity(photo_size: tuple[int, int], crop_size: tuple[int, int] | None = None) -> FaceAlignment:
        """Take the photo as an aligned crop already."""
        height, width = photo_size
        return FaceAlignment((0.0, 0.0), (float(width), 0.0), (0.0, float(height)), photo_size, crop_size or photo_size)

    @property
    def is_identity(self) -> bool:
        height, width = self.photo_size
        return (self.corner, self.right, self.down) == ((0.0, 0.0), (float(width), 0.0), (0.0, float(height)))

    @staticmethod
    def without_face(photo_size: tuple[int, int], crop_size: tuple[int, int]) -> FaceAlignment:
        """Stand in for a photo without a face: the largest crop about its middle, which is never pasted."""
        (height, width), (crop_height, crop_width) = photo_size, crop_size
        scale = min(height / crop_height, width / crop_width)
        right, down = crop_width * scale, crop_height * scale
        corner = ((width - right) / 2, (height - down) / 2)
        return FaceAlignment(corner, (right, 0.0), (0.0, down), tuple(photo_size), tuple(crop_size), found=False)

    @property
    def crop_to_photo(self) -> Tensor:
        """[2,3], float64: px of the crop (x, y, 1) to px of the photo, both with pixel centres at halves."""
        height, width = self.crop_size
        columns = [[v / n for v in axis] for axis, n in ((self.right, width), (self.down, height))]
        return torch.tensor([*columns, self.corner], dtype=torch.float64).T

    @property
    def photo_to_crop(self) -> Tensor:
        """[2,3], float64: the inverse of `crop_to_photo`."""
        matrix = self.crop_to_photo
        inverse = torch.linalg.inv(matrix[:, :2])
        return torch.cat([inverse, -inverse @ matrix[:, 2:]], dim=1)

    @property
    def scale(self) -> float:
        """How many px of the photo one px of the crop spans, on its longer side."""
        height, width = self.crop_size
        return max(math.hypot(*self.right) / width, math.hypot(*self.down) / height)

    @property
    def area(self) -> float:
        """The crop's area in px of the photo."""
        return abs(self.right[0] * self.down[1] - self.right[1] * self.down[0])

    def quad(self) -> Tensor:
        """Return the crop's corners in the photo [4,2]: top left, bottom left, bottom right, top right."""
        corner, right, down = (torch.tensor(v, dtype=torch.float64) for v in (self.corner, self.right, self.down))
        return torch.stack([corner, corner + down, corner + down + right, corner + right])

    def to_photo(self, points: Tensor) -> Tensor:
        """Map points [...,2] from the unit square of the crop (0: its left or upper edge, 1: the other) to photo px."""
        corner, right, down = (points.new_tensor(v) for v in (self.corner, self.right, self.down))
        return corner + points[..., :1] * right + points[..., 1:] * down

    def to_crop(self, points: Tensor) -> Tensor:
        """Map points [...,2] from photo px to the unit square of the crop; those outside it are not in [0,1]."""
        (a, c), (b, d) = self.right, self.down
        inverse = points.new_tensor([[d, -b], [-c, a]]) / (a * d - b * c)
        return (points - points.new_tensor(self.corner)) @ inverse.T

    def resized(self, crop_size: tuple[int, int]) -> FaceAlignment:
        """Describe the same crop at another size of the same shape; raises FaceError for another shape."""
        (height, width), (own_height, own_width) = crop_size, self.crop_size
        if abs(height * own_width / (width * own_height) - 1) > _SHAPE_TOLERANCE:
            raise FaceError(
                f"A crop of {width} x {height} px for an alignment of {own_width} x {own_height} px; expected the same "
                "shape. Paste the crop that this alignment made, or one enlarged from it."
            )
        return replace(self, crop_size=tuple(crop_size))

    def enlarged(self, factor: float, crop_size: tuple[int, int]) -> FaceAlignment:
        """Describe a crop that shows more about the same middle: its sides times a factor, at another size in px."""
        middle = self.quad().mean(dim=0)
        right, down = (factor * middle.new_tensor(axis) for axis in (self.right, self.down))
        vectors = (tuple(v.tolist()) for v in (middle - (right + down) / 2, right, down))
        return FaceAlignment(*vectors, self.photo_size, tuple(crop_size), self.landmarks, self.found)

    def __repr__(self) -> str:
        (height, width), side = self.photo_size, math.hypot(*self.right)
        face = f"a face of {side:.0f} px" if self.found else "no face"
        return f"FaceAlignment({face} in a photo of {width} x {height} px)"


def align_face(landmarks: Tensor, photo_size: tuple[int, int], crop_size: tuple[int, int]) -> FaceAlignment:
    """Align a face as FFHQ's are, from 5, 68, 468 or 478 landmarks [n,2] in px of the photo (see `landmarks`).

    With R(a, b) = (-b, a): axis x = eye_to_eye - R(eye_to_mouth), brought to half a side's length, y = R(x); the
    corners are centre -+ x -+ y. Raises FaceError for landmarks that show no face.
    """
    if crop_size[0] != crop_size[1]:
        raise FaceError(f"Crops aligned as FFHQ's are squares; {crop_size[1]} x {crop_size[0]} px is asked for.")
    points = face_centres(landmarks)
    eye_to_eye, eye_to_mouth = points.right_eye - points.left_eye, points.mouth - points.eyes
    x = eye_to_eye - _turned(eye_to_mouth)
    x = x / x.norm() * max(_EYES * eye_to_eye.norm(), _MOUTH * eye_to_mouth.norm())
    y = _turned(x)
    corner = points.eyes + _DOWN * eye_to_mouth - x - y
    vectors = (tuple(v.tolist()) for v in (corner, 2 * x, 2 * y))
    kept = tuple(tuple(point) for point in landmarks[:, :2].double().tolist())
    return FaceAlignment(*vectors, tuple(photo_size), tuple(crop_size), kept)


def _turned(v: Tensor) -> Tensor:
    """R(a, b) = (-b, a)."""
    return torch.stack([-v[1], v[0]])
