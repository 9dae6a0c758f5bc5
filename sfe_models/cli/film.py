"""Edit one person of a film."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from torch import Tensor
from tqdm import tqdm

from ..directions.library import ModelSpec
from ..directions.recipe import load_recipe, resolve
from ..faces.errors import FaceError
from ..film.edit import edit_film, film_faces
from ..film.frames import FilmEdits, FilmOptions
from ..film.reading import opened
from ..inputs import InputError
from ..pictures.image_io import load_mask
from .common import direction_library, load_pipeline
from .photos import detector_for, landmark_lines, paste_ways


def run_film(options: argparse.Namespace) -> None:
    film_options, find = _options(options), film_finder(options)
    with opened(options.clip):
        pass  # said before the model is loaded
    pipeline = load_pipeline(options)
    edits = _edits(options, pipeline.spec)
    with tqdm(desc="looking for the face", leave=False) as bar:

        def progress(stage: str, done: int, frames: int) -> None:
            if bar.desc != f"{stage}: ":
                bar.reset()
                bar.set_description(stage)
            bar.total = frames or None
            bar.update()

        done = edit_film(pipeline, options.clip, options.output, edits, find, film_options, progress)
    print(options.output)
    print(f"{done.edited} of {done.frames} frames edited, {done.shots} shots, {done.seconds:.1f} s")


def _options(options: argparse.Namespace) -> FilmOptions:
    """Read the options of a film. Raises FaceError, ImageError or InputError."""
    if options.no_align:
        raise InputError("A film's face is found in every frame; leave --no-align out.")
    if options.paste is False or options.no_face:
        raise InputError("A film is written whole, and frames without the face pass; leave --no-paste, --no-face out.")
    face = options.face or "0"
    if not face.isdecimal():
        raise InputError(f"--face is {face!r}; a film follows one person: give a number from 0 on.")
    over_time = {name: getattr(options, name) for name in ("smoothing", "crop_smoothing")}
    return FilmOptions(
        face=int(face),
        order=options.order,
        paste=paste_ways(options),
        mask=load_mask(options.mask) if options.mask else None,
        only=options.only,
        mask_acts_on=options.mask_acts_on,
        codec=options.codec,
        quality=options.quality,
        **{name: value for name, value in over_time.items() if value is not None},
    )


def _edits(options: argparse.Namespace, spec: ModelSpec) -> FilmEdits:
    """The steps of --recipe, which hold throughout, then those of --edit."""
    library = direction_library(options, spec)
    kept = resolve(load_recipe(options.recipe), library) if options.recipe else []
    return [*kept, *((library.get(name), keys) for name, keys in options.edits)]


def film_finder(options: argparse.Namespace) -> Callable[[Tensor], Sequence[Tensor]]:
    """What finds the faces of a frame: --detector, or the lines of --landmarks."""
    if not options.landmarks:
        return film_faces(detector_for(options))
    lines = iter(landmark_lines(options.landmarks))

    def find(picture: Tensor) -> Sequence[Tensor]:
        found = next(lines, None)
        if found is None:
            raise FaceError(f"{options.landmarks} has fewer lines than the film has frames; give one for each.")
        return found

    return find
