"""Options that several commands share."""

from __future__ import annotations

import argparse

from ...checkpoints.places import PHOTO
from ...choices import DEVICES, DTYPE_NAMES

LAYERS_HELP = "coarse, medium, fine, numbers and ranges: coarse,5,9-11 (default: all)"


class OutputFile(str):
    """The path of a file that a command will write, checked before it works; see `before.check_outputs`."""


class OutputPicture(OutputFile):
    """That of a picture."""


class OutputVector(OutputFile):
    """That of a direction's vector."""


class OutputFilm(OutputFile):
    """That of a film."""


class OutputFolder(str):
    """The path of a folder that a command will write into."""


def positive(text: str) -> int:
    """Parse a whole number from 1 on."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on, such as 200")
    return int(text)


def add_model(parser: argparse.ArgumentParser, default: str | None = PHOTO, said: str | None = None) -> None:
    """Add --model, --dtype and --device. said: the default in words, if it depends on something."""
    parser.add_argument("--model", default=default, help=f"what to load, see below (default: {said or default})")
    parser.add_argument(
        "--dtype",
        choices=("auto", *DTYPE_NAMES),
        default="auto",
        help="auto takes the fastest that the device computes natively",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto")


def add_directions(parser: argparse.ArgumentParser) -> None:
    """Add --directions."""
    parser.add_argument(
        "--directions",
        metavar="FOLDER",
        help="folder with direction files (such as the published `editings`)",
    )


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """Add --model, which may stand before the action too, and --subject."""
    parser.add_argument("--model", default=argparse.SUPPRESS, help="a model, or any file with a generator")
    parser.add_argument("--subject", help="what the generator shows, such as 'cats' (default: the model's)")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add --device."""
    parser.add_argument("--device", choices=DEVICES, default="auto")


def add_output_file(parser: argparse.ArgumentParser) -> None:
    """Add --output for one vector."""
    parser.add_argument(
        "--output",
        required=True,
        type=OutputVector,
        metavar="FILE.safetensors",
        help="its name becomes the direction's; in a folder named directions, edit finds it by that name",
    )
