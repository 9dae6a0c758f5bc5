"""Compute delta = F(w_E) - F(w_E')."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.pictures.heat_map import heat_map
from ..sfe_models.pictures.overlays import heat_over
from . import previews, sockets, stages
from .base import Node
from .pictures import to_image


class ComputeDelta(Node):
    """Find out what an edit changes, and where."""

    TITLE = "Compute Δ"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_ComputeDelta",
            "Computes which features an edit changes. Mask it, combine it with others, or go on to Feature Edit.",
            [sockets.SFEEdit.Input("edit", tooltip="From Apply Direction.")],
            [
                sockets.SFEDelta.Output("delta", display_name="Δ", tooltip="For Mask Δ, Combine Δ and Feature Edit."),
                io.Image.Output("heat_map", tooltip="Where Δ is large, from dark to bright."),
            ],
            search_aliases=["delta", "feature difference"],
        )

    @classmethod
    def run(cls, edit) -> io.NodeOutput:
        delta = stages.compute_delta(edit)
        value, spec = delta.value.delta, edit.model.pipeline.spec
        heat = to_image(heat_map(value, spec))
        some = slice(previews.MOST)
        shown = previews.drawn(heat_over(edit.value.inversion.picture[some], value[some], spec))
        return io.NodeOutput(delta, heat, ui=shown)
