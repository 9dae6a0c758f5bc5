"""Mix Styles: some layers of w and w_E from another inversion, F_k from the first."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.inputs import InputError
from ..sfe_models.pipeline import Pipeline
from . import sockets
from .base import Node
from .models import ready
from .wires import Wire, one_model


class MixStyles(Node):
    """Take layers of one portrait's codes from another's."""

    TITLE = "Mix Styles (SFE)"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_MixStyles",
            "Gives a portrait some layers of another's style: its pose and shape, its features and colours, or its "
            "shades. The details stay its own.",
            [
                io.MultiType.Input(
                    "source",
                    [sockets.SFEInversion, sockets.SFEEdit],
                    tooltip="The portrait that is changed: an inversion, or the edit of Apply Direction.",
                ),
                sockets.SFEInversion.Input(
                    "other", tooltip="The portrait that layers come from: one for all, or one for each picture."
                ),
                io.String.Input(
                    "layers",
                    default="middle",
                    tooltip="What comes from the other: coarse (pose, shape of face and hair), middle (features and "
                    "colours), fine (shades), all, numbers and ranges such as 4-7.",
                ),
                io.Float.Input(
                    "alpha",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How far: 0 changes nothing, 1 takes the other's layers whole.",
                ),
            ],
            [sockets.SFEEdit.Output("edit", tooltip="For Compute Δ, or for Apply Direction.")],
            search_aliases=["style mixing", "blend faces", "crossover"],
        )

    @classmethod
    def run(cls, source: Wire, other: Wire, layers: str, alpha: float) -> io.NodeOutput:
        model = one_model([source, other])
        if not isinstance(model.pipeline, Pipeline):
            raise InputError(f"{model!r} is a gradual model; styles are mixed by others.")
        with ready(model) as pipeline:
            mixed = pipeline.mix_styles(source.value, other.value, layers or "all", alpha)
            return io.NodeOutput(Wire.of(model, mixed))
