"""Align Face: from a photo to the crops that a model knows."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..sfe_models.faces.alignment import FaceAlignment, align_face
from ..sfe_models.faces.batch import ORDERS, AlignedFaces, choose_faces, crop_faces
from ..sfe_models.faces.landmarks import FaceError, parse_landmarks
from . import sockets
from .base import Node
from .pictures import channels_first, channels_last

ALIGNED, LANDMARKS = "already aligned", "landmarks"


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


class AlignFace(Node):
    """Find the crop of a face by its landmarks, as FFHQ's were."""

    TITLE = "Align Face"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_AlignFace",
            "Cuts faces out of photos the way the models' training pictures were (FFHQ). Paste Back puts them back.",
            [
                io.Image.Input("photo", tooltip="The photos."),
                io.Combo.Input(
                    "method",
                    options=[LANDMARKS, ALIGNED],
                    default=LANDMARKS,
                    tooltip="landmarks: from the points below. already aligned: the photo is such a crop.",
                ),
                io.Int.Input("face", default=0, min=-1, max=999, tooltip="Which face, counted from 0; -1 takes all."),
                io.Combo.Input("order", options=list(ORDERS), default=ORDERS[0], tooltip="How faces are counted."),
                io.Int.Input(
                    "size", default=1024, min=16, max=4096, tooltip="Side of the crop in px; the model's own is best."
                ),
                *landmark_inputs(),
            ],
            [
                io.Image.Output("crop", tooltip="One crop for each face taken."),
                sockets.SFEAlignment.Output("alignment", tooltip="Where each crop came from, for Paste Back."),
                io.Mask.Output("inside", tooltip="1 where the crop shows the photo, 0 where the photo was continued."),
            ],
            search_aliases=["ffhq align", "crop face", "face crop"],
        )

    @classmethod
    def run(
        cls, photo, method: str, face: int, order: str, size: int, landmarks: str = "", face_landmarks=None
    ) -> io.NodeOutput:
        photos = channels_first(photo, "photo")
        aligned = align(photos, method, face, order, size, landmarks, face_landmarks)
        crops, inside = crop_faces(photos, aligned)
        return io.NodeOutput(channels_last(crops.clamp(0, 1)), aligned, inside)


def align(
    photos: torch.Tensor, method: str, face: int, order: str, size: int, landmarks: str, face_landmarks
) -> AlignedFaces:
    """Align the chosen faces of photos [B,3,H,W]."""
    photo_size = tuple(photos.shape[2:])
    if method == ALIGNED:
        one = FaceAlignment.identity(photo_size)
        return AlignedFaces((one,) * len(photos), tuple(range(len(photos))))
    if method != LANDMARKS:
        raise FaceError(f"'method' is {method!r}; expected {LANDMARKS!r} or {ALIGNED!r}.")
    if face_landmarks is not None:
        found = [[torch.as_tensor(one["landmarks_xy"]) for one in frame] for frame in face_landmarks["frames"]]
    else:
        found = parse_landmarks(landmarks)
    found = found * len(photos) if len(found) == 1 else found
    if len(found) != len(photos):
        raise FaceError(
            f"'landmarks' has {len(found)} lines for {len(photos)} photos. Give the points of the face, one line for "
            f"each photo or one for all, connect 'face_landmarks', or choose '{ALIGNED}' if the photo is a crop."
        )
    return choose_faces([[align_face(p, photo_size, (size, size)) for p in one] for one in found], order, face)
