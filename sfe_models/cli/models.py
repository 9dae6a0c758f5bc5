"""Commands about models and what they can do: convert, download, inspect, directions."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from ..checkpoints.bundle import bundle_spec
from ..checkpoints.convert import NVIDIA_TERMS, convert
from ..checkpoints.load import read_spec
from ..checkpoints.published import download_published
from ..checkpoints.reading import read_safetensors_header, sniff
from ..checkpoints.recognise import read_contents
from ..precision import DTYPES
from .common import add_directions, direction_library


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
        help="leave out the e4e styles that delta does not need (a third of the file); directions that read all "
        "layers, such as StyleCLIP's mappers, then cannot be used",
    )
    parser.set_defaults(run=_run_convert)

    parser = commands.add_parser(
        "download",
        help="fetch the published weights",
        description=f"Fetch the published weights (2.6 GB), resuming what was begun. {NVIDIA_TERMS}",
    )
    parser.add_argument("--output", required=True, metavar="FOLDER")
    parser.add_argument("--mappers", action="store_true", help="the StyleCLIP latent mappers too")
    parser.set_defaults(run=_run_download)

    parser = commands.add_parser(
        "inspect", help="say what a checkpoint file holds", description="Say what a checkpoint file holds."
    )
    parser.add_argument("file", metavar="FILE")
    parser.set_defaults(run=_run_inspect)

    parser = commands.add_parser(
        "directions",
        help="what a model can be edited along",
        description="List the directions for a model, with useful strengths and effects.",
    )
    parser.add_argument("--model", required=True, help="what to load, see below")
    add_directions(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run_directions)


def _run_convert(options: argparse.Namespace) -> None:
    with tqdm(total=1, desc="converting", leave=False) as bar:
        path = convert(options.source, options.output, DTYPES[options.dtype], options.first_styles)
        bar.update()
    print(f"{path} ({path.stat().st_size / 1e6:.0f} MB)")


def _run_download(options: argparse.Namespace) -> None:
    print(download_published(options.output, options.mappers))


def _run_inspect(options: argparse.Namespace) -> None:
    path = Path(options.file)
    if sniff(path) == "safetensors":
        metadata, header = read_safetensors_header(path)
        spec = bundle_spec(path)
        print(f"bundle of {spec.name}, {metadata['dtype']}, {len(header)} tensors, {metadata['e4e_styles']} e4e styles")
        if metadata.get("source"):
            print(metadata["source"])
        return
    contents = read_contents(path)
    for name, state in contents.components.items():
        print(f"{name}: {len(state)} tensors, {sum(t.numel() for t in state.values()) / 1e6:.1f} M values")
    for note in contents.notes or (() if contents.components else ("nothing that this library knows",)):
        print(note)


def _run_directions(options: argparse.Namespace) -> None:
    library = direction_library(options, read_spec(options.model))
    if options.json:
        rows = [asdict(e.info) | {"available": library.available(e)} for e in library.entries]
        print(json.dumps(rows, indent=1))
        return
    if not library.entries:
        print(f"No directions are known for {library.spec.subject}.")
    for entry in library.entries:
        info = entry.info
        span = "{:g} to {:g}".format(*info.strength_range) if info.strength_range else "-"
        missing = "" if library.available(entry) else f"  [needs {entry.file}]"
        print(f"{info.name:18} {info.family:17} {span:14} {info.effect}{missing}")
