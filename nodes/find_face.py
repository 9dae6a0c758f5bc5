"""Where the faces of photos are: the inputs that say it, and the detectors."""

from __future__ import annotations

from pathlib import Path

import comfy.model_management as management
import folder_paths
import torch
from comfy_api.latest import io

from ..sfe_models.faces.crop.batch import AlignedFaces, already_aligned
from ..sfe_models.faces.errors import FaceError
from ..sfe_models.faces.find.choice import ERROR, NO_FACE
from ..sfe_models.faces.find.detectors import DETECTORS, find_faces, load_detector
from ..sfe_models.faces.find.people import align_photos
from ..sfe_models.faces.landmarks import parse_landmarks
from . import sockets
from .found_models import FOLDER
from .progress import Progress

ALIGNED, LANDMARKS = "already aligned", "landmarks"
METHODS = (*DETECTORS, LANDMARKS, ALIGNED)


def face_folders() -> list[Path]:
    """Where the files of detectors and face parsers are looked for; what is downloaded comes into the first."""
    return [Path(folder) for folder in folder_paths.get_folder_paths(FOLDER)]


def landmark_inputs() -> list[io.Input]:
    """The two optional ways to say where faces are."""
    return [
        io.String.Input(
            "landmarks",
            default="",
            multiline=True,
            optional=True,
            tooltip="x y of five points in px: the eyes (the picture's left first), nose, mouth corners; or dlib's 68 "
            "(plus 0.5) or MediaPipe's 478. A line for each photo, faces parted by semicolons; one line serves all.",
        ),
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


def landmarks_of(photos: torch.Tensor, method: str, landmarks: str, face_landmarks) -> list[list[torch.Tensor]]:
    """Find or read the faces of photos [B,3,H,W] in [0,1]: landmarks of each face of each photo."""
    if method in DETECTORS:
        device = management.get_torch_device()
        detector, progress, found = load_detector(method, face_folders(), device), Progress(len(photos)), []
        for photo in photos:
            found.append(find_faces(photo, detector))
            progress.step()
        return found
    if method != LANDMARKS:
        raise FaceError(f"'method' is {method!r}; expected one of {', '.join(METHODS)}.")
    if face_landmarks is not None:
        found = [[torch.as_tensor(one["landmarks_xy"]) for one in frame] for frame in face_landmarks["frames"]]
    else:
        found = parse_landmarks(landmarks)
    found = found * len(photos) if len(found) == 1 else found
    if len(found) != len(photos):
        raise FaceError(
            f"'landmarks' has {len(found)} lines for {len(photos)} photos. Give the points of the face, one line for "
            f"each photo or one for all, connect 'face_landmarks', or choose another 'method'."
        )
    return found


def align(photos: torch.Tensor, method: str, size: int, landmarks: str, face_landmarks, no_face: str) -> AlignedFaces:
    """Align the largest face of each photo [B,3,H,W] in [0,1], or take the photos as crops."""
    if method == ALIGNED:
        return already_aligned(len(photos), tuple(photos.shape[2:]))
    found = landmarks_of(photos, method, landmarks, face_landmarks)
    return align_photos(found, tuple(photos.shape[2:]), (size, size), no_face=no_face)
