"""The command for many pictures: batch."""

from __future__ import annotations

from .editing import add_inverting, add_mask, add_steps, add_tuned
from .photos import add_align_options, add_paste_options
from .shared import OutputFolder, add_directions, add_model, positive

# What --format stands for.
SUFFIXES = {"keep": "keep", "png": ".png", "jpg": ".jpg", "webp": ".webp"}


def add_commands(commands) -> None:
    """Add batch."""
    parser = commands.add_parser(
        "batch",
        help="one edit for a folder of pictures",
        description="Edit every face of many pictures. OUTPUT gets the same names and folders, batch.json (what was "
        "asked for) and manifest.jsonl (what became of each picture, one JSON line each). Pictures that cannot be read "
        "or show no face are listed there and passed over. Stop it whenever you like: the same command goes on where "
        "it ended. Started by torchrun, several processes share the work.",
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="folders (with all below them), pictures, films, kept inversions, patterns ('a/**/*.jpg'), text files "
        "with a path a line, fsspec addresses",
    )
    parser.add_argument("--output", required=True, type=OutputFolder, metavar="FOLDER")
    parser.add_argument(
        "--root", metavar="FOLDER", help="a folder above all pictures: below it their names are kept in --output"
    )
    parser.add_argument(
        "--format", choices=SUFFIXES, default="keep", help="write all pictures in this one (default: %(default)s)"
    )
    parser.add_argument("--dry-run", action="store_true", help="only count what there is to do")
    add_model(parser)
    add_directions(parser)
    add_steps(parser)
    add_mask(parser)
    add_align_options(parser, many=True)
    add_paste_options(parser)
    add_inverting(parser)
    add_tuned(parser)
    speed = parser.add_argument_group("speed")
    speed.add_argument(
        "--faces-at-once",
        type=positive,
        metavar="N",
        help="how many faces go through the networks together (default: 1 on a CPU, where more gains nothing; as many "
        "as a GPU's free memory holds, up to 16)",
    )
    speed.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help="how many threads read pictures and find faces, and how many write (default: 1 on a CPU; "
        "else half of the cores, up to 8)",
    )
    cluster = parser.add_argument_group("a cluster, by Ray Data (pip install 'stylefeatureeditor[ray]')")
    cluster.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="local starts one on this machine, auto joins the one that `ray start` made; all workers must see the "
        "pictures and --output, or both are fsspec addresses such as s3://bucket/folder",
    )
    cluster.add_argument("--workers", type=positive, default=1, metavar="N", help="how many (default: %(default)s)")
    cluster.add_argument("--gpus", type=float, metavar="X", help="of each worker (default: 1 where there are any)")
    # What `edit` has besides, for the checks that both share.
    parser.set_defaults(photo=None, run="batch:run_batch")
