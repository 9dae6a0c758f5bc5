"""Commands that train networks."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..directions.base import DirectionError
from ..directions.finding.side_effects import side_effects
from ..directions.library import DirectionLibrary
from ..precision import DEVICES, DTYPES, choose_device
from .directions_options import directions_folder, file_name, progress_bar, save_named

# The attributes whose directions come with the demo model.
DEMO_DIRECTIONS = (
    "smile mouth_open eyes_open glasses beard makeup age hair_colour hair_length fringe skin yaw pitch roundness "
    "brows light"
).split()

# Portraits of the first seeds, which training never draws, that the attribute network is measured on.
_HELD_OUT = 256


def add_commands(commands) -> None:
    """Add train."""
    parser = commands.add_parser(
        "train",
        help="train a network: gan, e4e, inverter, editor, attributes",
        description="Train one stage. A stage builds on the runs before it: e4e and inverter on --generator, editor on "
        "all of them and on directions. Stopped runs go on where they were. Start with torchrun for several GPUs.",
    )
    parser.add_argument("stage", choices=("gan", "e4e", "inverter", "editor", "attributes"))
    parser.add_argument("--config", required=True, metavar="NAME_OR_FILE", help="ffhq-1024, cars-512, demo, or JSON")
    parser.add_argument("--data", required=True, metavar="FOLDER|demo", help="pictures, or rendered portraits")
    parser.add_argument("--output", required=True, metavar="DIR")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="such as run.steps=100")
    for name, what in (
        ("start", "a run to take this stage's network from; gan: of a lower resolution too"),
        ("generator", "a run, or a file with a generator"),
        ("e4e", "a run, or a file with an e4e encoder"),
        ("inverter", "a run, or a file with an Inverter"),
        ("discriminator", "a run to take the discriminator from"),
    ):
        parser.add_argument(f"--{name}", metavar="RUN", help=what)
    parser.add_argument("--weights", default="weights", metavar="FOLDER", help="LPIPS, identity, attribute networks")
    parser.add_argument("--directions", action="append", default=[], metavar="FOLDER", help="editor: direction files")
    parser.add_argument("--cache", metavar="FOLDER", help="keep rendered portraits here for other runs")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--stop-after", type=int, metavar="STEPS", help="leave with a checkpoint after so many steps")
    parser.set_defaults(run=_run_train)

    parser = commands.add_parser(
        "assemble",
        help="join trained networks and directions into one bundle",
        description="Join training runs into a bundle that every other command loads.",
    )
    for name in ("generator", "e4e", "inverter"):
        parser.add_argument(f"--{name}", required=True, metavar="RUN")
    parser.add_argument("--editor", metavar="RUN", help="without it: the model of phase 1, which only moves w")
    parser.add_argument("--directions", metavar="FOLDER", help="direction files to put into the bundle")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="float32")
    parser.add_argument("--source", default="", help="one line on where the weights come from")
    parser.add_argument("--output", required=True, metavar="FILE.safetensors")
    parser.set_defaults(run=_run_assemble)

    parser = commands.add_parser(
        "attribute-directions",
        help="train the rendered domain's directions with an attribute network as the judge",
        description="Sample a generator, score the pictures with an attribute network, train an InterFaceGAN boundary "
        "for each attribute, measure its useful range and print what else it moves.",
    )
    parser.add_argument("--generator", required=True, metavar="RUN")
    parser.add_argument("--weights", required=True, metavar="FOLDER", help="with the attribute network")
    parser.add_argument("--attributes", nargs="+", default=list(DEMO_DIRECTIONS), metavar="NAME")
    parser.add_argument("--count", type=int, default=4000, help="samples (default: 4000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", required=True, metavar="FOLDER")
    parser.set_defaults(run=_run_attribute_directions)


def _run_train(options: argparse.Namespace) -> None:
    try:
        from ..training.config import override, to_json
        from ..training.presets import find_config
        from ..training.run_stage import Sources, run_stage
    except ModuleNotFoundError as error:
        raise ValueError(
            f"Training needs the package {error.name}; install the extra: pip install 'stylefeatureeditor[train]'."
        ) from error
    config = override(find_config(options.stage, options.config), options.set)
    print(to_json(config))
    sources = Sources(
        options.start,
        options.generator,
        options.e4e,
        options.inverter,
        options.discriminator,
        options.weights,
        tuple(options.directions),
    )
    device = choose_device(options.device)
    print(run_stage(config, options.data, Path(options.output), sources, device, options.cache, options.stop_after))


def _run_assemble(options: argparse.Namespace) -> None:
    from ..training.assemble import assemble, assemble_bundle
    from ..training.checkpoint import run_spec

    spec = run_spec(options.inverter)
    directions = []
    if options.directions:
        library = DirectionLibrary(spec, [options.directions])
        directions = [library.get(entry.info.name) for entry in library.entries if entry.own is not None]
    networks = assemble(spec, options.generator, options.e4e, options.inverter, options.editor)
    path = assemble_bundle(networks, options.output, DTYPES[options.dtype], directions, options.source)
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB, {len(directions)} directions)")


def _run_attribute_directions(options: argparse.Namespace) -> None:
    from ..demo.renderer import SMALLEST
    from ..generators.stylegan2.generator import StyleGAN2
    from ..perception.attribute_network import load_attribute_network
    from ..training.attribute_directions import attribute_directions, attribute_samples
    from ..training.attributes import explained_variance
    from ..training.checkpoint import load_network, run_spec
    from ..training.losses import find_attribute_network

    spec = run_spec(options.generator)
    generator = load_network(options.generator, "generator", StyleGAN2(spec.generator))
    network = load_attribute_network(find_attribute_network(options.weights))
    size = max(spec.generator.resolution, SMALLEST)
    for details in (False, True):
        r2 = explained_variance(network, range(_HELD_OUT), details, size)
        numbers = ", ".join(f"{name} {value:.2f}" for name, value in r2.items())
        print(
            f"R2 of the attribute network on held-out portraits {'with' if details else 'without'} details: {numbers}"
        )
    with progress_bar("sampling") as progress:
        samples = attribute_samples(generator, network, options.count, options.seed, progress)
    made, folder = [], directions_folder(options.output)
    for name in options.attributes:
        try:
            (direction,) = attribute_directions(generator, network, spec.subject, samples, [name])
        except DirectionError as error:
            print(f"{name}: rejected. {error}")
            continue
        low, high = direction.info.strength_range
        print(f"{name}: {low:g} to {high:g}, {direction.info.source}", flush=True)
        save_named(direction, folder / file_name(name))
        made.append(direction)
    if not made:
        raise DirectionError(f"None of {', '.join(options.attributes)} has a direction that moves it.")
    print(side_effects(made, samples).describe())
