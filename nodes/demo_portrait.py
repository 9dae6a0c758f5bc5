"""Demo Portrait: people that never were, for trying everything without a photo."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..sfe_models.demo.attributes import ATTRIBUTES, Portraits, sample_portraits
from ..sfe_models.domain import DEMO
from ..sfe_models.faces.landmarks import format_landmarks
from ..sfe_models.inputs import InputError
from . import sockets
from .base import Node
from .drawn import drawn
from .pictures import to_image

_HELP = "\n".join(f"{a.name} {a.low:g} to {a.high:g}: {a.meaning}" for a in ATTRIBUTES)


class DemoPortrait(Node):
    """Make portraits of seeded people: rendered ones, or such as a model's generator draws."""

    TITLE = "Demo Portrait"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_DemoPortrait",
            "Makes aligned portraits of people that never were, of the kind that the connected model knows.",
            [
                io.Int.Input(
                    "seed",
                    default=1,
                    min=0,
                    max=2**31 - 1,
                    control_after_generate=False,
                    tooltip="Which person. Of rendered ones the demo model was trained on seeds from 1000000 on.",
                ),
                io.String.Input(
                    "attributes",
                    default="",
                    multiline=True,
                    tooltip="Of rendered people: what to set, such as: smile=0.5, glasses=1. The rest stays as it is.\n"
                    f"{_HELP}",
                ),
                io.Int.Input("people", default=1, min=1, max=256, tooltip="A batch: the seeds from 'seed' on."),
                io.Int.Input("size", default=0, min=0, max=2048, tooltip="Side in px; 0 takes what the model makes."),
                io.Boolean.Input(
                    "details",
                    default=True,
                    tooltip="Of rendered people: freckles, lettering, patterns, hats, earrings.",
                ),
                sockets.SFEModel.Input(
                    "sfe_model",
                    display_name="model",
                    optional=True,
                    tooltip="From Load SFE: its generator draws them. Without one, or of demo, they are rendered.",
                ),
            ],
            [
                io.Image.Output("image", display_name="portrait", tooltip="The portraits."),
                io.Mask.Output("face", tooltip="Where the face is seen."),
                io.String.Output("landmarks", tooltip="Eyes, nose and mouth corners, as Align Face takes them."),
            ],
            search_aliases=["sample face", "test portrait"],
        )

    @classmethod
    def run(cls, seed: int, attributes: str, people: int, size: int, details: bool, sfe_model=None) -> io.NodeOutput:
        seeds = range(seed, seed + people)
        if sfe_model is None or sfe_model.pipeline.spec.subject == DEMO.subject:
            return io.NodeOutput(*_rendered(seeds, attributes, size, details))
        if attributes.strip():
            raise InputError(
                f"'attributes' is {attributes[:60]!r}, but {sfe_model!r} draws people as they are; clear it."
            )
        return io.NodeOutput(*drawn(sfe_model, seeds, size))


def _rendered(seeds: range, attributes: str, size: int, details: bool) -> tuple[torch.Tensor, torch.Tensor, str]:
    from ..sfe_models.demo.renderer import render  # a third of the pack's import time

    rendering = render(_changed(sample_portraits(seeds, details), attributes), size or DEMO.picture_size[0])
    landmarks = format_landmarks([[points] for points in rendering.landmarks])
    return to_image(rendering.image), rendering.face_mask[:, 0], landmarks


def _changed(portraits: Portraits, attributes: str) -> Portraits:
    """Set attributes given as name=value, parted by commas or lines."""
    for part in filter(None, (word.strip() for word in attributes.replace("\n", ",").split(","))):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        try:
            number = float(value)
        except ValueError:
            sign = ""
        if not sign:
            raise InputError(f"'attributes' has {part!r}; expected name=value, such as smile=0.5, with commas between.")
        portraits = portraits.changed(name, number)
    return portraits
