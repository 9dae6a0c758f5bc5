"""Find faces in photos: one small protocol, two detectors, one search.

A detector searches a photo for upright faces, at the sizes that suit it; `find_faces` turns the photo when nobody
stands upright in it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ...choices import DETECTORS, DLIB, YUNET
from ..errors import FaceError

logger = logging.getLogger(__name__)

DEFAULT_FOLDERS = (Path("models"),)

# Quarter turns that a photo is searched at when nobody stands upright in it.
_TURNS = (1, 3, 2)


class LandmarkDetector(Protocol):
    """Whatever finds landmarks."""

    def __call__(self, photo: np.ndarray, quick: bool = False) -> list[Tensor]:
        """Find the upright faces of a photo, uint8 [H,W,3]; quick: without looking for the smallest.

        Returns landmarks [n,2], float64, in px of the photo (first pixel's centre at 0.5), largest face first.
        """
        ...


def load_detector(
    name: str = YUNET, folders: Sequence[Path | str] = DEFAULT_FOLDERS, device: torch.device | str = "cpu"
) -> LandmarkDetector:
    """Load a detector by its name; folders: where its file is looked for, and downloaded to (the first).

    Raises FaceError, one sentence that says what to install or where to put what.
    """
    if name == YUNET:
        from .yunet import YuNetDetector

        return YuNetDetector.load(folders, device)
    if name == DLIB:
        from .dlib68 import DlibDetector

        return DlibDetector.load(folders)
    raise FaceError(f"Detector {name!r} is unknown; expected one of {', '.join(DETECTORS)}.")


def find_faces(photo: Tensor, detector: LandmarkDetector) -> list[Tensor]:
    """Find the faces of a photo [3,H,W], uint8 or in [0,1]: landmarks [n,2] in px of the photo.

    Upright first; a photo in which nobody stands upright is then searched turned by 90, 270 and 180 degrees.
    """
    if photo.ndim != 3 or photo.shape[0] != 3:
        raise FaceError(f"The photo has the shape {tuple(photo.shape)}; expected [3,H,W].")
    pixels = _eight_bit(photo).cpu().numpy()
    if max(pixels.shape[:2]) < 16:
        return []
    for turns in (0, *_TURNS):
        found = detector(np.ascontiguousarray(np.rot90(pixels, turns)), quick=turns != 0)
        if found:
            if turns:
                logger.info("The faces lie on their side or upside down: turned by %d degrees.", 90 * turns)
            return [_turned_back(points, turns, pixels.shape[:2]) for points in found]
    return []


def _eight_bit(photo: Tensor) -> Tensor:
    """[3,H,W] to uint8 [H,W,3]."""
    if photo.dtype != torch.uint8:
        photo = photo.float().clamp(0, 1).mul(255).round().to(torch.uint8)
    return photo.movedim(0, -1).contiguous()


def _turned_back(points: Tensor, turns: int, size: tuple[int, int]) -> Tensor:
    """Undo numpy.rot90 by `turns` on points of the turned picture; size: (height, width) of the photo."""
    height, width = size
    x, y = points[:, 0], points[:, 1]
    back = {0: (x, y), 1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}
    return torch.stack(back[turns], dim=1)
