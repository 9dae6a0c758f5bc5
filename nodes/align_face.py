"""Align Face: from a photo to the crops that a model knows."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.choices import ERROR, ORDERS
from ..sfe_models.faces.crop.batch import crop_faces
from . import sockets
from .base import Node
from .find_face import METHODS, FaceSearch, landmark_inputs, no_face_input
from .pictures import channels_first, channels_last

# Side of a crop in px where no model says it: what published models take.
_SIDE = 1024


class AlignFace(Node):
    """Find faces and cut them out as FFHQ's were."""

    TITLE = "Align Face (SFE)"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_AlignFace",
            "Cuts faces out of photos the way the models' training pictures were (FFHQ). Paste Back puts them back.",
            [
                io.Image.Input("photo", tooltip="The photos."),
                io.Combo.Input(
                    "method",
                    options=list(METHODS),
                    default=METHODS[0],
                    tooltip="yunet: found by YuNet (downloads 0.3 MB once). dlib: by dlib, as in the paper (needs "
                    "`pip install dlib-bin`). landmarks: from the points below, else by yunet if so named. "
                    "already aligned: a crop already.",
                ),
                io.Int.Input("face", default=0, min=-1, max=999, tooltip="Which face, counted from 0; -1 takes all."),
                io.Combo.Input("order", options=list(ORDERS), default=ORDERS[0], tooltip="How faces are counted."),
                io.Int.Input(
                    "size", default=0, min=0, max=4096, tooltip="Side of the crop in px; 0 takes the model's own."
                ),
                *landmark_inputs(),
                no_face_input(),
                io.Float.Input(
                    "smoothing",
                    default=0.0,
                    min=0.0,
                    max=60.0,
                    step=0.5,
                    optional=True,
                    tooltip="For frames of a video: one person is followed, over how many frames the crop is smoothed "
                    "(6 is calm); 0 for single photos.",
                ),
                sockets.SFEModel.Input(
                    "sfe_model", display_name="model", optional=True, tooltip="From Load SFE: says how large crops are."
                ),
            ],
            [
                io.Image.Output("crop", tooltip="One crop for each face taken."),
                sockets.SFEAlignment.Output("alignment", tooltip="Where each crop came from: Paste Back, Face Mask."),
                io.Mask.Output("inside", tooltip="1 where the crop shows the photo, 0 where the photo was continued."),
            ],
            search_aliases=["ffhq align", "crop face", "face crop", "detect face"],
        )

    @classmethod
    def run(
        cls, photo, method, face, order, size, landmarks="", face_landmarks=None, no_face=ERROR, smoothing=0.0,
        sfe_model=None,
    ) -> io.NodeOutput:  # fmt: skip
        size = size or (_SIDE if sfe_model is None else sfe_model.pipeline.spec.picture_size[0])
        photos = channels_first(photo, "photo")
        aligned = FaceSearch(method, landmarks, face_landmarks, face, order, no_face, smoothing).align(photos, size)
        crops, inside = crop_faces(photos, aligned)
        return io.NodeOutput(channels_last(crops.clamp(0, 1)), aligned, inside)
