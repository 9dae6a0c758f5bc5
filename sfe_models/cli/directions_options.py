"""Steps that the actions of `directions` share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from ..checkpoints.errors import CheckpointError
from ..checkpoints.load import load_generator, read_spec
from ..directions.base import Direction, DirectionError
from ..directions.files import FOLDER, save_own_file
from ..directions.finding.sampling import Progress
from ..directions.published import published_directions
from ..domain import BareGenerator, DomainSpec
from ..generators.base import Generator
from ..generators.families import make_generator
from ..precision import choose_device
from ..training.checkpoint import is_trained, load_network, run_spec
from .common import fetch_model


def spec_of(options: argparse.Namespace) -> DomainSpec | BareGenerator:
    """Read the model's domain, with the subject of --subject if that is given."""
    fetch_model(options.model)
    spec = run_spec(options.model) if is_trained(options.model) else read_spec(options.model)
    subject = getattr(options, "subject", None)
    return replace(spec, subject=subject) if subject else spec


def model_generator(options: argparse.Namespace) -> Generator:
    """Load the generator of --model, which may be a training run, in float32 on --device."""
    device = choose_device(options.device)
    fetch_model(options.model)
    if not is_trained(options.model):
        return load_generator(options.model).float().to(device)
    generator = make_generator(run_spec(options.model).generator)
    return load_network(options.model, "generator", generator).float().to(device)


def subject_of(options: argparse.Namespace) -> str | None:
    """Return --subject, or what the model says that it shows."""
    if options.subject:
        return options.subject
    try:
        return spec_of(options).subject
    except CheckpointError:
        return None  # a generator that is no part of a model


@contextmanager
def progress_bar(description: str) -> Iterator[Progress]:
    """Show a bar that is told what is done and what there is to do."""
    with tqdm(desc=description, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def mixed_codes(generator: Generator, options: argparse.Namespace) -> torch.Tensor:
    """Draw the W+ codes of --mixed: [count,N,D] on the CPU."""
    from ..training.samples import sample_codes

    if options.truncation != 1:
        raise DirectionError("--mixed draws truncations of its own; leave --truncation out.")
    with torch.no_grad():
        return sample_codes(generator, range(options.seed, options.seed + options.count)).float().cpu()


def how_sampled(options: argparse.Namespace) -> str:
    """Write the options that draw the same samples again."""
    return "--mixed" if options.mixed else f"--truncation {options.truncation:g}"


def directions_folder(folder: str) -> Path:
    """Return the folder itself if it is named `directions`, else that folder in it."""
    path = Path(folder)
    return path if path.name == FOLDER else path / FOLDER


def check_name(name: str, subject: str | None) -> None:
    """Refuse the name of a published direction, which an own file must not take."""
    for entry in published_directions():
        if (entry.info.name, entry.info.subject) == (name, subject):
            raise DirectionError(f"'{name}' is the name of a published direction for {subject}; choose another name.")


def save_named(direction: Direction, path: Path) -> None:
    """Write a direction, named as its file is, and say where it is."""
    check_name(path.stem, direction.info.subject)
    save_own_file(replace(direction, info=replace(direction.info, name=path.stem)), path)
    print(path)


def hint(path: Path) -> None:
    """Say how a written direction is used."""
    if path.parent.name == FOLDER:
        print(f"Use it with: edit --directions {path.parent} --edit {path.stem}=STRENGTH")
    else:
        print(f"Use it with: edit --edit {path}=STRENGTH, or put both files into a folder named {FOLDER}.")
