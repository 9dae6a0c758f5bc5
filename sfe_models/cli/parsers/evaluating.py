"""The command that measures how good a model is: evaluate."""

from __future__ import annotations

from pathlib import Path

from ...choices import DETECTORS, LOOKS, ONE_PICTURE_METHODS, PLAIN, RIVAL_METHODS
from .shared import OutputFile, OutputPicture, add_directions, add_model

JUDGE_FILE = Path(__file__).parents[2] / "demo" / "judge.safetensors"


def add_commands(commands) -> None:
    """Add evaluate."""
    parser = commands.add_parser(
        "evaluate",
        help="measure inversions and edits, against the true picture in the rendered domain",
        description="Measure a model and its parts. On demo: portraits of seeds that training never draws, inverted, "
        "and edited against the true re-render at matched change. On a folder: inversions, with --matched edits of "
        "photographs at matched change of a score, and with --table the editing FID. Results of single pictures are "
        "kept beside --json: a stopped run goes on, and torchrun shares one among processes.",
    )
    add_model(parser, default=None, said="demo on --data demo, else photo")
    parser.add_argument(
        "--data",
        metavar="FOLDER|demo",
        help="aligned pictures, or rendered portraits (default for models of those)",
    )
    parser.add_argument("--count", type=int, metavar="N", help="pictures (default: demo 1000, a folder all)")
    parser.add_argument("--seed", type=int, default=0, help="first portrait, or the choice of --count pictures")
    parser.add_argument(
        "--json", type=OutputFile, metavar="FILE", help="write all numbers, and keep single results beside it"
    )
    parser.add_argument("--markdown", type=OutputFile, metavar="FILE", help="write the tables as Markdown")
    parser.add_argument("--grid", type=OutputPicture, metavar="FILE.png", help="write a picture grid")
    parser.add_argument("--weights", default="weights", metavar="FOLDER", help="networks of the metrics")
    parser.add_argument("--batch", type=int, default=8, help="pictures worked on together (default: 8)")
    parser.add_argument("--refine", type=int, metavar="N", help="one row more: the last method after N refining steps")
    parser.add_argument(
        "--methods",
        nargs="+",
        metavar="NAME",
        help="only these rows of --model: w, e4e, inverter, f_minus_delta, sfe; of other encoders, whose files lie in "
        f"--weights: {', '.join(RIVAL_METHODS)}; or, one picture at a time, which takes seconds to minutes for "
        f"each and needs --count: {', '.join(ONE_PICTURE_METHODS)}; beside editing FIDs sampled, G(w) of drawn codes",
    )
    usual = "30 of sfe_, 120 of w_plus and optimise; pti and gani 200, 100 above 256 px"
    parser.add_argument("--steps", type=int, metavar="N", help=f"of each row of one picture at a time ({usual})")
    parser.add_argument("--gradual", metavar="FILE", help="rows of a gradual model, a reconstruction after GradStyle")
    parser.add_argument("--gradual-one-stage", metavar="FILE", help="one row more: a gradual model with one stage")
    add_directions(parser)
    parser.add_argument("--attributes", nargs="*", metavar="NAME", help="demo: edit these (default: all directions)")
    parser.add_argument("--edit-count", type=int, metavar="N", help="demo: edit the first N people (default: all)")
    parser.add_argument("--judge", default=str(JUDGE_FILE), metavar="FILE", help="demo: another attribute network")
    parser.add_argument("--change", type=float, help="demo: wanted change as a share of the range (default: 0.4)")
    look = "demo: inversions of people drawn as training never saw them: another palette, or lines alone"
    parser.add_argument("--look", choices=LOOKS, default=PLAIN, help=look)
    parser.add_argument("--ablations", metavar="FOLDER", help="demo: measure the ablations; trained bundles lie here")
    parser.add_argument("--list-ablations", action="store_true", help="say how the ablations are trained, and stop")
    parser.add_argument("--align", action="store_true", help="folder: it holds photographs; find and cut out the faces")
    parser.add_argument("--detector", choices=DETECTORS, default=DETECTORS[0], help="what --align finds faces with")
    parser.add_argument("--face-models", metavar="FOLDER", help="the detector's file (default: where models lie)")
    unseen = "folder: a text file with the names of pictures that do not count, such as those that training saw"
    parser.add_argument("--leave-out", metavar="FILE", help=unseen)
    matched = "folder: edit until a score has changed so far, such as age=age:15, and compare who is still seen"
    parser.add_argument("--matched", action="append", default=[], metavar="SCORE=DIRECTION:CHANGE", help=matched)
    parser.add_argument("--table", metavar="FILE", help="folder: attributes, CelebAMask-HQ's text format or CSV")
    what = "ATTRIBUTE=DIRECTION:STRENGTH"
    parser.add_argument("--edit", action="append", default=[], metavar=what, help="folder: an edit that gives it")
    parser.add_argument("--remove", action="append", default=[], metavar=what, help="folder: one that takes it away")
    of_all = "folder: an edit of every picture, such as rotation:5; its FID is to all pictures as they were"
    parser.add_argument("--edit-all", action="append", default=[], metavar="DIRECTION:STRENGTH", help=of_all)
    # The numbers of a report should not depend on what a machine computes fastest.
    parser.set_defaults(run="evaluating:run_evaluate", dtype="float32")
