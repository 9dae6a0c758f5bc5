"""The main job on the demo model: a portrait, its inversion, and edits of every kind, on one contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ..demo.attributes import sample_portraits
from ..demo.renderer import Rendering, render
from ..directions.base import Direction
from ..directions.library import DirectionLibrary
from ..pictures.contact_sheet import contact_sheet
from ..pictures.image_io import save_image, to_pil
from ..pipeline import Pipeline

# Name and share of the direction's useful range, towards its upper (+) or lower (-) end.
EDITS: tuple[tuple[str, float], ...] = (
    ("smile", 1.0),
    ("glasses", 1.0),
    ("beard", 1.0),
    ("makeup", 1.0),
    ("age", 1.0),
    ("hair_colour", 1.0),
    ("eyes_open", -1.0),
    ("yaw", 0.4),
)
MASKED_EDIT = ("makeup", 1.0)
REGION_EDITS = (("glasses", 1.0), ("smile", -1.0))
SWEEP_DIRECTION, SWEEP_STEPS = "smile", 7
# Share of the picture's height between the upper region (eyes) and the lower one (mouth).
_BORDER = 0.56


@dataclass(frozen=True)
class Showcase:
    """The pictures that were made, each [3,H,W] in [-1,1], with a label, in the order of the sheet."""

    labels: tuple[str, ...]
    images: tuple[Tensor, ...]
    sweep: Tensor

    def sheet(self, columns: int = 5) -> Image.Image:
        """Arrange everything, with the sweep below."""
        above = contact_sheet(self.images, self.labels, columns)
        below = contact_sheet(list(self.sweep), [""] * len(self.sweep), len(self.sweep))
        height = round(below.height * above.width / below.width)
        sheet = Image.new("RGB", (above.width, above.height + height), "white")
        sheet.paste(above, (0, 0))
        sheet.paste(below.resize((above.width, height), Image.Resampling.LANCZOS), (0, above.height))
        return sheet


def strength_at(direction: Direction, share: float) -> float:
    """Return a strength as a share of the useful range: 1 its upper end, -1 its lower end, 0 no edit."""
    low, high = direction.info.strength_range
    return share * (high if share > 0 else -low)


def mouth_region(rendering: Rendering, upper: bool) -> Tensor:
    """Make a mask [1,S,S] of the upper or lower part of the picture, 1 where the edit may act."""
    size = rendering.image.shape[-1]
    rows = (torch.arange(size) + 0.5) / size
    mask = (rows < _BORDER) if upper else (rows >= _BORDER)
    return mask.float()[None, :, None].expand(1, size, size)


def showcase(pipeline: Pipeline, library: DirectionLibrary, seed: int) -> Showcase:
    """Make a portrait of `seed` (with details), invert and edit it."""
    rendering = render(sample_portraits([seed]), pipeline.spec.generator.resolution)
    inversion = pipeline.invert(rendering.image)
    w_plus = inversion if inversion.w_e.shape[1] == pipeline.spec.n_styles else pipeline.with_all_styles(inversion)
    images: list[tuple[str, Tensor]] = [
        ("portrait", rendering.image),
        ("e4e inversion", pipeline.generate_from(w_plus.w_e)),
        ("SFE inversion", pipeline.edit(inversion)),
    ]

    def edited(edits: Sequence[tuple[str, float]], masks: Sequence[Tensor | None]) -> Tensor:
        deltas = []
        for (name, share), mask in zip(edits, masks, strict=True):
            direction = library.get(name)
            edit = pipeline.apply_direction(inversion, direction, strength_at(direction, share))
            delta = pipeline.compute_delta(edit)
            deltas.append(delta if mask is None else pipeline.keep_within(delta, mask))
        delta = deltas[0] if len(deltas) == 1 else pipeline.combine_deltas(deltas)
        return pipeline.synthesize(pipeline.feature_edit(delta))

    for name, share in EDITS:
        images.append((_label(name, share), edited([(name, share)], [None])))
    upper, lower = (mouth_region(rendering, upper) for upper in (True, False))
    images.append((f"{_label(*MASKED_EDIT)}, masked: lips", edited([MASKED_EDIT], [lower])))
    both = " and ".join(_label(*edit) for edit in REGION_EDITS)
    images.append((both, edited(REGION_EDITS, [upper, lower])))
    direction = library.get(SWEEP_DIRECTION)
    strengths = [strength_at(direction, share) for share in torch.linspace(-1, 1, SWEEP_STEPS).tolist()]
    sweep = pipeline.sweep(inversion, direction, strengths)[0]
    labels, pictures = zip(*((label, image[0].clamp(-1, 1)) for label, image in images), strict=True)
    return Showcase(labels, pictures, sweep.clamp(-1, 1))


def write_showcase(made: Showcase, output: Path | str, say: Callable[[str], None] = lambda line: None) -> Path:
    """Write every picture and the contact sheet; returns the sheet's path."""
    output = Path(output)
    for number, (label, image) in enumerate(zip(made.labels, made.images, strict=True)):
        name = "".join(c if c.isalnum() or c in "+-" else "_" for c in label)
        say(str(save_image(to_pil(image), output / f"{number:02}-{name}.png")))
    for number, image in enumerate(made.sweep):
        save_image(image, output / f"sweep-{number}.png")
    return save_image(made.sheet(), output / "sheet.png")


def _label(name: str, share: float) -> str:
    return f"{name.replace('_', ' ')} {'+' if share > 0 else '-'}"
