"""Commands that look at this machine: how fast a model is on it, and what is there."""

from __future__ import annotations

from .shared import OutputFile, add_model


def add_commands(commands) -> None:
    """Add benchmark and doctor."""
    parser = commands.add_parser(
        "benchmark",
        help="time the stages of a model",
        description="Time the stages of a model: median seconds, batch 1, and the peak memory.",
    )
    add_model(parser, default="random:ffhq-1024")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=OutputFile, metavar="FILE", help="write the numbers there too")
    parser.set_defaults(run="measuring:run_benchmark")

    parser = commands.add_parser(
        "doctor",
        help="what a bug report needs: versions, device, models, directions, free disk",
        description="Print what a bug report needs. Nothing of a model is loaded, and no path is told but those below "
        "the folders.",
    )
    parser.add_argument(
        "folders", nargs="*", metavar="FOLDER", help="with models (default: models here, and where downloads go)"
    )
    parser.set_defaults(run="doctor:run_doctor")
