"""Demo Portrait: rendered people, for trying everything without a download."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.demo.attributes import ATTRIBUTES, Portraits, sample_portraits
from ..sfe_models.faces.landmarks import format_landmarks
from ..sfe_models.inputs import InputError
from .base import Node
from .pictures import to_image

_HELP = "\n".join(f"{a.name} {a.low:g} to {a.high:g}: {a.meaning}" for a in ATTRIBUTES)


class DemoPortrait(Node):
    """Render portraits of seeded people."""

    TITLE = "Demo Portrait"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_DemoPortrait",
            "Renders people that never were: aligned portraits that the built-in demo model can invert and edit.",
            [
                io.Int.Input(
                    "seed",
                    default=1,
                    min=0,
                    max=2**31 - 1,
                    control_after_generate=False,
                    tooltip="Which person. The demo model was trained on seeds from 1000000 on.",
                ),
                io.String.Input(
                    "attributes",
                    default="",
                    multiline=True,
                    tooltip=f"What to set, such as: smile=0.5, glasses=1. The rest stays the person's own.\n{_HELP}",
                ),
                io.Int.Input("people", default=1, min=1, max=256, tooltip="A batch: the seeds from 'seed' on."),
                io.Int.Input("size", default=128, min=32, max=2048, tooltip="Side in px; the demo model sees 128."),
                io.Boolean.Input("details", default=True, tooltip="Freckles, lettering, patterns, hats, earrings."),
            ],
            [
                io.Image.Output("image", display_name="portrait", tooltip="The portraits."),
                io.Mask.Output("face", tooltip="Where the face is seen."),
                io.String.Output("landmarks", tooltip="Eyes, nose and mouth corners, as Align Face takes them."),
            ],
            search_aliases=["sample face", "test portrait"],
        )

    @classmethod
    def run(cls, seed: int, attributes: str, people: int, size: int, details: bool) -> io.NodeOutput:
        from ..sfe_models.demo.renderer import render  # a third of the pack's import time

        portraits = _changed(sample_portraits(range(seed, seed + people), details), attributes)
        rendering = render(portraits, size)
        landmarks = format_landmarks([[points] for points in rendering.landmarks])
        return io.NodeOutput(to_image(rendering.image), rendering.face_mask[:, 0], landmarks)


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
