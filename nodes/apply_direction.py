"""Apply Direction: w' = w + d; w_E' = w_E + d."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.directions.layers import on_layers_only
from . import direction_choices, direction_offer, sockets, stages
from .base import Node, advanced
from .models import LoadedModel
from .strengths import strength_inputs, strengths_for
from .wires import Wire


def chosen_direction(model: LoadedModel, direction: str, custom, layers: str = "all"):
    """The connected direction, or the one of the menu, on some layers."""
    found = model.directions().get(direction) if custom is None else custom
    return on_layers_only(found, layers or "all", model.pipeline.spec.generator)


def custom_direction_input() -> io.Input:
    return sockets.SFEDirection.Input(
        "custom_direction", optional=True, tooltip="A direction from another node, in place of the menu's."
    )


class ApplyDirection(Node):
    """Move the codes of an inversion, or those of an edit further."""

    TITLE = "Apply Direction"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_ApplyDirection",
            "Chooses what to change and how far. Connect several one after another to chain edits; style space "
            "directions always act after those of W+, whatever the order of the nodes.",
            [
                io.MultiType.Input(
                    "source",
                    [sockets.SFEInversion, sockets.SFEEdit],
                    tooltip="An inversion, or the edit of another Apply Direction.",
                ),
                direction_choices.direction_input(),
                *strength_inputs(),
                advanced(
                    io.String.Input(
                        "layers",
                        default="all",
                        optional=True,
                        tooltip="Which layers move: all, coarse, medium, fine, numbers and ranges such as 0-3, 7.",
                    )
                ),
                custom_direction_input(),
            ],
            [sockets.SFEEdit.Output("edit", tooltip="For Compute Δ, or for another Apply Direction.")],
            search_aliases=["edit face", "age", "smile", "latent direction"],
        )

    @classmethod
    def validate_inputs(cls, direction) -> bool | str:
        return direction_choices.checked(direction)

    @classmethod
    def fingerprint_inputs(cls, **_) -> tuple:
        return direction_offer.state()

    @classmethod
    def run(
        cls, source: Wire, direction: str, strength: float, strengths="", layers="all", custom_direction=None
    ) -> io.NodeOutput:
        chosen = chosen_direction(source.model, direction, custom_direction, layers)
        source, values = strengths_for(source, strength, strengths)
        return io.NodeOutput(stages.apply_direction(source, chosen, values))
