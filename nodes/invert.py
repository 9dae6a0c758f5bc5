"""Invert: (w, F_pred) = I_fse(X); F_w = G(w_0:k); F_k = I_fus(F_pred, F_w)."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.tuning.optimise import USUAL_STEPS, Steps
from . import inverting, previews, sockets, stages
from .base import Node
from .pictures import from_image, to_image

_METHODS = _ENCODER, _REFINE, _OPTIMISE = "encoder", "encoder + refine", "optimise"
_USUAL_REFINING = 30


class Invert(Node):
    """Invert aligned crops, once for all edits."""

    TITLE = "Invert (SFE)"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_Invert",
            "Finds the code and the features of aligned face crops. All edits start from here; it runs once a picture.",
            [
                sockets.SFEModel.Input("sfe_model", display_name="model", tooltip="From Load SFE."),
                io.Image.Input("image", tooltip="Aligned crops, of Align Face or Demo Portrait, of any size."),
                io.Boolean.Input(
                    "show",
                    default=False,
                    optional=True,
                    tooltip="Show the pictures and, on their right, what the model keeps of them.",
                ),
                io.Int.Input(
                    "refine",
                    default=0,
                    min=0,
                    max=1000,
                    optional=True,
                    tooltip="Steps that bring the inversion closer to the picture after the encoders; 0 is fastest. "
                    "Try 30 where a hat, a hand or text is soft. Of 'optimise': all its steps, 0 for 120.",
                ),
                io.Combo.Input(
                    "method",
                    options=list(_METHODS),
                    default=_ENCODER,
                    optional=True,
                    tooltip="encoder: at once. encoder + refine: then 30 steps, or as many as 'refine' says. optimise: "
                    "without encoders, about a minute; the only way for a generator alone.",
                ),
                io.Float.Input(
                    "smoothing",
                    default=0.0,
                    min=0.0,
                    max=60.0,
                    step=0.5,
                    optional=True,
                    tooltip="For frames of a video: over how many frames codes are smoothed, against flicker (2 is "
                    "calm); 0 for single pictures.",
                ),
            ],
            [
                sockets.SFEInversion.Output("inversion", tooltip="What the model keeps of the pictures."),
                io.Image.Output("reconstruction", tooltip="The pictures made from it, without an edit."),
            ],
            search_aliases=["gan inversion", "encode face"],
        )

    @classmethod
    def run(
        cls, sfe_model, image, show: bool = False, refine: int = 0, method: str = _ENCODER, smoothing: float = 0.0
    ) -> io.NodeOutput:  # fmt: skip
        if method == _OPTIMISE:
            steps = Steps.shared(refine or USUAL_STEPS)
            inversion = inverting.invert_by_optimisation(sfe_model, from_image(image), steps)
        else:
            refine = refine or (_USUAL_REFINING if method == _REFINE else 0)
            inversion = inverting.invert(sfe_model, from_image(image), refine)
        inversion = inverting.smoothed(inversion, smoothing)
        sfe_model.shown[inversion.value] = image[: previews.MOST]
        picture = stages.reconstruct(inversion)
        shown = previews.beside(to_image(inversion.value.picture[: previews.MOST]), picture) if show else None
        return io.NodeOutput(inversion, picture, ui=shown)
