"""The main job on the model that the package brings."""

from __future__ import annotations

from .shared import add_directions, add_model

DEFAULT_SEED = 8


def add_commands(commands) -> None:
    """Add demo."""
    parser = commands.add_parser(
        "demo",
        help="render a portrait, invert it and edit it in many ways",
        description="Render a portrait with details, invert it with the demo model, edit it in eight ways, with a "
        "mask, in two regions and as a sweep; write every picture and a contact sheet. Needs no download.",
    )
    parser.add_argument("--output", required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help=f"which person (default: {DEFAULT_SEED})")
    add_model(parser, default="demo")
    add_directions(parser)
    parser.set_defaults(run="demo:run_demo")
