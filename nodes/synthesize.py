"""Synthesize: X' = G(F_k', w'_k+1:N)."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets, stages
from .base import Node


class Synthesize(Node):
    """Make pictures from features."""

    TITLE = "Synthesize"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_Synthesize",
            "Makes the edited pictures, at the model's full size.",
            [sockets.SFEFeatures.Input("features", tooltip="From Feature Edit.")],
            [io.Image.Output("image", tooltip="The edited crops; Paste Back puts them into their photos.")],
            search_aliases=["decode face", "generate"],
        )

    @classmethod
    def run(cls, features) -> io.NodeOutput:
        return io.NodeOutput(stages.synthesize(features))
