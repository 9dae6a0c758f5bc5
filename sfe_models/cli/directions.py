"""Looking at directions: list, describe, fetch, traverse."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from ..checkpoints.published import download_vectors
from ..directions.base import Direction, evenly_spaced
from ..directions.families.ganspace import GANSpaceDirection
from ..directions.families.linear import LinearDirection
from ..directions.families.stylespace import StyleChannelsDirection, StyleOffsetDirection
from ..directions.finding.traversal import seed_codes, traversal, traversal_picture
from ..directions.layers import on_layers_only
from ..domain import BareGenerator
from ..pictures.image_io import save_image
from .common import direction_library
from .directions_options import model_generator, spec_of, subject_of


def run_list(options: argparse.Namespace) -> None:
    library = direction_library(options, spec_of(options))
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


def run_describe(options: argparse.Namespace) -> None:
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


def run_fetch(options: argparse.Namespace) -> None:
    for path in download_vectors(options.output, options.text):
        print(path)


def run_traverse(options: argparse.Namespace) -> None:
    if options.steps < 1:
        raise ValueError(f"--steps is {options.steps}; expected at least 1.")
    generator = model_generator(options)
    library = direction_library(options, BareGenerator(str(options.model), generator.spec, subject_of(options)))
    direction = on_layers_only(library.get(options.name), options.layers, generator.spec)
    span = direction.info.strength_range or (None, None)
    first = span[0] if options.first is None else options.first
    last = span[1] if options.last is None else options.last
    if first is None or last is None:
        raise ValueError(f"'{options.name}' has no known range; give --from and --to.")
    strengths = evenly_spaced(first, last, options.steps)
    grid = traversal(generator, direction, strengths, seed_codes(generator, options.seeds, options.truncation))
    print(save_image(traversal_picture(grid, strengths, direction.info.name), options.output))
