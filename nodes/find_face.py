"""Where the faces of photos are: the inputs that say it, and the detectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import comfy.model_management as management
import folder_paths
import torch
from comfy_api.latest import io

from ..sfe_models.choices import DETECTORS, ERROR, NO_FACE, ORDERS, YUNET
from ..sfe_models.faces.crop.batch import AlignedFaces, already_aligned
from ..sfe_models.faces.errors import FaceError
from ..sfe_models.faces.find.detectors import find_faces, load_detector
from ..sfe_models.faces.landmarks import parse_landmarks
from ..sfe_models.film.batch import align_frames
from . import sockets
from .base import advanced
from .found_models import FOLDER
from .progress import Progress

ALIGNED, LANDMARKS = "already aligned", "landmarks"
GIVEN_OR_FOUND = f"{LANDMARKS}, else {YUNET}"
METHODS = (*DETECTORS, LANDMARKS, GIVEN_OR_FOUND, ALIGNED)
_POINTS = (
    "x y of five points in px: the eyes (the picture's left first), nose, mouth corners; or dlib's 68 (plus 0.5) or "
    "MediaPipe's 478. A line for each photo, faces parted by semicolons; one line serves all."
)


def face_folders() -> list[Path]:
    """Where the files of detectors and face parsers are looked for; what is downloaded comes into the first."""
    return [Path(folder) for folder in folder_paths.get_folder_paths(FOLDER)]


def landmark_inputs() -> list[io.Input]:
    """The two optional ways to say where faces are."""
    return [
        advanced(io.String.Input("landmarks", default="", multiline=True, optional=True, tooltip=_POINTS)),
        sockets.FaceLandmarks.Input(
            "face_landmarks", optional=True, tooltip="From a face landmark node of ComfyUI; in place of 'landmarks'."
        ),
    ]


def no_face_input() -> io.Input:
    """What happens to photos without a face."""
    return io.Combo.Input(
        "no_face",
        options=list(NO_FACE),
        default=ERROR,
        optional=True,
        tooltip="For a photo without the face: stop, or keep its place in the batch and give it back as it was.",
    )


@dataclass(frozen=True)
class FaceSearch:
    """Where the faces of photos are, and which of them to take: the inputs of Align Face.

    method: one of METHODS; face: from 0, -1 for all; smoothing: in frames of a video, 0 for single photos.
    """

    method: str
    landmarks: str = ""
    face_landmarks: dict | None = None
    face: int = 0
    order: str = ORDERS[0]
    no_face: str = ERROR
    smoothing: float = 0.0

    @property
    def has_landmarks(self) -> bool:
        """Whether points came in, in either way."""
        return self.face_landmarks is not None or bool(self.landmarks and self.landmarks.strip())

    def align(self, photos: torch.Tensor, side: int) -> AlignedFaces:
        """Align faces of photos [B,3,H,W] in [0,1] for crops of this side in px, or take the photos as crops."""
        size = tuple(photos.shape[2:])
        method = self.method
        if method == GIVEN_OR_FOUND:
            method = LANDMARKS if self.has_landmarks else YUNET
        if method == ALIGNED:
            return already_aligned(len(photos), size)
        if method in DETECTORS:
            found = self._detected(photos, method)
        elif method == LANDMARKS:
            found = self._given(len(photos))
        else:
            raise FaceError(f"'method' is {method!r}; expected one of {', '.join(METHODS)}.")
        return align_frames(photos, found, (side, side), self.face, self.order, self.no_face, self.smoothing)

    def _detected(self, photos: torch.Tensor, method: str) -> list[list[torch.Tensor]]:
        """Landmarks of each face that a detector finds in each photo."""
        detector = load_detector(method, face_folders(), management.get_torch_device())
        progress, found = Progress(len(photos)), []
        for photo in photos:
            found.append(find_faces(photo, detector))
            progress.step()
        return found

    def _given(self, count: int) -> list[list[torch.Tensor]]:
        """The landmarks that came in, for this number of photos."""
        if self.face_landmarks is not None:
            frames = self.face_landmarks["frames"]
            found = [[torch.as_tensor(one["landmarks_xy"]) for one in frame] for frame in frames]
        else:
            found = parse_landmarks(self.landmarks)
        found = found * count if len(found) == 1 else found
        if len(found) != count:
            raise FaceError(
                f"'landmarks' has {len(found)} lines for {count} photos. Give the points of the face, one line for "
                f"each photo or one for all, connect 'face_landmarks', or choose another 'method'."
            )
        return found
