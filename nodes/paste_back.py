"""Paste Back: edited crops return into their photos."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..sfe_models.choices import BLENDS, FEATHERED, HEAD, PASTE_REGIONS
from ..sfe_models.faces.paste.batch import paste_faces
from ..sfe_models.faces.paste.face import PasteOptions
from . import previews, sockets
from .base import Node
from .pictures import channels_first, channels_last, masks_of
from .progress import Progress


class PasteBack(Node):
    """Blend crops into the photos that they were cut out of."""

    TITLE = "Paste Back (SFE)"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_PasteBack",
            "Puts edited crops back where Align Face took them from. Outside of the mask every pixel stays.",
            [
                io.Image.Input("photo", tooltip="The photos that went into Align Face."),
                io.Image.Input("crop", tooltip="The edited crops, in the order of the alignment; enlarged ones too."),
                sockets.SFEAlignment.Input("alignment", tooltip="From Align Face."),
                io.Float.Input(
                    "feather",
                    default=0.1,
                    min=0.0,
                    max=0.5,
                    step=0.01,
                    tooltip="Width of the soft edge, as a share of the crop's side.",
                ),
                io.Boolean.Input(
                    "colour_match", default=True, tooltip="Bring the crop's colours at its rim to the photo's."
                ),
                io.Mask.Input(
                    "mask", optional=True, tooltip="On the crop: what of it goes back; in place of 'region'."
                ),
                io.Combo.Input(
                    "region",
                    options=list(PASTE_REGIONS),
                    default=HEAD,
                    optional=True,
                    tooltip="What goes back: the head with its hair, the face only, or the whole square.",
                ),
                io.Combo.Input(
                    "blend",
                    options=list(BLENDS),
                    default=FEATHERED,
                    optional=True,
                    tooltip="poisson also takes away differences of light and colour that vary along the edge.",
                ),
            ],
            [
                io.Image.Output("image", display_name="edited photo", tooltip="The photos, as many as went in."),
                io.Mask.Output("changed", tooltip="How much of each pixel comes from a crop."),
            ],
            is_output_node=True,
            search_aliases=["composite face", "uncrop", "stitch"],
        )

    @classmethod
    def run(
        cls, photo, crop, alignment, feather: float, colour_match: bool, mask=None, region=HEAD, blend=FEATHERED
    ) -> io.NodeOutput:  # fmt: skip
        progress = Progress(len(alignment))
        masks = None if mask is None else masks_of(mask)
        pasted, used = paste_faces(
            channels_first(photo, "photo"),
            channels_first(crop, "crop"),
            alignment,
            masks,
            PasteOptions(feather, colour_match, region, blend),
            lambda picture: progress.step(),
        )
        pasted = channels_last(pasted).clamp_(0, 1)
        if photo.shape[3] == 4:
            pasted = torch.cat([pasted, photo[..., 3:].to(pasted)], dim=-1)
        return io.NodeOutput(pasted, used, ui=previews.before_after(previews.compared(photo), pasted))
