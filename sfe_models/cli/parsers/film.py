"""The command that works on a film."""

from __future__ import annotations

import argparse

from ...film.formats import CODECS
from ...film.key_frames import KeyFrames, parse_key_frames
from .editing import add_edits, add_mask
from .photos import add_align_options, add_paste_options
from .shared import OutputFilm, add_directions, add_model


def add_commands(commands) -> None:
    """Add the command."""
    film = commands.add_parser(
        "film",
        help="edit one person of a film",
        description="Edit one person of a film, without flicker. Sound and times stay as they are; frames without the "
        "face are passed through. Edit your own films, or those of people who said yes.",
    )
    film.add_argument("clip", metavar="CLIP", help="a film, such as clip.mp4")
    film.add_argument("--output", required=True, type=OutputFilm, metavar="OUT.mp4", help=".mp4, .mov, .mkv or .webm")
    add_edits(film, _edit, "over time as STRENGTH@TIME: age=0@0s,5@4s is in a straight line from 0 to 5")
    add_model(film)
    add_directions(film)
    add_align_options(film)
    group = film.add_argument_group("over time")
    group.add_argument(
        "--smoothing",
        type=float,
        metavar="FRAMES",
        help="over how many frames the codes are smoothed; 0 edits every frame by itself (default: 2)",
    )
    group.add_argument("--crop-smoothing", type=float, metavar="FRAMES", help="and the crop's place (default: 6)")
    group = film.add_argument_group("the file that is written")
    group.add_argument(
        "--codec", choices=sorted(CODECS), help="default: what OUT's suffix usually holds; ffv1 (.mkv) loses nothing"
    )
    group.add_argument("--quality", type=int, metavar="CRF", help="smaller is better and larger (default: h264 16)")
    add_mask(film)
    add_paste_options(film)
    film.set_defaults(run="film:run_film")


def _edit(text: str) -> tuple[str, KeyFrames]:
    """Parse NAME=STRENGTH or NAME=STRENGTH@TIME,..."""
    name, sign, value = text.rpartition("=")
    if not (sign and name):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=STRENGTH, such as age=5 or age=0@0s,5@4s")
    try:
        return name, parse_key_frames(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{name}: {error}") from None
