"""Commands about models and what they can do: convert, download, weights, inspect."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from tqdm import tqdm

from ..checkpoints.bundle import bundle_spec
from ..checkpoints.containers import sniff
from ..checkpoints.convert import convert
from ..checkpoints.published import download_loss_weights, download_published
from ..checkpoints.reading import read_safetensors
from ..checkpoints.recognise import MODEL_NETWORKS, read_contents
from ..checkpoints.weights import MODEL_SIZE, NVIDIA_TERMS, table
from ..directions.families.deltaedit import DeltaMapper
from ..directions.families.mapper import StyleCLIPMapper
from ..precision import DTYPES

# What `inspect` knows.
_NETWORKS = MODEL_NETWORKS | {"styleclip_mapper": StyleCLIPMapper, "delta_mapper": DeltaMapper}


def add_commands(commands) -> None:
    """Add the four commands."""
    parser = commands.add_parser(
        "convert",
        help="make a bundle: one file, memory-mapped, loads at once",
        description="Make a bundle from a folder of published files.",
    )
    parser.add_argument("source", metavar="MODEL")
    parser.add_argument("--output", required=True, metavar="FILE.safetensors")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="float32")
    parser.add_argument(
        "--first-styles",
        action="store_true",
        help="leave out the e4e styles that delta does not need (over a quarter of the file); directions that read all "
        "layers, such as StyleCLIP's mappers, then cannot be used",
    )
    parser.add_argument("--subject", help="what the model shows, such as 'human faces', for one that does not say")
    parser.set_defaults(run=_run_convert)

    parser = commands.add_parser(
        "download",
        help="fetch the published weights",
        description=f"Fetch the published weights ({MODEL_SIZE}), resuming what was begun. {NVIDIA_TERMS}",
    )
    parser.add_argument("--output", required=True, metavar="FOLDER")
    parser.add_argument("--mappers", action="store_true", help="the StyleCLIP latent mappers too")
    parser.add_argument("--losses", action="store_true", help="instead: LPIPS, ArcFace and MoCo weights for `train`")
    parser.set_defaults(run=_run_download)

    parser = commands.add_parser(
        "weights",
        help="list every file of others that something here reads, its terms and where to get it",
        description="List every file of others that something here reads, its terms and where to get it.",
    )
    parser.set_defaults(run=lambda options: print(table()))

    parser = commands.add_parser(
        "inspect", help="say what a checkpoint file holds", description="Say what a checkpoint file holds."
    )
    parser.add_argument("file", metavar="FILE")
    parser.set_defaults(run=_run_inspect)


def _run_convert(options: argparse.Namespace) -> None:
    with tqdm(total=1, desc="converting", leave=False) as bar:
        path = convert(options.source, options.output, DTYPES[options.dtype], options.first_styles, options.subject)
        bar.update()
    print(f"{path} ({path.stat().st_size / 1e6:.0f} MB)")


def _run_download(options: argparse.Namespace) -> None:
    fetch = download_loss_weights if options.losses else partial(download_published, mappers=options.mappers)
    print(fetch(options.output))


def _run_inspect(options: argparse.Namespace) -> None:
    path = Path(options.file)
    if sniff(path).kind == "safetensors":
        file = read_safetensors(path)
        metadata, header = file.metadata, file.header
        spec = bundle_spec(path)
        print(f"bundle of {spec.name}, {metadata['dtype']}, {len(header)} tensors, {metadata['e4e_styles']} e4e styles")
        if metadata.get("source"):
            print(metadata["source"])
        return
    contents = read_contents(path, _NETWORKS)
    for name, state in contents.components.items():
        print(f"{name}: {len(state)} tensors, {sum(t.numel() for t in state.values()) / 1e6:.1f} M values")
    for note in contents.notes or (() if contents.components else ("nothing that this library knows",)):
        print(note)
