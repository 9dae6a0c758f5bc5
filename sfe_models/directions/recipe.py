"""Recipes: a list of editing steps in one JSON file.

    {"format": "sfe-recipe", "version": 1, "subject": "human faces", "steps": [
        {"direction": "age", "strength": 3.5},
        {"direction": "my/curly.npy", "strength": -2, "layers": "medium"},
        {"direction": ["smile", "fs_smiling"], "strength": 1.5}]}

A direction is a name, a vector file (relative to the recipe's folder), or a list of either, which is
averaged; the subject may be left out. W+ steps act before style space steps, each kind in its order; a negative
strength negates.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from ..atomic import replaced
from ..text_files import read_text
from .base import Direction, DirectionError, StyleSpaceDirection, may_move
from .families.composition import averaged
from .files import names_a_file
from .layers import on_layers_only
from .library import DirectionLibrary

FORMAT = "sfe-recipe"
VERSION = 1


@dataclass(frozen=True)
class RecipeStep:
    """One step. direction: a name or a vector file, or several, to be averaged; layers: as `parse_layers`."""

    direction: str | tuple[str, ...]
    strength: float
    layers: str | tuple[int, ...] | None = None

    def __post_init__(self):
        names = self.names
        if not names or not all(isinstance(n, str) and n.strip() for n in names):
            raise DirectionError(f"A step's direction is {self.direction!r}; expected a name, or a list of names.")
        strength = self.strength
        if isinstance(strength, bool) or not isinstance(strength, int | float) or not math.isfinite(strength):
            raise DirectionError(f"The strength of step {names[0]!r} is {strength!r}; expected a finite number.")
        numbers = self.layers if isinstance(self.layers, tuple) else ()
        if not isinstance(self.layers, str | tuple | None) or any(type(n) is not int for n in numbers):
            raise DirectionError(f"The layers of step {names[0]!r} are {self.layers!r}; expected text or numbers.")

    @property
    def names(self) -> tuple[str, ...]:
        return self.direction if isinstance(self.direction, tuple) else (self.direction,)


@dataclass(frozen=True)
class Recipe:
    """Steps for pictures of one subject; None if the model that it was made with did not say what it shows."""

    subject: str | None
    steps: tuple[RecipeStep, ...]


def save_recipe(recipe: Recipe, path: Path | str) -> Path:
    """Write a recipe, through a temporary file; vector files below its folder are named relative to it."""
    path = Path(path)
    folder = path.resolve().parent

    def named(name: str) -> str:
        if not (names_a_file(name) and Path(name).is_file()):
            return name
        file = Path(name).resolve()
        return (file.relative_to(folder) if file.is_relative_to(folder) else file).as_posix()

    steps = []
    for step in recipe.steps:
        names = [named(name) for name in step.names]
        row = {
            "direction": names if isinstance(step.direction, tuple) else names[0],
            "strength": step.strength,
        }
        if step.layers is not None:
            row["layers"] = step.layers
        steps.append(row)
    text = json.dumps(
        {"format": FORMAT, "version": VERSION, "subject": recipe.subject, "steps": steps},
        indent=1,
        ensure_ascii=False,
    )
    with replaced(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def load_recipe(path: Path | str) -> Recipe:
    """Read a recipe; vector files get their full path. Raises DirectionError naming file and step."""
    path = Path(path)
    try:
        content = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise DirectionError(f"{path} cannot be read as a recipe: {error}.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DirectionError(f'{path} is no recipe; expected a JSON object with "format": "{FORMAT}".')
    if content.get("version") != VERSION:
        raise DirectionError(
            f"{path} is a recipe of version {content.get('version')!r}; this library reads version "
            f"{VERSION}. Update the library or write the recipe anew."
        )
    unknown = set(content) - {"format", "version", "subject", "steps"}
    if unknown or not isinstance(content.get("subject", ""), str | None) or not isinstance(content.get("steps"), list):
        raise DirectionError(f"{path} has {sorted(content)}; expected format, version, subject (text), steps (a list).")
    steps = []
    for number, row in enumerate(content["steps"], 1):
        try:
            steps.append(_read_step(row, path.resolve().parent))
        except DirectionError as error:
            raise DirectionError(f"{path}, step {number}: {error}") from error
    return Recipe(content.get("subject"), tuple(steps))


def _read_step(row: object, folder: Path) -> RecipeStep:
    if not isinstance(row, dict) or not {"direction", "strength"} <= set(row) <= {
        "direction",
        "strength",
        "layers",
    }:
        found = sorted(row) if isinstance(row, dict) else row
        raise DirectionError(f"it has {found!r}; expected direction, strength and, if need be, layers.")
    direction, layers = row["direction"], row.get("layers")
    names = direction if isinstance(direction, list) else [direction]
    names = tuple(str(folder / n) if isinstance(n, str) and (folder / n).is_file() else n for n in names)
    layers = tuple(layers) if isinstance(layers, list) else layers
    return RecipeStep(names if isinstance(direction, list) else names[0], row["strength"], layers)


def resolve(recipe: Recipe, library: DirectionLibrary) -> list[tuple[Direction, float]]:
    """Turn a recipe into directions with strengths, W+ steps first.

    Raises DirectionError for another subject, unknown names, files that do not fit, and layers that do not exist.
    """
    spec = library.spec
    if not may_move(recipe.subject, spec.subject):
        raise DirectionError(f"The recipe is for {recipe.subject}; {spec.name} shows {spec.subject}.")
    steps = []
    for step in recipe.steps:
        directions = [library.get(name) for name in step.names]
        direction = averaged(directions) if len(directions) > 1 else directions[0]
        steps.append((on_layers_only(direction, step.layers, spec.generator), step.strength))
    return sorted(steps, key=lambda s: isinstance(s[0], StyleSpaceDirection))
