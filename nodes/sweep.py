"""Strength Sweep: one direction at a range of strengths."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.directions.base import evenly_spaced
from ..sfe_models.pictures.contact_sheet import contact_sheet
from . import direction_choices, direction_offer, previews, sockets, stages
from .apply_direction import chosen_direction, custom_direction_input
from .base import Node
from .pictures import masks_of, pil_to_image, to_image
from .wires import Wire


class Sweep(Node):
    """Edit every picture with every strength."""

    TITLE = "Strength Sweep"

    @classmethod
    def define_schema(cls) -> io.Schema:
        def bound(name: str, default: float, tooltip: str) -> io.Input:
            return io.Float.Input(name, default=default, min=-100.0, max=100.0, step=0.01, tooltip=tooltip)

        return cls.schema(
            "SFE_Sweep",
            "Shows a direction at strengths from one end to the other, for each picture.",
            [
                sockets.SFEInversion.Input("inversion", tooltip="From Invert or Load Inversion."),
                direction_choices.direction_input(),
                bound("from_strength", -3.0, "The first strength."),
                bound("to_strength", 3.0, "The last strength."),
                io.Int.Input("steps", default=7, min=1, max=64, tooltip="How many strengths."),
                custom_direction_input(),
                io.Mask.Input("mask", optional=True, tooltip="On the crop: white where the picture may change."),
            ],
            [
                io.Image.Output("images", tooltip="All pictures; those of one person are next to each other."),
                io.Image.Output("contact_sheet", tooltip="Each person begins a row, with the strengths below."),
            ],
            is_output_node=True,
            search_aliases=["grid", "traversal", "xy plot"],
        )

    @classmethod
    def validate_inputs(cls, direction) -> bool | str:
        return direction_choices.checked(direction)

    @classmethod
    def fingerprint_inputs(cls, **_) -> tuple:
        return direction_offer.state()

    @classmethod
    def run(
        cls, inversion: Wire, direction: str, from_strength, to_strength, steps: int, custom_direction=None, mask=None
    ) -> io.NodeOutput:
        chosen = chosen_direction(inversion.model, direction, custom_direction)
        strengths = evenly_spaced(from_strength, to_strength, steps)
        pictures = stages.sweep(inversion, chosen, strengths, None if mask is None else masks_of(mask))
        labels = [f"{strength:+g}" for strength in strengths] * len(inversion)
        sheet = pil_to_image(contact_sheet(list(pictures), labels, each=steps))
        return io.NodeOutput(to_image(pictures), sheet, ui=previews.images(sheet))
