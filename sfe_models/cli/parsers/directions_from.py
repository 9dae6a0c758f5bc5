"""Actions of `directions` that make directions from text and from pictures."""

from __future__ import annotations

import argparse

from ...choices import DELTAEDIT_THRESHOLD, DTYPE_NAMES, PUBLISHED_PICTURES, TEXT_THRESHOLD, VIT_B_32
from .photos import add_align_options
from .shared import LAYERS_HELP, OutputFile, OutputVector, add_device, add_model_option, add_output_file


def add_actions(actions) -> None:
    """Add text, deltaedit, relevance, from-pictures and channels."""
    _add_text(actions)
    _add_deltaedit(actions)
    _add_relevance(actions)
    _add_from_pictures(actions)
    _add_channels(actions)


def _add_text(actions) -> None:
    text = actions.add_parser("text", help="make a direction from two prompts (StyleCLIP global directions)")
    text.add_argument("--neutral", required=True, metavar="PROMPT", help="what the pictures show, such as 'a face'")
    text.add_argument("--target", required=True, metavar="PROMPT", help="what they shall show, such as 'an old face'")
    text.add_argument(
        "--threshold",
        type=float,
        default=TEXT_THRESHOLD,
        help=f"a higher one moves fewer channels (default: {TEXT_THRESHOLD:g})",
    )
    text.add_argument(
        "--relevance", required=True, metavar="FILE", help="made by `relevance`, or the published delta_i_c.npy"
    )
    text.add_argument("--statistics", metavar="FILE", help="the published S_mean_std, with delta_i_c.npy")
    text.add_argument("--templates", metavar="FILE", help="sentences with {}, one a line, such as the published ones")
    _add_clip(text)
    add_device(text)
    add_output_file(text)
    text.set_defaults(run="directions_from:run_text")


def _add_deltaedit(actions) -> None:
    deltaedit = actions.add_parser(
        "deltaedit",
        help="make a direction for one picture from two prompts (DeltaEdit, FFHQ 1024 only)",
        description="Make a direction for one picture from two prompts. It belongs to that picture: strength 1 is what "
        "DeltaEdit predicts for its style vectors. Needs the published delta_mapper.pt and fs3.npy, and `pip install "
        "transformers`.",
    )
    deltaedit.add_argument("photo", metavar="PHOTO", help="the picture that will be edited")
    deltaedit.add_argument("--neutral", required=True, metavar="PROMPT", help="what it shows, such as 'face'")
    deltaedit.add_argument("--target", required=True, metavar="PROMPT", help="what it shall show, such as 'happy face'")
    deltaedit.add_argument("--mapper", required=True, metavar="FILE", help="the published delta_mapper.pt")
    deltaedit.add_argument(
        "--relevance",
        required=True,
        metavar="FILE",
        help="the published fs3.npy, or StyleCLIP's delta_i_c.npy",
    )
    deltaedit.add_argument(
        "--threshold",
        type=float,
        default=DELTAEDIT_THRESHOLD,
        help=f"a higher one moves fewer channels (default: {DELTAEDIT_THRESHOLD:g})",
    )
    _add_clip(deltaedit)
    _add_inverting(deltaedit)
    add_output_file(deltaedit)
    deltaedit.set_defaults(run="directions_deltaedit:run_deltaedit")


def _add_relevance(actions) -> None:
    relevance = actions.add_parser(
        "relevance",
        help="measure what each style channel means to CLIP, once for a generator, for `text`",
        description="Measure what each style channel means to CLIP. It takes long; a part that was interrupted is "
        "taken up again from the --output file.",
    )
    add_model_option(relevance)
    _add_clip(relevance)
    add_device(relevance)
    relevance.add_argument("--output", required=True, type=OutputFile, metavar="FILE.safetensors")
    relevance.add_argument("--samples", type=int, default=100_000, help="for the statistics (default: 100000)")
    relevance.add_argument(
        "--pictures", type=int, default=PUBLISHED_PICTURES, help="for each channel (default: %(default)s)"
    )
    relevance.add_argument("--convs", type=int, help="convolutions from the first on (default: those up to 128 px)")
    relevance.add_argument("--seed", type=int, default=0)
    relevance.set_defaults(run="directions_from:run_relevance")


def _add_from_pictures(actions) -> None:
    pictures = actions.add_parser("from-pictures", help="make the direction from some pictures to others")
    pictures.add_argument("first", metavar="A", help="a picture, a kept inversion, or a folder of them (their mean)")
    pictures.add_argument("second", metavar="B", help="the same, for where the direction leads")
    _add_inverting(pictures)
    pictures.add_argument("--space", choices=("w+", "stylespace"), default="w+")
    pictures.add_argument("--layers", help=LAYERS_HELP)
    add_output_file(pictures)
    pictures.set_defaults(run="directions_from:run_from_pictures")


def _add_channels(actions) -> None:
    channels = actions.add_parser("channels", help="find the style channels that set pictures of an attribute apart")
    channels.add_argument("examples", metavar="FOLDER", help="pictures or kept inversions, better 10 to 30")
    _add_inverting(channels)
    channels.add_argument("--count", type=int, default=10, help="how many channels (default: 10)")
    channels.add_argument("--samples", type=int, default=10_000, help="to compare with (default: 10000)")
    channels.add_argument(
        "--output", type=OutputVector, metavar="FILE.safetensors", help="keep a direction of these channels together"
    )
    channels.set_defaults(run="directions_from:run_channels")


def _add_clip(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clip", default=VIT_B_32, metavar="FOLDER_OR_ID", help=f"CLIP for `transformers` (default: {VIT_B_32})"
    )


def _add_inverting(parser: argparse.ArgumentParser) -> None:
    add_model_option(parser)
    parser.add_argument("--dtype", choices=("auto", *DTYPE_NAMES), default="auto")
    add_device(parser)
    add_align_options(parser)
