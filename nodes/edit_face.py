"""Edit Face: align, invert, edit and paste back in one node."""

from __future__ import annotations

from dataclasses import replace

from comfy_api.latest import io

from ..sfe_models.choices import DETECTORS, ERROR
from ..sfe_models.faces.crop.batch import crop_faces
from ..sfe_models.faces.paste.batch import paste_faces
from . import direction_choices, direction_offer, inverting, previews, sockets, stages
from .apply_direction import chosen_direction, custom_direction_input
from .base import Node
from .find_face import ALIGNED, GIVEN_OR_FOUND, LANDMARKS, FaceSearch, landmark_inputs, no_face_input
from .pictures import channels_first, channels_last, masks_of, signed
from .strengths import strength_inputs, strengths_for

_GIVEN = "as given"


class EditFace(Node):
    """The whole path, for people who want one slider."""

    TITLE = "Edit Face (all in one)"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_EditFace",
            "Edits one face of each picture. A face that is found is cut out of the photo and pasted back; otherwise "
            "the picture is taken as an aligned crop.",
            [
                sockets.SFEModel.Input("sfe_model", display_name="model", tooltip="From Load SFE."),
                io.Image.Input("image", tooltip="Photos, or aligned crops."),
                direction_choices.direction_input(),
                *strength_inputs(),
                io.Mask.Input("mask", optional=True, tooltip="On the crop: white where the picture may change."),
                *landmark_inputs(),
                custom_direction_input(),
                io.Combo.Input(
                    "find_face",
                    options=[_GIVEN, *DETECTORS, GIVEN_OR_FOUND],
                    default=_GIVEN,
                    optional=True,
                    tooltip="By the landmarks given, or the largest face that a detector finds (see Align Face).",
                ),
                no_face_input(),
            ],
            [
                io.Image.Output("edited", tooltip="The pictures with the edited faces."),
                io.Image.Output("crop", display_name="edited crop", tooltip="The crops, at the model's full size."),
            ],
            is_output_node=True,
            search_aliases=["portrait editor", "age slider"],
        )

    @classmethod
    def validate_inputs(cls, direction) -> bool | str:
        return direction_choices.checked(direction)

    @classmethod
    def fingerprint_inputs(cls, **_) -> tuple:
        return direction_offer.state()

    @classmethod
    def run(
        cls, sfe_model, image, direction, strength, strengths="", mask=None, landmarks="", face_landmarks=None,
        custom_direction=None, find_face=_GIVEN, no_face=ERROR,
    ) -> io.NodeOutput:  # fmt: skip
        photos = channels_first(image)
        search = FaceSearch(find_face, landmarks, face_landmarks, no_face=no_face)
        if find_face == _GIVEN:
            search = replace(search, method=LANDMARKS if search.has_landmarks else ALIGNED)
        aligned = search.align(photos, sfe_model.pipeline.spec.picture_size[0])
        chosen = chosen_direction(sfe_model, direction, custom_direction)
        inversion = inverting.invert_once(sfe_model, signed(crop_faces(photos, aligned)[0]))
        inversion, values = strengths_for(inversion, strength, strengths)
        edit = stages.apply_direction(inversion, chosen, values)
        crops = stages.edited(edit, None if mask is None else masks_of(mask))
        if search.method == ALIGNED:
            return io.NodeOutput(crops, crops, ui=previews.before_after(previews.compared(image), crops))
        if len(crops) > len(photos):
            photos, aligned = photos.expand(len(crops), -1, -1, -1), aligned.repeated(len(crops))
        edited = channels_last(paste_faces(photos, channels_first(crops), aligned)[0]).clamp(0, 1)
        return io.NodeOutput(edited, crops, ui=previews.before_after(previews.compared(image), edited))
