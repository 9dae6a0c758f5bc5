"""The command `directions` and the actions that look: list, describe, fetch, traverse."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import asdict

from ..checkpoints.load import read_spec
from ..checkpoints.published import download_vectors
from ..directions.base import Direction, evenly_spaced
from ..directions.families.ganspace import GANSpaceDirection
from ..directions.families.linear import LinearDirection
from ..directions.families.stylespace import StyleChannelsDirection, StyleOffsetDirection
from ..directions.finding.traversal import seed_codes, traversal, traversal_picture
from ..directions.layers import LEVELS, on_layers_only
from ..directions.library import BareGenerator
from ..pictures.image_io import save_image
from . import directions_from, directions_making
from .common import add_directions, direction_library
from .directions_options import add_device, add_model_option, model_generator, spec_of, subject_of

LAYERS_HELP = f"{', '.join(LEVELS)}, numbers and ranges: coarse,5,9-11 (default: all)"


def add_commands(commands) -> None:
    """Add the command with its actions; without one it lists."""
    parser = commands.add_parser(
        "directions",
        help="what a model can be edited along, and ways to find more",
        description="List the directions for a model, with useful strengths and effects; or describe, fetch, find, "
        "train and draw directions, each with an action. Vectors that are made go to a folder named `directions`, "
        "where `edit --directions` finds them by name.",
    )
    parser.add_argument("--model", help="what to load, see below")
    add_directions(parser)
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    parser.set_defaults(run=_needing_model(parser, _run_list))
    actions = parser.add_subparsers(title="actions", metavar="ACTION")

    describe = actions.add_parser("describe", help="say all that is known of one direction")
    describe.add_argument("name", metavar="NAME")
    add_model_option(describe)
    _add_folder(describe)
    describe.set_defaults(run=_needing_model(describe, _run_describe))

    fetch = actions.add_parser("fetch", help="fetch the published vector files, once")
    fetch.add_argument("--output", required=True, metavar="FOLDER", help="serves as --directions afterwards")
    fetch.add_argument("--text", action="store_true", help="also what text directions for FFHQ need besides CLIP")
    fetch.set_defaults(run=_run_fetch)

    traverse = actions.add_parser("traverse", help="draw what a direction does to samples of the generator")
    traverse.add_argument("name", metavar="NAME_OR_FILE")
    traverse.add_argument("--output", required=True, metavar="OUT.png")
    add_model_option(traverse)
    _add_folder(traverse)
    add_device(traverse)
    traverse.add_argument("--seeds", type=_seeds, default=(0, 1, 2, 3), help="rows, such as 0-3 or 1,7 (default: 0-3)")
    traverse.add_argument("--from", dest="first", type=float, help="first strength (default: the direction's range)")
    traverse.add_argument("--to", dest="last", type=float, help="last strength")
    traverse.add_argument("--steps", type=int, default=7)
    traverse.add_argument("--layers", help=LAYERS_HELP)
    traverse.add_argument("--truncation", type=float, default=0.7, help="1: none (default: 0.7)")
    traverse.set_defaults(run=_needing_model(traverse, _run_traverse))

    for group in (directions_making, directions_from):
        for action in group.add_actions(actions, LAYERS_HELP):
            action.set_defaults(run=_needing_model(action, action.get_default("run")))


def _needing_model(parser: argparse.ArgumentParser, run):
    """Make --model a required option that may stand before the action or after it."""

    def checked(options: argparse.Namespace) -> None:
        if options.model is None:
            parser.error("the following arguments are required: --model")
        run(options)

    return checked


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


def _run_list(options: argparse.Namespace) -> None:
    library = direction_library(options, read_spec(options.model))
    if options.json:
        rows = [asdict(e.info) | {"available": library.available(e)} for e in library.entries]
        print(json.dumps(rows, indent=1))
        return
    if not library.entries:
        print(f"No directions are known for {library.spec.subject or library.spec.name}.")
    for entry in library.entries:
        info = entry.info
        span = "{:g} to {:g}".format(*info.strength_range) if info.strength_range else "-"
        missing = "" if library.available(entry) else f"  [needs {entry.file}]"
        print(f"{info.name:18} {info.family:17} {span:14} {info.effect}{missing}")


def _run_describe(options: argparse.Namespace) -> None:
    library = direction_library(options, spec_of(options))
    entry = library.entry(options.name)
    info = entry.info
    span = "{:g} to {:g}".format(*info.strength_range) if info.strength_range else "unknown"
    rows = {"name": info.name, "family": info.family, "subject": info.subject or "unknown", "strengths": span}
    rows |= {"effect": info.effect or "unknown", "source": info.source}
    if not library.available(entry):
        rows["file"] = f"{entry.file}, not found; `directions fetch` gets the published vectors"
    else:
        rows["file"] = str(library.find(entry)) if entry.file else "none needed"
        rows["acts on"] = _acts_on(library.get(options.name))
    for key, value in rows.items():
        print(f"{key:10} {value}")


def _acts_on(direction: Direction) -> str:
    """Say in which space a direction moves codes, and where."""
    if isinstance(direction, LinearDirection):
        rows = direction.vector.any(dim=1)
        if len(rows) == 1:
            return "W+, all layers alike"
        return "W+, layers " + ", ".join(str(i) for i in rows.nonzero()[:, 0].tolist())
    if isinstance(direction, GANSpaceDirection):
        return f"W+, layers {direction.first_layer} to {direction.end_layer - 1}; sets a coordinate, 0 is the mean"
    if isinstance(direction, StyleChannelsDirection):
        return "style space, " + ", ".join(f"channel {c} of convolution {i}" for i, c in direction.channels)
    if isinstance(direction, StyleOffsetDirection):
        offsets = (*direction.convs, *direction.rgbs)
        return f"style space, {sum(int(t.count_nonzero()) for t in offsets)} of {sum(map(len, offsets))} channels"
    return repr(direction)


def _run_fetch(options: argparse.Namespace) -> None:
    for path in download_vectors(options.output, options.text):
        print(path)


def _run_traverse(options: argparse.Namespace) -> None:
    if options.steps < 1:
        raise ValueError(f"--steps is {options.steps}; expected at least 1.")
    generator = model_generator(options)
    library = direction_library(options, BareGenerator(str(options.model), generator.spec, subject_of(options)))
    direction = on_layers_only(library.get(options.name), options.layers, generator.spec.n_styles)
    span = direction.info.strength_range or (None, None)
    first = span[0] if options.first is None else options.first
    last = span[1] if options.last is None else options.last
    if first is None or last is None:
        raise ValueError(f"'{options.name}' has no known range; give --from and --to.")
    strengths = evenly_spaced(first, last, options.steps)
    grid = traversal(generator, direction, strengths, seed_codes(generator, options.seeds, options.truncation))
    print(save_image(traversal_picture(grid, strengths, direction.info.name), options.output))
