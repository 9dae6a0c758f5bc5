"""dlib's face detector and its 68 landmarks, the published code's own way (optional: `pip install dlib-bin`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...checkpoints.weights import SHAPE_PREDICTOR
from ..errors import FaceError
from ..files import face_file
from .resizing import resized

# Longer sides of the pictures that are searched until a face is found, in px; it sees faces from 80 px on: a twentieth
# of the photo, then half of that. Enlarging more than twice shows it nothing new.
_SIDES, _LARGEST_FACTOR = (1600, 3200), 2.0
# Detections that dlib is less sure of are not faces more often than they are; clear faces reach 1 and more.
_LEAST_SCORE = 0.25


class DlibDetector:
    """Detect in the small picture, as dlib's detector is slow; place the landmarks in the photo itself."""

    def __init__(self, detect, predict, dlib):
        self._detect, self._predict, self._dlib = detect, predict, dlib

    @classmethod
    def load(cls, folders: Sequence[Path | str]) -> DlibDetector:
        """Load dlib and its predictor. Raises FaceError."""
        if find_spec("dlib") is None:
            raise FaceError("dlib is not installed; run `pip install dlib-bin`, or choose another detector.")
        path = face_file(SHAPE_PREDICTOR, folders)
        import dlib

        try:
            predict = dlib.shape_predictor(str(path))
        except RuntimeError as error:
            raise FaceError(f"{path} cannot be read by dlib ({error}); remove it and get it again.") from error
        return cls(dlib.get_frontal_face_detector(), predict, dlib)

    def __call__(self, photo: np.ndarray, quick: bool = False) -> list[Tensor]:
        factors = dict.fromkeys(min(side / max(photo.shape[:2]), _LARGEST_FACTOR) for side in _SIDES)
        for factor in list(factors)[: 1 if quick else None]:
            found = self._search(resized(photo, factor), photo)
            if found:
                return found
        return []

    def _search(self, picture: np.ndarray, photo: np.ndarray) -> list[Tensor]:
        across, along = photo.shape[1] / picture.shape[1], photo.shape[0] / picture.shape[0]
        boxes, _, _ = self._detect.run(picture, 0, _LEAST_SCORE)
        found = sorted(boxes, key=lambda box: -box.area())
        faces = []
        for box in found:
            sides = box.left() * across, box.top() * along, box.right() * across, box.bottom() * along
            shape = self._predict(photo, self._dlib.rectangle(*(round(side) for side in sides)))
            points = [(shape.part(i).x, shape.part(i).y) for i in range(shape.num_parts)]
            # dlib counts from the first pixel's centre.
            faces.append(torch.tensor(points, dtype=torch.float64) + 0.5)
        return faces
