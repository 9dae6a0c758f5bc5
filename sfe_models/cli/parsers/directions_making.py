"""Actions of `directions` that make directions from a generator alone, or from scores of its samples."""

from __future__ import annotations

import argparse

from ...choices import REGRESSION, SCORE_METHODS
from .shared import LAYERS_HELP, OutputFile, OutputFolder, add_device, add_model_option, add_output_file


def add_actions(actions) -> None:
    """Add discover, sample, score and train."""
    _add_discover(actions)
    _add_sample(actions)
    _add_score(actions)
    _add_train(actions)


def _add_discover(actions) -> None:
    discover = actions.add_parser("discover", help="find directions without labels")
    add_model_option(discover)
    add_device(discover)
    discover.add_argument("--method", choices=("sefa", "ganspace"), default="sefa")
    discover.add_argument("--layers", help=LAYERS_HELP)
    discover.add_argument("--count", type=int, default=10, help="how many, the strongest first (default: 10)")
    discover.add_argument("--samples", type=int, default=100_000, help="ganspace: codes to sample (default: 100000)")
    discover.add_argument("--seed", type=int, default=0, help="ganspace: seed of the codes")
    discover.add_argument(
        "--output", default="directions", type=OutputFolder, metavar="FOLDER", help="(default: directions)"
    )
    discover.set_defaults(run="directions_making:run_discover")


def _add_sample(actions) -> None:
    sample = actions.add_parser("sample", help="write numbered pictures to be scored for `train`")
    add_model_option(sample)
    add_device(sample)
    _add_samples(sample)
    sample.add_argument("--output", required=True, type=OutputFolder, metavar="FOLDER")
    sample.set_defaults(run="directions_making:run_sample")


def _add_score(actions) -> None:
    score = actions.add_parser(
        "score",
        help="score samples of faces (age, happiness, glasses, yaw, ...) for `train`",
        description="Draw the samples that `train` draws with the same --model, --count, --seed, --truncation and "
        "--mixed, and write a table of their scores: age, small_age, gender, happiness, yaw, pitch, eyes_open, "
        "mouth_open, face_width, glasses, hat, hair, bangs, hair_light, hair_warm, hair_length, lipstick, beard, "
        "light, brightness. For faces aligned as FFHQ's.",
    )
    add_model_option(score)
    add_device(score)
    _add_samples(score)
    _add_mixed(score)
    score.add_argument("--score", nargs="+", metavar="NAME", help="only these (default: all whose files are there)")
    score.add_argument("--weights", default="weights", metavar="FOLDER", help="the scoring networks (default: weights)")
    score.add_argument("--output", required=True, type=OutputFile, metavar="TABLE.csv")
    score.set_defaults(run="directions_scoring:run_score")


def _add_train(actions) -> None:
    train = actions.add_parser(
        "train",
        help="train a direction on scored samples (InterFaceGAN)",
        description="Train a direction on scores of the samples that `score` or `sample` draws with the same --model, "
        "--count, --seed and --truncation or --mixed.",
    )
    add_model_option(train)
    add_device(train)
    _add_samples(train)
    _add_mixed(train)
    train.add_argument(
        "--scores", required=True, metavar="TABLE.csv", help="columns: index (the picture's number), then attributes"
    )
    train.add_argument(
        "--attribute",
        required=True,
        help=f"the column to train on; the direction raises it ({REGRESSION}: or the mean of several, age+small_age)",
    )
    train.add_argument("--keep", nargs="+", default=[], metavar="ATTRIBUTE", help="columns that it must not move")
    train.add_argument("--fraction", type=float, help="boundaries: share of samples on each side (default: 0.02)")
    train.add_argument(
        "--method",
        choices=SCORE_METHODS,
        default="logistic",
        help=f"a boundary (svm needs scikit-learn), or {REGRESSION}, which uses every score and has fewer side effects "
        "where much is kept (default: logistic)",
    )
    add_output_file(train)
    train.set_defaults(run="directions_making:run_train")


def _add_samples(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, required=True, help="number of samples")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--truncation", type=float, default=1.0, help="below 1 nearer to the mean (default: 1)")


def _add_mixed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mixed",
        action="store_true",
        help="samples as training draws them, of truncations from 0.5 to 1 and half of them mixed from two: directions "
        "then differ from coarse to fine latents",
    )
