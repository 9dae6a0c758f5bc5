"""Combine delta: different edits in different regions of one picture."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets, stages
from .base import Node


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
        return io.NodeOutput(stages.combine_deltas([first, second], [first_weight, second_weight]))
