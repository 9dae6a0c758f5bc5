"""Combine delta: different edits in different regions of one picture."""

from __future__ import annotations

from dataclasses import replace

from comfy_api.latest import io

from ..sfe_models.pipeline import InputError
from . import sockets
from .base import Node
from .models import kept, ready
from .wires import kept_on


class CombineDelta(Node):
    """Add two edits of the same pictures."""

    TITLE = "Combine Δ"

    @classmethod
    def define_schema(cls) -> io.Schema:
        def weight(name: str) -> io.Input:
            return io.Float.Input(name, default=1.0, min=-10.0, max=10.0, step=0.05, tooltip="How much of this Δ.")

        return cls.schema(
            "SFE_CombineDelta",
            "Adds two edits of the same inversion, each masked to its own region or not.",
            [
                sockets.SFEDelta.Input("first", display_name="Δ 1", tooltip="From Compute Δ or Mask Δ."),
                sockets.SFEDelta.Input("second", display_name="Δ 2", tooltip="Another Δ of the same inversion."),
                weight("first_weight"),
                weight("second_weight"),
            ],
            [sockets.SFEDelta.Output("delta", display_name="Δ", tooltip="For Feature Edit, or for another Combine Δ.")],
            search_aliases=["add edits", "two regions"],
        )

    @classmethod
    def run(cls, first, second, first_weight: float, second_weight: float) -> io.NodeOutput:
        if first.model is not second.model:
            raise InputError(f"The deltas are of {first.model} and {second.model}; make both with one model.")
        with ready(first.model) as pipeline:
            combined = pipeline.combine_deltas([first.value, second.value], [first_weight, second_weight])
        return io.NodeOutput(replace(first, value=kept_on(combined, kept())))
