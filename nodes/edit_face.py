"""Edit Face: align, invert, edit and paste back in one node."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.faces.batch import crop_faces, paste_faces
from . import direction_choices, sockets, stages
from .align_face import ALIGNED, LANDMARKS, align, landmark_inputs
from .apply_direction import chosen_direction, custom_direction_input
from .base import Node
from .models import kept, ready
from .pictures import channels_first, channels_last, masks_of
from .strengths import strength_inputs, strengths_for
from .wires import Wire, kept_on


class EditFace(Node):
    """The whole path, for people who want one slider."""

    TITLE = "Edit Face (all in one)"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_EditFace",
            "Edits one face of each picture. With landmarks the face is cut out of the photo and pasted back; without, "
            "the picture is taken as an aligned crop.",
            [
                sockets.SFEModel.Input("sfe_model", display_name="model", tooltip="From Load SFE."),
                io.Image.Input("image", tooltip="Photos with landmarks, or aligned crops."),
                direction_choices.direction_input(),
                *strength_inputs(),
                io.Mask.Input("mask", optional=True, tooltip="On the crop: white where the picture may change."),
                *landmark_inputs(),
                custom_direction_input(),
            ],
            [
                io.Image.Output("edited", tooltip="The pictures with the edited faces."),
                io.Image.Output("crop", tooltip="The edited crops, at the model's full size."),
            ],
            search_aliases=["portrait editor", "age slider"],
        )

    @classmethod
    def fingerprint_inputs(cls, **_) -> tuple:
        return direction_choices.state()

    @classmethod
    def run(
        cls, sfe_model, image, direction, strength, strengths="", mask=None, landmarks="", face_landmarks=None,
        custom_direction=None,
    ) -> io.NodeOutput:  # fmt: skip
        photos = channels_first(image)
        in_photo = face_landmarks is not None or bool(landmarks and landmarks.strip())
        size = sfe_model.pipeline.spec.picture_size[0]
        aligned = align(photos, LANDMARKS if in_photo else ALIGNED, 0, "largest first", size, landmarks, face_landmarks)
        chosen = chosen_direction(sfe_model, direction, custom_direction)
        inversion = stages.invert(sfe_model, crop_faces(photos, aligned)[0] * 2 - 1)
        inversion, values = strengths_for(inversion, strength, strengths)
        with ready(sfe_model) as pipeline:
            edit = stages.apply_direction(pipeline, inversion.value, chosen, values)
        delta = stages.compute_delta(Wire(sfe_model, edit))
        if mask is not None:
            with ready(sfe_model) as pipeline:
                delta = Wire(sfe_model, kept_on(pipeline.mask_delta(delta.value, masks_of(mask)), kept()))
        crops = stages.synthesize(stages.feature_edit(delta))
        if not in_photo:
            return io.NodeOutput(crops, crops)
        if len(crops) > len(photos):
            photos, aligned = photos.expand(len(crops), -1, -1, -1), aligned.repeated(len(crops))
        edited, _ = paste_faces(photos, channels_first(crops), aligned)
        return io.NodeOutput(channels_last(edited).clamp(0, 1), crops)
