"""Strength Sweep: one direction at a range of strengths."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..sfe_models.pictures.contact_sheet import contact_sheet
from . import direction_choices, previews, sockets
from .apply_direction import chosen_direction, custom_direction_input
from .base import Node
from .models import kept, ready
from .pictures import masks_of, pil_to_image, to_image
from .progress import Progress, parts
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
                io.Image.Output("contact_sheet", tooltip="One row for each person, with the strengths below."),
            ],
            search_aliases=["grid", "traversal", "xy plot"],
        )

    @classmethod
    def fingerprint_inputs(cls, **_) -> tuple:
        return direction_choices.state()

    @classmethod
    def run(
        cls, inversion: Wire, direction: str, from_strength, to_strength, steps: int, custom_direction=None, mask=None
    ) -> io.NodeOutput:
        chosen = chosen_direction(inversion.model, direction, custom_direction)
        strengths = torch.linspace(from_strength, to_strength, steps, dtype=torch.float64).round(decimals=6).tolist()
        masks = None if mask is None else masks_of(mask)
        people, progress, found = len(inversion), Progress(len(inversion) * steps), []
        with ready(inversion.model) as pipeline:
            for person in range(people):
                one = inversion.value if people == 1 else inversion.value[person]
                own = masks if masks is None or len(masks) != people else masks[person : person + 1]
                for part in parts(steps):
                    pictures = pipeline.sweep(one, chosen, strengths[part], own)[0]
                    found.append(pictures.to(kept()))
                    progress.step(len(pictures), pictures[-1])
        pictures = torch.cat(found)
        labels = [f"{strength + 0.0:+g}" for strength in strengths] * people
        sheet = pil_to_image(contact_sheet(list(pictures), labels, steps))
        return io.NodeOutput(to_image(pictures), sheet, ui=previews.images(sheet))
