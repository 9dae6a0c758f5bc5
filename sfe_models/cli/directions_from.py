"""Actions of `directions` that make directions from text and from pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from ..checkpoints.errors import CheckpointError
from ..directions.finding.channels import channels_direction, channels_from_examples
from ..directions.finding.clip_text import TEMPLATES, VIT_B_32, ClipEmbedder, read_templates
from ..directions.finding.pictures import picture_difference, style_difference
from ..directions.finding.relevance import PUBLISHED_PICTURES, channel_relevance
from ..directions.finding.relevance_files import load_relevance, read_published_relevance, save_relevance
from ..directions.finding.statistics import channel_statistics
from ..directions.finding.styleclip_global import DEFAULT_THRESHOLD, StyleCLIPGlobal
from ..directions.layers import parse_layers
from ..pipeline import InputError, Pipeline
from ..precision import DTYPES, choose_device
from .common import load_pipeline
from .directions_options import (
    add_device,
    add_model_option,
    add_output_file,
    check_name,
    hint,
    model_generator,
    progress_bar,
    save_named,
    subject_of,
)
from .editing import inversion_of
from .photos import add_align_options


def add_actions(actions, layers_help: str) -> list[argparse.ArgumentParser]:
    """Add text, relevance, from-pictures and channels; return those that need a model."""
    text = actions.add_parser("text", help="make a direction from two prompts (StyleCLIP global directions)")
    text.add_argument("--neutral", required=True, metavar="PROMPT", help="what the pictures show, such as 'a face'")
    text.add_argument("--target", required=True, metavar="PROMPT", help="what they shall show, such as 'an old face'")
    text.add_argument(
        "--threshold",
        type=float,
        default=DEFAULT_THRESHOLD,
        help=f"a higher one moves fewer channels (default: {DEFAULT_THRESHOLD:g})",
    )
    text.add_argument(
        "--relevance", required=True, metavar="FILE", help="made by `relevance`, or the published delta_i_c.npy"
    )
    text.add_argument("--statistics", metavar="FILE", help="the published S_mean_std, with delta_i_c.npy")
    text.add_argument("--templates", metavar="FILE", help="sentences with {}, one a line, such as the published ones")
    _add_clip(text)
    add_device(text)
    add_output_file(text)
    text.set_defaults(run=_run_text)

    relevance = actions.add_parser(
        "relevance",
        help="measure what each style channel means to CLIP, once for a generator, for `text`",
        description="Measure what each style channel means to CLIP. It takes long; a part that was interrupted is "
        "taken up again from the --output file.",
    )
    add_model_option(relevance)
    _add_clip(relevance)
    add_device(relevance)
    relevance.add_argument("--output", required=True, metavar="FILE.safetensors")
    relevance.add_argument("--samples", type=int, default=100_000, help="for the statistics (default: 100000)")
    relevance.add_argument("--pictures", type=int, default=PUBLISHED_PICTURES, help="for each channel (default: 100)")
    relevance.add_argument("--convs", type=int, help="convolutions from the first on (default: those up to 128 px)")
    relevance.add_argument("--seed", type=int, default=0)
    relevance.set_defaults(run=_run_relevance)

    pictures = actions.add_parser("from-pictures", help="make the direction from some pictures to others")
    pictures.add_argument("first", metavar="A", help="a picture, a kept inversion, or a folder of them (their mean)")
    pictures.add_argument("second", metavar="B", help="the same, for where the direction leads")
    _add_inverting(pictures)
    pictures.add_argument("--space", choices=("w+", "stylespace"), default="w+")
    pictures.add_argument("--layers", help=layers_help)
    add_output_file(pictures)
    pictures.set_defaults(run=_run_from_pictures)

    channels = actions.add_parser("channels", help="find the style channels that set pictures of an attribute apart")
    channels.add_argument("examples", metavar="FOLDER", help="pictures or kept inversions, better 10 to 30")
    _add_inverting(channels)
    channels.add_argument("--count", type=int, default=10, help="how many channels (default: 10)")
    channels.add_argument("--samples", type=int, default=10_000, help="to compare with (default: 10000)")
    channels.add_argument("--output", metavar="FILE.safetensors", help="keep a direction of these channels together")
    channels.set_defaults(run=_run_channels)
    return [relevance, pictures, channels]


def _add_clip(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clip", default=VIT_B_32, metavar="FOLDER_OR_ID", help=f"CLIP for `transformers` (default: {VIT_B_32})"
    )


def _add_inverting(parser: argparse.ArgumentParser) -> None:
    add_model_option(parser)
    parser.add_argument("--dtype", choices=("auto", *DTYPES), default="auto")
    add_device(parser)
    add_align_options(parser)


def _run_text(options: argparse.Namespace) -> None:
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


def _run_relevance(options: argparse.Namespace) -> None:
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
            convs=options.convs,
            pictures=options.pictures,
            seed=options.seed,
            resume=kept,
            on_layer=lambda part: save_relevance(part, path),
            progress=progress,
        )
    print(f"{path}: {len(relevance.matrix)} channels of {relevance.convs} convolutions")


def _codes(place: str, options: argparse.Namespace, pipeline: Pipeline) -> Tensor:
    """Invert a picture or those of a folder: W+ codes [B,N,D]."""
    path = Path(place)
    suffixes = {".safetensors", *Image.registered_extensions()}
    paths = sorted(p for p in path.iterdir() if p.suffix.lower() in suffixes) if path.is_dir() else [path]
    if not paths:
        raise InputError(f"There are no pictures or kept inversions in the folder {path}.")
    codes = []
    for one in tqdm(paths, desc=f"inverting {path.name}", leave=False):
        inversion, _ = inversion_of(one, options, pipeline)
        if inversion.domain != pipeline.spec.name:
            raise CheckpointError(f"{one} is an inversion of {inversion.domain}; the model is {pipeline.spec.name}.")
        codes.append(inversion.w.float().cpu())
    return torch.cat(codes)


def _run_from_pictures(options: argparse.Namespace) -> None:
    path = Path(options.output)
    pipeline = load_pipeline(options)
    subject = options.subject or pipeline.spec.subject
    check_name(path.stem, subject)
    layers = parse_layers(options.layers, pipeline.spec.n_styles)
    both = [_codes(place, options, pipeline) for place in (options.first, options.second)]
    if options.space == "w+":
        direction = picture_difference(*both, subject, path.stem, layers)
    else:
        direction = style_difference(pipeline.networks.generator, *both, subject, path.stem, layers)
    save_named(direction, path)
    hint(path)


def _run_channels(options: argparse.Namespace) -> None:
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
