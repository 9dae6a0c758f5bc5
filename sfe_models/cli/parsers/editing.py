"""Commands that work on a picture: edit, invert, sweep, mix."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ...choices import DELTA, MASK_ACTS_ON, PICTURE, REGIONS, SPACES
from .photos import add_align_options, add_paste_options
from .shared import OutputFile, OutputFolder, OutputPicture, add_directions, add_model


def add_commands(commands) -> None:
    """Add the four commands."""
    edit = commands.add_parser("edit", help="edit one portrait", description="Edit one portrait.")
    _add_picture(edit)
    edit.add_argument("--output", required=True, type=OutputPicture, metavar="OUT.png")
    add_steps(edit)
    add_mask(edit)
    add_paste_options(edit)
    edit.set_defaults(run="editing:run_edit")

    invert = commands.add_parser(
        "invert",
        help="invert one portrait",
        description="Invert one portrait and write what the model keeps of it.",
    )
    _add_picture(invert)
    invert.add_argument("--output", type=OutputPicture, metavar="OUT.png", help="the reconstruction")
    invert.add_argument(
        "--save-inversion",
        type=OutputFile,
        metavar="FILE.safetensors",
        help="keep the inversion; edit and sweep take it in place of PHOTO",
    )
    invert.set_defaults(run="editing:run_invert")

    sweep = commands.add_parser(
        "sweep",
        help="one direction, a range of strengths",
        description="Edit one portrait with a range of strengths: a contact sheet and single pictures.",
    )
    _add_picture(sweep)
    sweep.add_argument("--output", required=True, type=OutputFolder, metavar="FOLDER")
    sweep.add_argument("--direction", required=True, metavar="NAME")
    sweep.add_argument("--from", dest="first", type=float, help="first strength (default: the direction's range)")
    sweep.add_argument("--to", dest="last", type=float, help="last strength")
    sweep.add_argument("--steps", type=int, default=7)
    add_mask(sweep)
    sweep.set_defaults(run="editing:run_sweep")

    mix = commands.add_parser(
        "mix",
        help="one portrait with layers of another",
        description="Style mixing: one portrait with some layers of another's codes. Its details, F_k, stay.",
    )
    mix.add_argument("photo", metavar="A", help="the portrait that is changed, or an inversion kept by `invert`")
    mix.add_argument("other", metavar="B", help="the portrait that layers come from, or an inversion")
    mix.add_argument("--output", required=True, type=OutputPicture, metavar="OUT.png")
    mix.add_argument(
        "--layers",
        default="middle",
        help="coarse (pose, shape of face and hair), middle (features and colours), fine (light and shades), all, "
        "numbers and ranges: middle, 3, 9-11 (default: %(default)s)",
    )
    mix.add_argument("--alpha", type=_alpha, default=1.0, help="how far: 0 is A, 1 takes B's layers (default: 1)")
    mix.add_argument("--other-face", metavar="N", default="0", help="which face of B, from 0 (default: 0)")
    mix.set_defaults(run="mixing:run_mix", directions=None, tuned=None, no_colour_match=None)
    _add_model_and_faces(mix)
    add_inverting(mix)
    add_paste_options(mix, colour_match=False)


def _add_picture(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", metavar="PHOTO", help="a picture, or an inversion kept by `invert`")
    _add_model_and_faces(parser)
    add_directions(parser)
    add_inverting(parser)
    add_tuned(parser)


def _add_model_and_faces(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_align_options(parser)


def add_steps(parser: argparse.ArgumentParser) -> None:
    """Add --edit, --recipe and --save-recipe of pictures."""
    add_edits(parser, _edit, "several are chained; none gives the inversion")
    parser.add_argument(
        "--save-recipe", type=OutputFile, metavar="FILE.json", help="keep all steps, to be used by --recipe"
    )


def add_inverting(parser: argparse.ArgumentParser) -> None:
    """Add what brings an inversion closer to its photo, or takes the place of the encoders."""
    parser.add_argument(
        "--refine",
        type=_count,
        default=0,
        metavar="N",
        help="bring the inversion closer to the photo by N steps of optimisation; Ctrl-C ends it with the best so far",
    )
    parser.add_argument("--refine-w", action="store_true", help="let --refine move the code w too, not only F_k")
    parser.add_argument(
        "--optimise",
        type=_count,
        metavar="N",
        help="invert by N steps of optimisation in the place of the encoders, as a generator alone does by itself "
        "(then 120); Ctrl-C ends it with the best so far",
    )
    parser.add_argument(
        "--space",
        choices=SPACES,
        default=SPACES[-1],
        help="what --optimise moves: one code (w), one for each layer (w+), or those and then F_k (f, the default)",
    )


def add_tuned(parser: argparse.ArgumentParser) -> None:
    """Add --tuned."""
    parser.add_argument(
        "--tuned", metavar="FILE", help="the generator that `tune` made for this photo; --model is what it was made of"
    )


def _alpha(text: str) -> float:
    """Parse a number from 0 to 1."""
    try:
        if 0 <= (value := float(text)) <= 1:
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no share; expected a number from 0 to 1, such as 0.5")


def _count(text: str) -> int:
    """Parse a number of steps."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of steps; expected 0 or more, such as 30")
    return int(text)


def add_edits(parser: argparse.ArgumentParser, kind: Callable[[str], tuple], more: str) -> None:
    """Add --edit and --recipe. kind: reads one NAME=STRENGTH; more: what the help says further."""
    parser.add_argument(
        "--edit",
        dest="edits",
        nargs="+",
        action="extend",
        default=[],
        type=kind,
        metavar="NAME=STRENGTH",
        help=f"direction (a name or a vector file) and strength; {more}",
    )
    parser.add_argument("--recipe", metavar="FILE.json", help="steps kept by --save-recipe; they come before --edit")


def add_mask(parser: argparse.ArgumentParser) -> None:
    """Add what keeps an edit to a part of the picture."""
    parser.add_argument(
        "--mask",
        metavar="MASK.png",
        help="white where the picture may change (the published code's masks mean the opposite), drawn on the crop",
    )
    parser.add_argument(
        "--only", choices=REGIONS, metavar="REGION", help=f"a mask from the landmarks: {', '.join(REGIONS)}"
    )
    parser.add_argument(
        "--mask-acts-on",
        choices=MASK_ACTS_ON,
        default=PICTURE,
        help=f"{PICTURE}: outside of the mask nothing changes; {DELTA}: as in the paper, where colours and light do",
    )


def _edit(text: str) -> tuple[str, float]:
    """Parse NAME=STRENGTH."""
    name, sign, value = text.rpartition("=")
    try:
        if not (sign and name):
            raise ValueError
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=STRENGTH, such as age=5") from None
