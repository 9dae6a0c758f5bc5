"""The main job, in one command."""

from __future__ import annotations

from .photos import add_align_options
from .shared import OutputFolder, add_directions, add_model

# The people that are shown if nobody asks for another: drawn by the generator of photo, and rendered.
DRAWN_SEED, RENDERED_SEED = 3, 8


def add_commands(commands) -> None:
    """Add demo."""
    parser = commands.add_parser(
        "demo",
        help="invert a portrait and edit it in many ways",
        description="Invert a portrait, edit it in eight ways, with a mask, in two regions and as a sweep; write every "
        "picture and a contact sheet. The portrait is a person who does not exist, drawn by the model's generator, "
        "with details painted on that no code holds; with --photo the face of a photo; with --model demo, which needs "
        "no download, a rendered person.",
    )
    parser.add_argument("--output", required=True, type=OutputFolder, metavar="DIR")
    parser.add_argument("--photo", metavar="FILE", help="edit the face of this photo")
    parser.add_argument(
        "--seed", type=int, help=f"which person (default: {DRAWN_SEED}, of rendered ones {RENDERED_SEED})"
    )
    add_model(parser)
    add_directions(parser)
    add_align_options(parser)
    parser.set_defaults(run="demo:run_demo")
