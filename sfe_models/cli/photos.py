"""Options and steps of commands that take a photo: find the face, cut it out, paste it back."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..checkpoints.places import models_folder
from ..choices import ERROR, PASS
from ..domain import DomainSpec
from ..faces.crop.appearance import warn_if_not_aligned
from ..faces.crop.batch import AlignedFaces, crop_faces
from ..faces.errors import FaceError
from ..faces.find.detectors import LandmarkDetector, find_faces, load_detector
from ..faces.find.people import align_photos
from ..faces.landmarks import parse_landmarks
from ..faces.paste.face import PasteOptions, paste_into
from ..inputs import InputError
from ..pictures.image_io import Photo, load_crop, load_photo
from ..precision import choose_device
from ..text_files import read_text

_OWN_CROP = "If PHOTO is an aligned crop already, give --no-align."


@dataclass(frozen=True, eq=False)
class Crops:
    """Crops [F,3,H,W] in [-1,1] for a model, and where they come from; photo and aligned: None for a crop."""

    pictures: Tensor
    photo: Photo | None = None
    aligned: AlignedFaces | None = None

    def __len__(self) -> int:
        """How many faces there are to edit: none in a photo that is passed through without one."""
        return len(self.pictures) if self.aligned is None else sum(face.found for face in self.aligned.faces)


def load_crops(path: Path, options: argparse.Namespace, spec: DomainSpec) -> Crops:
    """Read a photo and align the faces that the options name; with --no-align read a crop.

    Raises FaceError, ImageError or InputError.
    """
    if options.no_align:
        if options.paste:
            raise InputError("--paste needs the photo that the crop comes from; leave --no-align out.")
        picture = load_crop(path, spec)
        warn_if_not_aligned(picture, spec.subject)
        return Crops(picture)
    face = face_number(options)
    photo = load_photo(path)
    no_face = PASS if options.no_face == "pass" else ERROR
    try:
        found = [_landmarks(photo, options)]
        aligned = align_photos(found, photo.size, spec.picture_size, face, options.order, no_face)
    except FaceError as error:
        raise FaceError(f"{path}: {error} {_OWN_CROP}") from error
    crops, _ = crop_faces(photo.pixels[None], aligned)
    return Crops((crops / 127.5 - 1).clamp(-1, 1), photo, aligned)


def paste_crops(crops: Crops, edited: Tensor, options: argparse.Namespace) -> Photo:
    """Bring edited crops [F,3,H,W] in [-1,1] back into their photo, one after the other."""
    pixels, ways = crops.photo.pixels.clone(), paste_ways(options)
    for face, picture in zip(crops.aligned.faces, edited, strict=True):
        picture = ((picture.float().cpu() + 1) * 127.5).clamp(0, 255)
        paste_into(pixels, picture, face, options=ways)
    return crops.photo.with_pixels(pixels)


def paste_ways(options: argparse.Namespace) -> PasteOptions:
    """How crops go back, by the options. Raises FaceError."""
    given = {name: getattr(options, name) for name in ("feather", "region", "blend")}
    ways = {name: value for name, value in given.items() if value is not None}
    return PasteOptions(colour_match=not options.no_colour_match, **ways)


def _landmarks(photo: Photo, options: argparse.Namespace) -> list[Tensor]:
    """The faces of the photo: of --landmarks, or found by --detector."""
    if options.landmarks:
        return given_landmarks(options.landmarks)
    return find_faces(photo.pixels, detector_for(options))


def detector_for(options: argparse.Namespace) -> LandmarkDetector:
    """Load --detector, once for a command; its file is fetched if it is not there. Raises FaceError."""
    if not hasattr(options, "loaded_detector"):
        device = choose_device(options.device)
        device = device if device.type == "cuda" else "cpu"  # the detector is too small to gain from others
        options.loaded_detector = load_detector(options.detector, face_folders(options), device)
    return options.loaded_detector


def face_folders(options: argparse.Namespace) -> list[Path]:
    """Where a detector's file is looked for, and fetched to (the first)."""
    return [Path(options.face_models)] if options.face_models else [models_folder(), Path("models")]


def landmark_lines(file: Path | str) -> list[list[Tensor]]:
    """Read --landmarks: the faces of each line. Raises FaceError."""
    try:
        return parse_landmarks(read_text(file))
    except OSError as error:
        raise FaceError(f"The landmarks {file} cannot be read ({error.strerror}); give a text file.") from error
    except ValueError as error:
        raise FaceError(f"The landmarks {file} cannot be read: {error}") from error


def given_landmarks(file: Path | str) -> list[Tensor]:
    """Read --landmarks: the faces of one photo. Raises FaceError."""
    lines = landmark_lines(file)
    if len(lines) != 1:
        raise FaceError(
            f"{file} has landmarks of {len(lines)} photos; expected one line, faces parted by semicolons, or a "
            "lone semicolon for a photo without a face."
        )
    return lines[0]


def face_number(options: argparse.Namespace) -> int:
    """Read --face of a photo: a number, or -1 for all. Raises InputError."""
    text = options.face or "0"
    if text == "all":
        if not options.paste:
            raise InputError(
                "--face all gives several crops, which only `edit` pastes back into one photo; name one face, or leave "
                "--no-paste out."
            )
        return -1
    if not text.isdecimal():
        raise InputError(f"--face is {text!r}; expected a number from 0 on, or all.")
    return int(text)
