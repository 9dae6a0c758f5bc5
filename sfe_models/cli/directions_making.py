"""Making directions from a generator alone, or from scores of its samples."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from ..choices import REGRESSION
from ..directions.base import Direction, DirectionError
from ..directions.finding.boundaries import BoundaryTraining, conditional_direction, train_boundary
from ..directions.finding.pca import component_direction, w_components
from ..directions.finding.regression import train_regression
from ..directions.finding.sampling import sample_w
from ..directions.finding.scored_samples import ScoredSamples, read_scores
from ..directions.finding.sefa import sefa
from ..directions.finding.side_effects import side_effects
from ..directions.layers import LEVELS, named_layers, parse_layers, standing_for
from ..file_names import file_name
from ..generators.base import Generator, GeneratorSpec
from ..pictures.image_io import save_image
from .directions_options import (
    check_name,
    directions_folder,
    hint,
    mixed_codes,
    model_generator,
    progress_bar,
    save_named,
    subject_of,
)

# Pictures, and codes, that the generator makes at once.
_PICTURES, _CODES = 8, 1024


def run_discover(options: argparse.Namespace) -> None:
    generator, subject = model_generator(options), subject_of(options)
    layers = parse_layers(options.layers, generator.spec)
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
        path = folder / f"{file_name(direction.info.name)}.safetensors"
        save_named(direction, path)
    hint(path)


def run_sample(options: argparse.Namespace) -> None:
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


def run_train(options: argparse.Namespace) -> None:
    path, subject = Path(options.output), subject_of(options)
    check_name(path.stem, subject)
    scores, attributes = read_scores(options.scores, options.count)
    generator = model_generator(options)
    samples = ScoredSamples(_codes(generator, options), scores, attributes, generator.fingerprint())
    if options.method == REGRESSION:
        direction = _by_regression(samples, options, subject, generator.spec)
    else:
        direction = _by_boundary(samples, options, subject)
    save_named(direction, path)
    hint(path)


def _codes(generator: Generator, options: argparse.Namespace) -> torch.Tensor:
    """Draw the codes of the samples again: [n,D], or of --mixed [n,N,D]."""
    if options.mixed:
        return mixed_codes(generator, options)
    codes: list[torch.Tensor] = []
    with progress_bar("sampling") as progress:
        for w in sample_w(generator, options.count, options.seed, _CODES, options.truncation):
            codes.append(w.float().cpu())
            progress(sum(map(len, codes)), options.count)
    return torch.cat(codes)


def _by_regression(
    samples: ScoredSamples, options: argparse.Namespace, subject: str | None, spec: GeneratorSpec
) -> Direction:
    if options.fraction is not None:
        raise DirectionError(f"--fraction is for boundaries; {REGRESSION} uses all samples.")
    groups = [standing_for(*level, spec) for level in LEVELS.values()] if options.mixed else None
    groups = groups and [group for group in groups if group]
    found = train_regression(samples, options.attribute.split("+"), options.keep, subject, groups)
    for name, share in found.explained.items():
        print(f"{name}: the regression explains {share:.2f} of the variance, held out")
    if not options.mixed:
        print(side_effects([found.direction], samples).describe())
    return found.direction


def _by_boundary(samples: ScoredSamples, options: argparse.Namespace, subject: str | None) -> Direction:
    how = BoundaryTraining(method=options.method)
    if options.fraction is not None:
        how = replace(how, fraction=options.fraction)
    boundaries = []
    for attribute in dict.fromkeys((options.attribute, *options.keep)):
        boundary = train_boundary(samples, attribute, subject, how)
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
    if not options.mixed:
        print(side_effects(reported, samples).describe())
    return direction
