"""Feature Edit: F_k' = H(F_k, delta)."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.inputs import InputError
from ..sfe_models.values import same_pictures
from . import sockets, stages
from .base import Node
from .wires import Wire


class FeatureEdit(Node):
    """Bring delta into the features that keep the picture's details."""

    TITLE = "Feature Edit"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_FeatureEdit",
            "Applies an edit to the features of the inversion. Without Δ the result is the plain inversion.",
            [
                sockets.SFEInversion.Input("inversion", tooltip="From Invert or Load Inversion."),
                sockets.SFEDelta.Input(
                    "delta", display_name="Δ", optional=True, tooltip="Of an edit of this inversion; absent: no edit."
                ),
            ],
            [sockets.SFEFeatures.Output("features", tooltip="For Synthesize.")],
            search_aliases=["feature editor"],
        )

    @classmethod
    def run(cls, inversion: Wire, delta: Wire | None = None) -> io.NodeOutput:
        if delta is None:
            return io.NodeOutput(stages.feature_edit(inversion))
        if inversion.model is not delta.model or not same_pictures(inversion.value, delta.value.edit.inversion):
            raise InputError(
                f"Δ ({delta!r}) does not belong to this inversion ({inversion!r}). Connect the inversion that the edit "
                "started from."
            )
        return io.NodeOutput(stages.feature_edit(delta))
