"""Synthesize: X' = G(F_k', w'_k+1:N)."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.inputs import InputError
from ..sfe_models.values import GradualEdit
from . import previews, sockets, stages
from .base import Node
from .pictures import to_image

# The choices of `size`, as divisors of the full one.
_SIZES = {"full": 1, "1/2": 2, "1/4": 4, "1/8": 8}


class Synthesize(Node):
    """Make pictures from features."""

    TITLE = "Synthesize (SFE)"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_Synthesize",
            "Makes the edited pictures, at the model's full size or, for a quick look, smaller.",
            [
                io.MultiType.Input(
                    "features",
                    [sockets.SFEFeatures, sockets.SFEEdit],
                    tooltip="From Feature Edit; of a gradual model from Apply Direction.",
                ),
                io.Combo.Input(
                    "size",
                    options=list(_SIZES),
                    default="full",
                    optional=True,
                    tooltip="Smaller ones stop the generator early, which is quicker: for looking, not for keeping. "
                    "The demo model can do 1/2, StyleGAN2 models of 1024 px all of them, photo none.",
                ),
            ],
            [
                io.Image.Output(
                    "image",
                    display_name="edited crop",
                    tooltip="The edited crops; Paste Back puts them into their photos.",
                )
            ],
            is_output_node=True,
            hidden=[io.Hidden.unique_id],
            search_aliases=["decode face", "generate"],
        )

    @classmethod
    def run(cls, features, size: str = "full") -> io.NodeOutput:
        if size not in _SIZES:
            raise InputError(f"'size' is {size!r}; expected one of {', '.join(_SIZES)}.")
        full = features.model.pipeline.spec.generator.resolution
        value = features.value
        edit = value if isinstance(value, GradualEdit) else value.edit
        model, inversion = features.model, edit.inversion
        before = model.shown.get(inversion)
        before = to_image(inversion.picture[: previews.MOST]) if before is None else before
        before = model.written[inversion] = previews.compared(before, model.written.get(inversion))
        early = previews.early(cls.hidden.unique_id, before) if size == "full" else None
        image = stages.synthesize(features, full // _SIZES[size], early=early)
        return io.NodeOutput(image, ui=previews.before_after(before, image))
