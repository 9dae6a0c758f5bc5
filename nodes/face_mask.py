"""Face Mask: the parts of an aligned face, for Mask Δ and Paste Back."""

from __future__ import annotations

import comfy.model_management as management
import torch
from comfy_api.latest import io

from ..sfe_models.choices import OVAL, REGIONS
from ..sfe_models.faces.errors import FaceError
from ..sfe_models.faces.mask.parsing import (
    BACKGROUND_THRESHOLD,
    PARSERS,
    background_mask,
    load_parser,
    parse_faces,
    parsed_mask,
)
from ..sfe_models.faces.mask.regions import region_masks
from ..sfe_models.faces.mask.soft import feathered
from . import sockets
from .base import Node
from .find_face import LANDMARKS, face_folders
from .pictures import from_image, masks_of

PUBLISHED_BACKGROUND = "published background"


class FaceMask(Node):
    """Draw a part of each face."""

    TITLE = "Face Mask (SFE)"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_FaceMask",
            "White on a part of each aligned face: for Mask Δ (where the picture may change) and Paste Back.",
            [
                sockets.SFEAlignment.Input("alignment", tooltip="From Align Face."),
                io.Combo.Input(
                    "region",
                    options=[*REGIONS, PUBLISHED_BACKGROUND],
                    default=OVAL,
                    tooltip="published background: as the paper's code finds it, white where nothing may change; "
                    "parsers only.",
                ),
                io.Combo.Input(
                    "source",
                    options=[LANDMARKS, *PARSERS],
                    default=LANDMARKS,
                    tooltip="landmarks: drawn, needs no file. farl, bisenet: by a face parser whose file lies in "
                    "models/sfe; they also know hair and glasses, and need the crop.",
                ),
                io.Float.Input(
                    "feather", default=0.02, min=0.0, max=0.5, step=0.01, tooltip="Soft edge, share of the side."
                ),
                io.Boolean.Input("invert", default=False, tooltip="White everywhere else."),
                io.Image.Input("crop", optional=True, tooltip="The crops of Align Face, for a face parser."),
                io.Float.Input(
                    "threshold",
                    default=BACKGROUND_THRESHOLD,
                    min=0.0,
                    max=1.0,
                    step=0.005,
                    optional=True,
                    tooltip="Of 'published background': how sure the parser must be. The paper's program used 0.095.",
                ),
            ],
            [io.Mask.Output("mask", tooltip="One mask for each crop.")],
            search_aliases=["face parsing", "segment face", "region mask"],
        )

    @classmethod
    def run(
        cls, alignment, region: str, source: str, feather: float, invert: bool, crop=None,
        threshold: float = BACKGROUND_THRESHOLD,
    ) -> io.NodeOutput:  # fmt: skip
        if source == LANDMARKS:
            if region == PUBLISHED_BACKGROUND:
                raise FaceError(f"{region!r} needs a face parser; choose {', '.join(PARSERS)} as 'source'.")
            masks = region_masks(alignment.faces, region)
        else:
            masks = _parsed(alignment, region, source, crop, threshold)
        return io.NodeOutput(masks_of(feathered(masks, feather), invert=invert))


def _parsed(alignment, region: str, source: str, crop, threshold: float):
    """Masks [F,h,w] by a face parser."""
    if crop is None or len(crop) != len(alignment):
        raise FaceError(f"A face parser needs 'crop', one picture for each of the {len(alignment)} faces.")
    parser = load_parser(source, face_folders(), management.get_torch_device())
    masks = []
    for number, picture in enumerate(crop):
        management.throw_exception_if_processing_interrupted()
        face = alignment.faces[number : number + 1]
        logits = parse_faces(parser, from_image(picture[None], "crop"), face)
        if region == PUBLISHED_BACKGROUND:
            masks.append(background_mask(logits, threshold))
        else:
            masks.append(parsed_mask(logits, parser.labels, region))
    return torch.cat(masks).cpu()
