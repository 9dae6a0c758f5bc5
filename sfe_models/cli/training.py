"""Commands that train networks."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..checkpoints.bundle import bundle_attached
from ..checkpoints.load import model_path
from ..demo.renderer import SMALLEST
from ..directions.base import DirectionError
from ..directions.files import attached, bundle_directions
from ..directions.finding.side_effects import side_effects
from ..directions.library import DirectionLibrary
from ..file_names import file_name
from ..generators.stylegan2.generator import StyleGAN2
from ..gradual.files import BASES, save_gradual
from ..perception.attribute_network import load_attribute_network
from ..precision import DTYPES, choose_device
from ..training.assemble import assemble, assemble_bundle, assemble_encoders, assemble_gradual
from ..training.attribute_directions import attribute_directions, attribute_samples
from ..training.attributes import explained_variance
from ..training.checkpoint import load_network, run_spec
from ..training.config_files import override, to_json
from ..training.losses import find_attribute_network
from ..training.presets import find_config
from ..training.run_stage import Sources, run_stage
from .directions_options import directions_folder, progress_bar, save_named

# Portraits of the first seeds, which training never draws, that the attribute network is measured on.
_HELD_OUT = 256


def run_train(options: argparse.Namespace) -> None:
    config = override(find_config(options.stage, options.config), options.set)
    print(to_json(config))
    sources = Sources(
        options.start,
        options.generator,
        options.e4e,
        options.inverter,
        options.discriminator,
        options.backbone,
        options.weights,
        tuple(options.directions),
    )
    device = choose_device(options.device)
    print(run_stage(config, options.data, Path(options.output), sources, device, options.cache, options.stop_after))


def run_assemble(options: argparse.Namespace) -> None:
    trained = options.gradual or options.inverter
    if not trained or bool(options.gradual) == bool(options.inverter or options.editor):
        raise ValueError("assemble takes --inverter, with --editor, or --gradual alone; give one of them.")
    spec = run_spec(trained)
    runs = options.generator, options.e4e, options.inverter, options.editor
    if options.without_generator:
        if options.directions or options.gradual:
            raise ValueError("Encoders without a generator bring no directions; leave out --directions and --gradual.")
        path = assemble_encoders(spec, *runs, options.output, DTYPES[options.dtype], options.source)
        print(f"{path} ({path.stat().st_size / 1e6:.1f} MB, without the generator)")
        return
    directions = []
    if options.directions:
        library = DirectionLibrary(spec, [options.directions])
        directions = library.own()
    dtype = DTYPES[options.dtype]
    if options.gradual:
        networks = assemble_gradual(options.gradual, options.generator, options.e4e).cast(dtype)
        base = options.generator if options.generator == options.e4e and options.generator in BASES else ""
        held = bundle_attached(model_path(base)) if base and not directions else attached(directions)
        path = save_gradual(networks, options.output, options.source, held, base)
    else:
        networks = assemble(spec, *runs)
        path = assemble_bundle(networks, options.output, dtype, directions, options.source)
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB, {len(bundle_directions(path))} directions)")


def run_attribute_directions(options: argparse.Namespace) -> None:
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
        save_named(direction, folder / f"{file_name(name)}.safetensors")
        made.append(direction)
    if not made:
        raise DirectionError(f"None of {', '.join(options.attributes)} has a direction that moves it.")
    print(side_effects(made, samples).describe())
