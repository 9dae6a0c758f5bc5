"""What works on a picture: edit, invert, sweep."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

from ..directions.base import evenly_spaced
from ..directions.recipe import Recipe, RecipeStep, load_recipe, resolve, save_recipe
from ..faces.mask.regions import region_masks
from ..file_names import file_name
from ..inputs import InputError
from ..inversion_file import save_inversion
from ..pictures.contact_sheet import contact_sheet
from ..pictures.image_io import save_image, save_photo
from .before import check_before, given_mask
from .common import direction_library
from .inverting import inverted, load_edited
from .photos import Crops, paste_crops


def mask_of(given: Tensor | None, options: argparse.Namespace, crops: Crops | None) -> Tensor | None:
    """The mask of --mask, which was read before, or of --only: [F,H,W]."""
    return region_masks(crops.aligned.faces, options.only) if options.only else given


def recipe_of(options: argparse.Namespace) -> Recipe:
    """The steps of --recipe, then those of --edit."""
    kept = load_recipe(options.recipe) if options.recipe else Recipe(None, ())
    given = (RecipeStep(name, strength) for name, strength in options.edits)
    recipe = Recipe(kept.subject, (*kept.steps, *given))
    if options.save_recipe and not recipe.steps:
        raise InputError("There are no steps to keep: give --edit with --save-recipe.")
    return recipe


def _bar(total: int, description: str) -> tqdm:
    return tqdm(total=total, desc=description, leave=False)


def run_edit(options: argparse.Namespace) -> None:
    check_before(options)
    given, recipe = given_mask(options), recipe_of(options)
    with _bar(3, "loading") as bar:
        model = load_edited(options)
        pipeline = model.pipeline
        library = direction_library(options, pipeline.spec)
        if not options.recipe:
            recipe = replace(recipe, subject=pipeline.spec.subject)
        steps = resolve(recipe, library)
        bar.update()
        bar.set_description("inverting")
        inversion, crops = inverted(options, model)
        mask = mask_of(given, options, crops)
        bar.update()
        bar.set_description("editing")
        image = pipeline.edit(inversion, steps, mask, options.mask_acts_on)
        bar.update()
    if options.paste:
        print(save_photo(paste_crops(crops, image, options), options.output))
    else:
        print(save_image(image[0], options.output))
    if options.save_recipe:
        print(save_recipe(recipe, options.save_recipe))


def run_invert(options: argparse.Namespace) -> None:
    if not (options.output or options.save_inversion):
        raise InputError("Nothing to write: give --output, --save-inversion or both.")
    check_before(options)
    with _bar(3, "loading") as bar:
        model = load_edited(options)
        pipeline = model.pipeline
        bar.update()
        bar.set_description("inverting")
        inversion, _ = inverted(options, model)
        bar.update()
        if options.save_inversion:
            save_inversion(inversion, options.save_inversion)
        if options.output:
            save_image(pipeline.edit(inversion)[0], options.output)
        bar.update()
    for path in filter(None, (options.output, options.save_inversion)):
        print(path)


def run_sweep(options: argparse.Namespace) -> None:
    if options.steps < 1:
        raise InputError(f"--steps is {options.steps}; expected at least 1.")
    check_before(options)
    given = given_mask(options)
    with _bar(options.steps + 2, "loading") as bar:
        model = load_edited(options)
        pipeline = model.pipeline
        direction = direction_library(options, pipeline.spec).get(options.direction)
        span = direction.info.strength_range
        first = options.first if options.first is not None else span[0] if span else None
        last = options.last if options.last is not None else span[1] if span else None
        if first is None or last is None:
            raise InputError(f"'{options.direction}' has no known range; give --from and --to.")
        bar.update()
        bar.set_description("inverting")
        inversion, crops = inverted(options, model)
        mask = mask_of(given, options, crops)
        bar.update()
        bar.set_description("editing")
        strengths = evenly_spaced(first, last, options.steps)
        images = pipeline.sweep(inversion, direction, strengths, mask, options.mask_acts_on)[0]
        folder = Path(options.output)
        name = file_name(direction.info.name)
        for strength, image in zip(strengths, images, strict=True):
            save_image(image, folder / f"{name}_{strength:+g}.png")
            bar.update()
    labels = [f"{direction.info.name} {s:+g}" for s in strengths]
    print(save_image(contact_sheet(list(images), labels), folder / "sheet.png"))
