"""Mask delta: delta * (1 - protected)."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.choices import DELTA, MASK_ACTS_ON, PICTURE
from ..sfe_models.faces.mask.soft import feathered
from ..sfe_models.pictures.overlays import protected_over
from . import previews, sockets, stages
from .base import Node, advanced
from .pictures import masks_of


class MaskDelta(Node):
    """Keep an edit to a part of the picture."""

    TITLE = "Mask Δ"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_MaskDelta",
            "Keeps the edit to the white parts of a mask. Everything else stays as it is without the edit, through a "
            "soft edge.",
            [
                sockets.SFEDelta.Input("delta", display_name="Δ", tooltip="From Compute Δ."),
                io.Mask.Input("mask", tooltip="On the crop, of any size: white where the picture may change."),
                io.Boolean.Input("invert", default=False, tooltip="White protects instead."),
                io.Float.Input(
                    "feather",
                    default=0.02,
                    min=0.0,
                    max=0.5,
                    step=0.01,
                    tooltip="Softens the mask's edge by this share of the picture's side.",
                ),
                advanced(
                    io.Combo.Input(
                        "acts_on",
                        options=list(MASK_ACTS_ON),
                        default=PICTURE,
                        optional=True,
                        tooltip=f"{PICTURE}: nothing changes outside. {DELTA}: as in the paper, where colours and "
                        "light still change everywhere.",
                    )
                ),
            ],
            [sockets.SFEDelta.Output("masked_delta", display_name="Δ", tooltip="For Combine Δ and Feature Edit.")],
            search_aliases=["protect region", "regional edit"],
        )

    @classmethod
    def run(cls, delta, mask, invert: bool, feather: float, acts_on: str = PICTURE) -> io.NodeOutput:
        masks = feathered(masks_of(mask, invert=invert), feather)
        masked, some = stages.mask_delta(delta, masks, acts_on), slice(previews.MOST)
        shown = previews.drawn(protected_over(masked.value.edit.inversion.picture[some], masks[some]))
        return io.NodeOutput(masked, ui=shown)
