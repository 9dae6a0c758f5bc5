"""The main job on one picture: its inversion, and edits of every kind, on one contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ..checkpoints.errors import CheckpointError
from ..demo.attributes import sample_portraits
from ..demo.painted import paint_details
from ..demo.renderer import render
from ..directions.base import Direction, DirectionError
from ..directions.library import DirectionLibrary
from ..drawn import drawn_people
from ..pictures.contact_sheet import contact_sheet
from ..pictures.image_io import save_image, to_pil
from ..pipeline import Pipeline


@dataclass(frozen=True)
class Plan:
    """What is shown of a model: (name, share of the direction's useful range, towards its upper (+) or lower (-) end).

    edits: each by itself; masked: in the lower part of the picture alone; regions: in the upper and the lower part;
    sweep: at a range of strengths.
    """

    edits: tuple[tuple[str, float], ...]
    masked: tuple[str, float]
    regions: tuple[tuple[str, float], tuple[str, float]]
    sweep: str


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
RENDERED = Plan(EDITS, ("makeup", 1.0), (("glasses", 1.0), ("smile", -1.0)), "smile")
# Shares chosen by eye, where the person is still the same.
PHOTOGRAPHED = Plan(
    (
        ("smile", -0.4),
        ("age", 0.6),
        ("age", -0.6),
        ("glasses", 0.8),
        ("hair_light", 0.7),
        ("mouth_open", 0.7),
        ("face_width", 0.6),
        ("yaw", 0.3),
    ),
    ("mouth_open", 0.8),
    (("glasses", 0.8), ("smile", -0.4)),
    "age",
)
SWEEP_STEPS = 7
# Share of the picture's height between the upper region (eyes) and the lower one (mouth).
_BORDER = 0.56
# Of the sheet.
_COLUMNS = 5


@dataclass(frozen=True)
class Showcase:
    """The pictures that were made, each [3,H,W] in [-1,1], with a label, in the order of the sheet."""

    labels: tuple[str, ...]
    images: tuple[Tensor, ...]
    sweep: Tensor

    def sheet(self) -> Image.Image:
        """Arrange everything, with the sweep below."""
        above = contact_sheet(self.images, self.labels, _COLUMNS)
        if not len(self.sweep):
            return above
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


def rendered_person(pipeline: Pipeline, seed: int) -> Tensor:
    """Render a portrait with details: [1,3,R,R] in [-1,1]."""
    return render(sample_portraits([seed]), pipeline.spec.generator.resolution).image


@torch.no_grad()
def drawn_person(pipeline: Pipeline, seed: int) -> Tensor:
    """Let the generator draw a person and paint details on that no code holds: [1,3,R,R] in [-1,1]."""
    return paint_details(drawn_people(pipeline.networks.generator, pipeline.spec, [seed]), seed)


def half(image: Tensor, upper: bool) -> Tensor:
    """Make a mask [1,H,W] of the upper or lower part of a picture [1,3,H,W], 1 where the edit may act."""
    height, width = image.shape[2:]
    rows = (torch.arange(height, device=image.device) + 0.5) / height
    mask = (rows < _BORDER) if upper else (rows >= _BORDER)
    return mask.float()[None, :, None].expand(1, height, width)


def showcase(
    pipeline: Pipeline, library: DirectionLibrary, image: Tensor, plan: Plan, done: Callable[[str], None]
) -> Showcase:
    """Invert and edit a picture [1,3,H,W] in [-1,1]; what the model has no direction for is left out.

    done: told the label of each picture that is there.
    """
    inversion = pipeline.invert(image)
    w_plus = inversion if inversion.w_e.shape[1] == pipeline.spec.n_styles else pipeline.with_all_styles(inversion)
    images: list[tuple[str, Tensor]] = []

    def add(label: str, picture: Tensor) -> None:
        images.append((label, picture))
        done(label)

    def edited(edits: Sequence[tuple[str, float]], masks: Sequence[Tensor | None]) -> Tensor:
        deltas = []
        for (name, share), mask in zip(edits, masks, strict=True):
            edit = pipeline.apply_direction(inversion, directions[name], strength_at(directions[name], share))
            delta = pipeline.compute_delta(edit)
            deltas.append(delta if mask is None else pipeline.mask_delta(delta, mask))
        delta = deltas[0] if len(deltas) == 1 else pipeline.combine_deltas(deltas)
        return pipeline.synthesize(pipeline.feature_edit(delta))

    add("portrait", image)
    add("e4e inversion", pipeline.generate_from(w_plus.w_e))
    add("SFE inversion", pipeline.edit(inversion))
    names = dict.fromkeys([*(name for name, _ in (*plan.edits, plan.masked, *plan.regions)), plan.sweep])
    directions = {name: found for name in names if (found := _had(library, name)) is not None}
    for name, share in plan.edits:
        if name in directions:
            add(_label(name, share), edited([(name, share)], [None]))
    upper, lower = (half(image, upper) for upper in (True, False))
    if plan.masked[0] in directions:
        add(f"{_label(*plan.masked)}, masked: mouth", edited([plan.masked], [lower]))
    if all(name in directions for name, _ in plan.regions):
        add(" and ".join(_label(*edit) for edit in plan.regions), edited(plan.regions, [upper, lower]))
    sweep = image[:0]
    if plan.sweep in directions:
        direction = directions[plan.sweep]
        strengths = [strength_at(direction, share) for share in torch.linspace(-1, 1, SWEEP_STEPS).tolist()]
        sweep = pipeline.sweep(inversion, direction, strengths)[0]
        done(f"{plan.sweep}, {SWEEP_STEPS} strengths")
    labels, pictures = zip(*((label, image[0].clamp(-1, 1)) for label, image in images), strict=True)
    return Showcase(labels, pictures, sweep.clamp(-1, 1))


def _had(library: DirectionLibrary, name: str) -> Direction | None:
    """Read a direction; None if the model has none of that name that it can use."""
    try:
        return library.get(name)
    except (DirectionError, CheckpointError):
        return None


def write_showcase(made: Showcase, output: Path | str) -> Path:
    """Write every picture and the contact sheet; returns the sheet's path."""
    output = Path(output)
    for number, (label, image) in enumerate(zip(made.labels, made.images, strict=True)):
        name = "".join(c if c.isalnum() or c in "+-" else "_" for c in label)
        save_image(to_pil(image), output / f"{number:02}-{name}.png")
    for number, image in enumerate(made.sweep):
        save_image(image, output / f"sweep-{number}.png")
    return save_image(made.sheet(), output / "sheet.png")


def _label(name: str, share: float) -> str:
    return f"{name.replace('_', ' ')} {'+' if share > 0 else '-'}"
