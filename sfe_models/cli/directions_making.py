"""Actions of `directions` that make directions from a generator alone, or from scores of its samples."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ..directions.base import Direction
from ..directions.finding.boundaries import METHODS, conditional_direction, train_boundary
from ..directions.finding.pca import component_direction, w_components
from ..directions.finding.sampling import sample_w
from ..directions.finding.scored_samples import ScoredSamples, read_scores
from ..directions.finding.sefa import sefa
from ..directions.finding.side_effects import side_effects
from ..directions.layers import named_layers, parse_layers
from ..pictures.image_io import save_image
from .directions_options import (
    add_device,
    add_model_option,
    add_output_file,
    check_name,
    directions_folder,
    file_name,
    hint,
    model_generator,
    progress_bar,
    save_named,
    subject_of,
)

# Pictures, and codes, that the generator makes at once.
_PICTURES, _CODES = 8, 1024


def add_actions(actions, layers_help: str) -> list[argparse.ArgumentParser]:
    """Add discover, sample and train."""
    discover = actions.add_parser("discover", help="find directions without labels")
    add_model_option(discover)
    add_device(discover)
    discover.add_argument("--method", choices=("sefa", "ganspace"), default="sefa")
    discover.add_argument("--layers", help=layers_help)
    discover.add_argument("--count", type=int, default=10, help="how many, the strongest first (default: 10)")
    discover.add_argument("--samples", type=int, default=100_000, help="ganspace: codes to sample (default: 100000)")
    discover.add_argument("--seed", type=int, default=0, help="ganspace: seed of the codes")
    discover.add_argument("--output", default="directions", metavar="FOLDER", help="(default: directions)")
    discover.set_defaults(run=_run_discover)

    sample = actions.add_parser("sample", help="write numbered pictures to be scored for `train`")
    add_model_option(sample)
    add_device(sample)
    _add_samples(sample)
    sample.add_argument("--output", required=True, metavar="FOLDER")
    sample.set_defaults(run=_run_sample)

    train = actions.add_parser(
        "train",
        help="train a direction on scored samples (InterFaceGAN)",
        description="Train a direction on scores of the pictures that `sample` writes with the same --model, --count, "
        "--seed and --truncation.",
    )
    add_model_option(train)
    add_device(train)
    _add_samples(train)
    train.add_argument(
        "--scores", required=True, metavar="TABLE.csv", help="columns: index (the picture's number), then attributes"
    )
    train.add_argument("--attribute", required=True, help="the column to train on; the direction raises it")
    train.add_argument("--keep", nargs="+", default=[], metavar="ATTRIBUTE", help="columns that it must not move")
    train.add_argument("--fraction", type=float, default=0.02, help="share of samples on each side (default: 0.02)")
    train.add_argument("--method", choices=METHODS, default="logistic", help="svm needs scikit-learn")
    add_output_file(train)
    train.set_defaults(run=_run_train)
    return [discover, sample, train]


def _add_samples(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, required=True, help="number of samples")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--truncation", type=float, default=1.0, help="below 1 nearer to the mean (default: 1)")


def _run_discover(options: argparse.Namespace) -> None:
    generator, subject = model_generator(options), subject_of(options)
    layers = parse_layers(options.layers, generator.spec.n_styles)
    found: list[Direction] = []
    if options.method == "sefa":
        found += sefa(generator, subject, layers, options.count)
    else:
        if layers != tuple(range(layers[0], layers[-1] + 1)):
            raise ValueError(f"GANSpace components move one range of layers; --layers means {named_layers(layers)}.")
        with progress_bar("sampling") as progress:
            components = w_components(
                generator, options.count, options.samples, options.seed, _CODES, progress=progress
            )
        place = named_layers(layers).removeprefix("layers ") if len(layers) < generator.spec.n_styles else "all"
        for i in range(options.count):
            name, n = f"ganspace {place} {i}", generator.spec.n_styles
            found.append(component_direction(components, i, n, subject, layers[0], layers[-1] + 1, name=name))
    folder = directions_folder(options.output)
    for direction in found:
        path = folder / file_name(direction.info.name)
        save_named(direction, path)
    hint(path)


def _run_sample(options: argparse.Namespace) -> None:
    generator, folder = model_generator(options), Path(options.output)
    number = 0
    with progress_bar("drawing") as progress, torch.no_grad():
        for w in sample_w(generator, options.count, options.seed, _PICTURES, options.truncation):
            for picture in generator(generator.broadcast(w)):
                save_image(picture, folder / f"{number:06}.png")
                number += 1
            progress(number, options.count)
    print(f"{number} pictures in {folder}")
    print("Score them in a CSV table with the header `index,ATTRIBUTE,...`, then use `directions train` with")
    print(f"--count {options.count} --seed {options.seed} --truncation {options.truncation:g}")


def _run_train(options: argparse.Namespace) -> None:
    path, subject = Path(options.output), subject_of(options)
    check_name(path.stem, subject)
    scores, attributes = read_scores(options.scores, options.count)
    generator = model_generator(options)
    codes: list[torch.Tensor] = []
    with progress_bar("sampling") as progress:
        for w in sample_w(generator, options.count, options.seed, _CODES, options.truncation):
            codes.append(w.float().cpu())
            progress(sum(map(len, codes)), options.count)
    samples = ScoredSamples(torch.cat(codes), scores, attributes)

    boundaries = []
    for attribute in dict.fromkeys((options.attribute, *options.keep)):
        boundary = train_boundary(samples, attribute, subject, fraction=options.fraction, method=options.method)
        boundaries.append(boundary)
        print(
            f"{attribute}: {boundary.chosen} samples on each side, accuracy {boundary.train_accuracy:.3f} trained, "
            f"{boundary.validation_accuracy:.3f} held out"
        )
    direction = boundaries[0].direction
    others = [boundary.direction for boundary in boundaries[1:]]
    reported = [direction]
    if others:
        direction = conditional_direction(direction, others)
        reported.append(direction)
    print(side_effects(reported, samples).describe())
    save_named(direction, path)
    hint(path)
