"""Direction from Images: what leads from some pictures to others."""

from __future__ import annotations

from functools import partial

from comfy_api.latest import io

from ..sfe_models.directions.finding.pictures import picture_difference, style_difference
from ..sfe_models.directions.layers import parse_layers
from . import sockets
from .base import Node
from .drawn import by_generator
from .wires import Wire, one_model

_W_PLUS, _STYLE_SPACE = "W+", "style space"


class DirectionFromImages(Node):
    """The difference of two pictures, or of the means of two batches."""

    TITLE = "Direction from Images"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_DirectionFromImages",
            "Makes the direction from one picture to another, or from the mean of one batch to that of another. "
            "Strength 1 is the whole way.",
            [
                sockets.SFEInversion.Input("before", tooltip="The pictures to start from."),
                sockets.SFEInversion.Input("after", tooltip="The pictures that show what should change."),
                io.Combo.Input(
                    "space",
                    options=[_W_PLUS, _STYLE_SPACE],
                    default=_W_PLUS,
                    tooltip="Which codes move; style space changes less besides, and acts after all of W+.",
                ),
                io.String.Input(
                    "layers", default="all", optional=True, tooltip="all, coarse, medium, fine, or numbers: 0-3, 7."
                ),
            ],
            [sockets.SFEDirection.Output("direction", tooltip="For 'custom_direction' of Apply Direction.")],
            group="directions",
            search_aliases=["difference direction", "before after"],
        )

    @classmethod
    def run(cls, before: Wire, after: Wire, space: str, layers: str = "all") -> io.NodeOutput:
        model = one_model([before, after])
        spec, name = model.pipeline.spec, "from images"
        chosen = parse_layers(layers, spec.generator)
        codes = before.value.w, after.value.w
        if space == _W_PLUS:
            generator = before.value.generator or None  # kept inversions of long ago do not say
            return io.NodeOutput(picture_difference(*codes, spec.subject, name, chosen, generator=generator))
        difference = partial(
            style_difference, source=codes[0], target=codes[1], subject=spec.subject, name=name, layers=chosen
        )
        return io.NodeOutput(by_generator(model, difference))
