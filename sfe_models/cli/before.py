"""What a command on a photo can tell before its model is loaded: files that are not there, outputs that cannot be."""

from __future__ import annotations

import argparse
from pathlib import Path

from torch import Tensor

from ..atomic import check_writable
from ..batch.storage import is_address
from ..checkpoints.containers import sniff
from ..directions.files import VECTOR_SUFFIXES
from ..directions.library import check_directions_folder
from ..film.formats import film_format
from ..inputs import InputError
from ..pictures.image_io import check_photo_fits, check_picture, load_mask, picture_format
from .parsers.shared import OutputFile, OutputFilm, OutputFolder, OutputPicture, OutputVector
from .photos import detector_for, face_number, given_landmarks

# What only --paste reads; nothing else writes a photo.
_OF_PASTING = ("region", "feather", "no_colour_match", "blend", "no_face")


def check_outputs(options: argparse.Namespace) -> None:
    """Check what a command will write, by the types that its parser gave.

    Raises FilmError, ImageError, InputError or OSError.
    """
    for name, path in vars(options).items():
        if isinstance(path, OutputPicture):
            picture_format(path)
        if isinstance(path, OutputFilm):
            film_format(path, options.codec, options.quality)
        if isinstance(path, OutputVector) and Path(path).suffix not in VECTOR_SUFFIXES:
            raise InputError(f"--{name} is {path}; give a name that ends in {' or '.join(VECTOR_SUFFIXES)}.")
        if isinstance(path, OutputFile):
            check_writable(path)
        elif isinstance(path, OutputFolder) and not is_address(path):
            check_writable(Path(path) / "any")


def check_before(options: argparse.Namespace) -> None:
    """Check PHOTO and what goes with it, and decide on --paste if nothing was said of it.

    Raises FaceError, ImageError, InputError or OSError.
    """
    if options.paste is None:
        options.paste = not (options.no_align or is_inversion(Path(options.photo)))
    check_options(options)
    photo = Path(options.photo)
    if is_inversion(photo):
        if options.paste:
            raise InputError("--paste needs the photo; an inversion does not keep it.")
        for name in ("refine", "optimise", "tuned"):
            if getattr(options, name):
                raise InputError(f"--{name} needs the photo; an inversion does not keep it. Give PHOTO itself.")
        return
    check_picture(photo)
    if not options.no_align:
        face_number(options)
        if options.landmarks:
            given_landmarks(options.landmarks)
        else:
            detector_for(options)
    if options.paste and not options.no_align:
        check_photo_fits(photo, options.output)


def check_options(options: argparse.Namespace) -> None:
    """Refuse options that would be passed over without a word, and folders that are not there."""
    if not options.paste:
        without = {"--" + name.replace("_", "-"): getattr(options, name, None) for name in _OF_PASTING}
        if given := [flag for flag, value in without.items() if value not in (None, False)]:
            raise InputError(f"{' and '.join(given)} only matter with --paste; leave --no-paste, or these, out.")
    if options.paste and options.no_align:
        raise InputError("--paste needs the photo that the crop comes from; leave --no-align out.")
    if options.no_align and (options.landmarks or options.face not in (None, "0")):
        raise InputError("--landmarks and --face look for a face in a photo; leave them out, or leave --no-align out.")
    if options.tuned and (options.refine or options.optimise is not None):
        raise InputError("--tuned has its inversion; leave --refine and --optimise out.")
    if options.refine_w and not options.refine:
        raise InputError("--refine-w only matters with --refine N; add it, or leave --refine-w out.")
    if options.directions:
        check_directions_folder(options.directions)


def given_mask(options: argparse.Namespace) -> Tensor | None:
    """Read --mask, and check what goes with --only. Raises ImageError or InputError."""
    if options.mask and options.only:
        raise InputError("Both --mask and --only are given; choose one.")
    if options.only and (options.no_align or (options.photo and is_inversion(Path(options.photo)))):
        raise InputError("--only needs the landmarks of a photo: give a photo in place of an inversion or a crop.")
    return load_mask(options.mask) if options.mask else None


def is_inversion(path: Path) -> bool:
    """Whether PHOTO is a kept inversion, by its content."""
    return path.is_file() and sniff(path).kind == "safetensors"
