"""Making directions from text and from pictures."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ..checkpoints.containers import sniff
from ..checkpoints.errors import CheckpointError
from ..directions.finding.channels import channels_direction, channels_from_examples
from ..directions.finding.clip_text import TEMPLATES, ClipEmbedder, read_templates
from ..directions.finding.pictures import picture_difference, style_difference
from ..directions.finding.relevance import RelevanceSettings, channel_relevance
from ..directions.finding.relevance_files import load_relevance, read_published_relevance, save_relevance
from ..directions.finding.statistics import channel_statistics
from ..directions.finding.styleclip_global import StyleCLIPGlobal
from ..directions.layers import parse_layers
from ..faces.errors import FaceError
from ..inputs import InputError
from ..pictures.errors import ImageError
from ..pictures.files import seems_picture
from ..pipeline import Pipeline
from ..precision import choose_device
from .common import load_pipeline
from .directions_options import (
    check_name,
    hint,
    model_generator,
    progress_bar,
    save_named,
    subject_of,
)
from .inverting import inversion_of

logger = logging.getLogger(__name__)


def run_text(options: argparse.Namespace) -> None:
    path = Path(options.output)
    matrix = Path(options.relevance)
    if (matrix.suffix == ".npy") != bool(options.statistics):
        raise InputError("A published matrix (.npy) needs --statistics; a file made by `relevance` has them inside.")
    if options.statistics:
        relevance = read_published_relevance(matrix, options.statistics)
    else:
        relevance = load_relevance(matrix)
    check_name(path.stem, relevance.subject)
    templates = read_templates(options.templates) if options.templates else TEMPLATES
    with tqdm(total=2, desc="loading CLIP", leave=False) as bar:
        embedder = ClipEmbedder.load(options.clip, choose_device(options.device), templates)
        bar.update()
        bar.set_description("reading prompts")
        maker = StyleCLIPGlobal(embedder, relevance)
        direction = maker.direction(options.neutral, options.target, options.threshold)
        bar.update()
    print(direction.info.effect)
    save_named(direction, path)
    hint(path)


def run_relevance(options: argparse.Namespace) -> None:
    path = Path(options.output)
    if path.suffix != ".safetensors":
        raise InputError(f"{path} does not end in .safetensors, which files of channel relevance are.")
    kept = load_relevance(path) if path.exists() else None
    generator, subject = model_generator(options), subject_of(options)
    embedder = ClipEmbedder.load(options.clip, choose_device(options.device))
    if kept is None:
        with progress_bar("statistics") as progress:
            statistics = channel_statistics(generator, options.samples, options.seed, progress=progress)
    else:
        statistics = kept.statistics
    with progress_bar("channels") as progress:
        relevance = channel_relevance(
            generator,
            embedder,
            statistics,
            subject,
            RelevanceSettings(options.convs, options.pictures, seed=options.seed),
            resume=kept,
            on_layer=lambda part: save_relevance(part, path),
            progress=progress,
        )
    print(f"{path}: {len(relevance.matrix)} channels of {relevance.convs} convolutions")


def _codes(place: str, options: argparse.Namespace, pipeline: Pipeline) -> Tensor:
    """Invert a picture or those of a folder, in which kept inversions count too: W+ codes [B,N,D].

    A file of the folder that cannot be used is left out with a warning.
    """
    path = Path(place)
    if not path.is_dir():
        return _code(path, options, pipeline)
    codes = []
    for one in tqdm(_pictures_and_inversions(path), desc=f"inverting {path.name}", leave=False):
        try:
            codes.append(_code(one, options, pipeline))
        except (ImageError, FaceError, CheckpointError) as error:
            logger.warning("Left out: %s", error)
    if not codes:
        raise InputError(f"There are no pictures or kept inversions in the folder {path} that can be used.")
    return torch.cat(codes)


def _code(path: Path, options: argparse.Namespace, pipeline: Pipeline) -> Tensor:
    inversion, _ = inversion_of(path, options, pipeline)
    pipeline.check_inversion(inversion, str(path))
    return inversion.w.float().cpu()


def _pictures_and_inversions(folder: Path) -> list[Path]:
    """List the files directly in a folder that are pictures or kept inversions, or are named as such."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file()
        and not path.name.startswith(".")
        and (seems_picture(path) or path.suffix.lower() == ".safetensors" or _seems_inversion(path))
    ]


def _seems_inversion(path: Path) -> bool:
    """Whether a file is one of tensors, or cannot be read, which is said when it is."""
    try:
        return sniff(path).kind == "safetensors"
    except CheckpointError:
        return True


def run_from_pictures(options: argparse.Namespace) -> None:
    path = Path(options.output)
    pipeline = load_pipeline(options)
    subject = options.subject or pipeline.spec.subject
    check_name(path.stem, subject)
    generator, layers = pipeline.networks.generator, parse_layers(options.layers, pipeline.spec.generator)
    both = [_codes(place, options, pipeline) for place in (options.first, options.second)]
    if options.space == "w+":
        fingerprint = generator.fingerprint()
        direction = picture_difference(*both, subject, path.stem, layers, generator=fingerprint)
    else:
        direction = style_difference(generator, *both, subject, path.stem, layers)
    save_named(direction, path)
    hint(path)


def run_channels(options: argparse.Namespace) -> None:
    pipeline = load_pipeline(options)
    generator, subject = pipeline.networks.generator, options.subject or pipeline.spec.subject
    if options.output:
        check_name(Path(options.output).stem, subject)
    codes = _codes(options.examples, options, pipeline)
    with progress_bar("sampling") as progress:
        population = channel_statistics(generator, options.samples, truncation=1.0, progress=progress)
    with torch.no_grad():
        styles = generator.style_space(codes.to(generator.latent_avg.device))
    rows = channels_from_examples(styles, population, options.count)
    print("convolution channel   effect relevance       std")
    for row in rows:
        print(f"{row.conv:11} {row.channel:7} {row.effect:+8.3f} {row.relevance:9.3f} {row.std:9.3f}")
    if options.output:
        path = Path(options.output)
        save_named(channels_direction(rows, population, subject, path.stem), path)
        hint(path)
