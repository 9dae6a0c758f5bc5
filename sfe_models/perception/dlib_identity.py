"""dlib's face recognition (King 2017): 128 numbers a face, the same person below a distance of 0.6 (extra `dlib`)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checkpoints.errors import CheckpointError
from ..checkpoints.measuring_weights import DLIB_IDENTITY
from ..checkpoints.present import MissingWeightsError, find_weights
from ..checkpoints.weights import SHAPE_PREDICTOR
from .views import checked_pictures

# Where dlib's detector sees the face of an aligned crop: left, top, right, bottom, the mean of 30 photographs.
_BOX = (0.202, 0.301, 0.787, 0.885)
_CHIP, _PADDING = 150, 0.25


class DlibIdentity:
    """Embed aligned faces by identity, on the CPU and without a gradient.

    predict: dlib's 68 points; recognise: its network.
    """

    def __init__(self, predict, recognise, dlib):
        self._predict, self._recognise, self._dlib = predict, recognise, dlib

    def describe(self, image: Tensor) -> Tensor:
        """image: [B,3,H,W] in [-1,1], aligned as FFHQ's. Returns dlib's own 128 numbers, [B,128] on the CPU.

        The landmarks are looked for where aligned faces lie, so that a picture in which dlib's detector sees no face is
        described too.
        """
        pictures = ((checked_pictures(image).detach().float() + 1) * 127.5).round().clamp(0, 255)
        rows = [self._one(np.ascontiguousarray(p)) for p in pictures.byte().movedim(1, -1).cpu().numpy()]
        return torch.tensor(np.array(rows), dtype=torch.float32)

    def embed(self, image: Tensor) -> Tensor:
        """image: as for `describe`. Returns [B,128], each of length 1, on the picture's device."""
        return F.normalize(self.describe(image), dim=1).to(image.device)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Return dlib's distance of the faces of a and b, [B]: 0 for the same picture, the same person below 0.6."""
        return (self.describe(a) - self.describe(b)).norm(dim=1).to(a.device)

    def _one(self, picture: np.ndarray) -> np.ndarray:
        height, width = picture.shape[:2]
        sides = (round(share * side) for share, side in zip(_BOX, (width, height, width, height), strict=True))
        points = self._predict(picture, self._dlib.rectangle(*sides))
        chip = self._dlib.get_face_chip(picture, points, _CHIP, _PADDING)
        return np.array(self._recognise.compute_face_descriptor(chip))


def load_dlib_identity(folder: Path | str) -> DlibIdentity:
    """Load dlib's landmarks and network from a folder or from face_recognition_models.

    Raises MissingWeightsError, also without dlib, or CheckpointError.
    """
    if find_spec("dlib") is None:
        raise MissingWeightsError("dlib is not there: `pip install dlib-bin`.")
    paths = [find_weights(file, folder) for file in (SHAPE_PREDICTOR, DLIB_IDENTITY)]
    import dlib

    try:
        predict, recognise = dlib.shape_predictor(str(paths[0])), dlib.face_recognition_model_v1(str(paths[1]))
    except RuntimeError as error:
        raise CheckpointError(f"dlib cannot read {paths[0]} or {paths[1]} ({error}); get them again.") from error
    return DlibIdentity(predict, recognise, dlib)
