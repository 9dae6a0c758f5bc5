"""The command `directions` with its actions."""

from __future__ import annotations

import argparse
import re

from ...checkpoints.places import PHOTO
from . import directions_from, directions_making
from .shared import LAYERS_HELP, OutputFolder, OutputPicture, add_device, add_directions, add_model_option


def add_commands(commands) -> None:
    """Add the command with its actions; without one it lists."""
    parser = commands.add_parser(
        "directions",
        help="what a model can be edited along, and ways to find more",
        description="List the directions for a model, with useful strengths and effects; or describe, fetch, find, "
        "train and draw directions, each with an action. Vectors that are made go to a folder named `directions`, "
        "where `edit --directions` finds them by name.",
    )
    parser.add_argument("--model", default=PHOTO, help=f"what to load, see below (default: {PHOTO})")
    add_directions(parser)
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    parser.set_defaults(run="directions:run_list")
    actions = parser.add_subparsers(title="actions", metavar="ACTION")

    describe = actions.add_parser("describe", help="say all that is known of one direction")
    describe.add_argument("name", metavar="NAME")
    add_model_option(describe)
    _add_folder(describe)
    describe.set_defaults(run="directions:run_describe")

    fetch = actions.add_parser("fetch", help="fetch the published vector files, once")
    fetch.add_argument(
        "--output", required=True, type=OutputFolder, metavar="FOLDER", help="serves as --directions afterwards"
    )
    fetch.add_argument("--text", action="store_true", help="also what text directions for FFHQ need besides CLIP")
    fetch.set_defaults(run="directions:run_fetch")

    traverse = actions.add_parser("traverse", help="draw what a direction does to samples of the generator")
    traverse.add_argument("name", metavar="NAME_OR_FILE")
    traverse.add_argument("--output", required=True, type=OutputPicture, metavar="OUT.png")
    add_model_option(traverse)
    _add_folder(traverse)
    add_device(traverse)
    traverse.add_argument("--seeds", type=_seeds, default=(0, 1, 2, 3), help="rows, such as 0-3 or 1,7 (default: 0-3)")
    traverse.add_argument("--from", dest="first", type=float, help="first strength (default: the direction's range)")
    traverse.add_argument("--to", dest="last", type=float, help="last strength")
    traverse.add_argument("--steps", type=int, default=7)
    traverse.add_argument("--layers", help=LAYERS_HELP)
    traverse.add_argument("--truncation", type=float, default=0.7, help="1: none (default: 0.7)")
    traverse.set_defaults(run="directions:run_traverse")

    directions_making.add_actions(actions)
    directions_from.add_actions(actions)


def _add_folder(parser: argparse.ArgumentParser) -> None:
    """Add --directions, which may stand before the action too."""
    parser.add_argument("--directions", default=argparse.SUPPRESS, metavar="FOLDER", help="folder with direction files")


def _seeds(text: str) -> tuple[int, ...]:
    """Parse seeds: numbers and ranges, ends included."""
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,9})(?:-(\d{1,9}))?\s*", part)
        if not found or found[2] and int(found[2]) < int(found[1]):
            raise argparse.ArgumentTypeError(f"'{text}' are no seeds, such as 0-3 or 1,7")
        seeds += range(int(found[1]), int(found[2] or found[1]) + 1)
    return tuple(seeds)
