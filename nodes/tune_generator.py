"""Tune Generator: theta' = theta + what brings one picture closer, by PTI or by GANI as reconstructed here."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.choices import TUNING_METHODS
from ..sfe_models.inputs import InputError
from ..sfe_models.tuning.config import TuningConfig
from . import inverting, sockets
from .base import Node
from .models import LoadedModel
from .pictures import from_image


class TuneGenerator(Node):
    """Make a model for one picture that is hard to invert."""

    TITLE = "Tune Generator"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_TuneGenerator",
            "Changes the generator a little, for one picture that the encoders cannot keep. Takes minutes on a CPU. "
            "The result is a model like any other: Invert the same picture with it, and edit.",
            [
                sockets.SFEModel.Input("sfe_model", display_name="model", tooltip="From Load SFE."),
                io.Image.Input("image", tooltip="One aligned crop, of Align Face or Demo Portrait."),
                io.Combo.Input(
                    "method",
                    options=list(TUNING_METHODS),
                    default=TUNING_METHODS[0],
                    tooltip="pti: the generator's weights themselves. gani: through small networks that turn gradients "
                    "into changes; a reconstruction, as the paper's code was never released.",
                ),
                io.Int.Input(
                    "steps",
                    default=0,
                    min=0,
                    max=2000,
                    tooltip="0: what is usual, 200, or 100 above 256 px. More come closer and take longer.",
                ),
                io.Float.Input(
                    "locality",
                    default=0.1,
                    min=0.0,
                    max=10.0,
                    step=0.05,
                    tooltip="How much all other faces are held where they were; 0 lets them go, which is quicker.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFF,
                    control_after_generate=False,
                    tooltip="Of the faces that are held.",
                ),
            ],
            [
                sockets.SFEModel.Output("tuned_model", display_name="model", tooltip="For Invert, with this picture."),
                io.Image.Output("reconstruction", tooltip="What the tuned generator makes of the picture."),
            ],
            group="tuning",
            search_aliases=["pti", "pivotal tuning", "gani", "hard photo"],
        )

    @classmethod
    def run(cls, sfe_model: LoadedModel, image, method: str, steps: int, locality: float, seed: int) -> io.NodeOutput:
        if sfe_model.tuned is not None:
            raise InputError(f"{sfe_model!r} is tuned already; connect the model of Load SFE.")
        spec = sfe_model.pipeline.spec.generator
        config = TuningConfig.usual(method, spec, steps, local=locality, seed=seed)
        return io.NodeOutput(*inverting.tune(sfe_model, from_image(image), config))
