"""The command that measures how fast a model is: benchmark."""

from __future__ import annotations

from .shared import add_model


def add_commands(commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "benchmark",
        help="time the stages of a model",
        description="Time the stages of a model: median seconds, batch 1, and the peak memory.",
    )
    add_model(parser, default="random:ffhq-1024")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="write the numbers there too")
    parser.set_defaults(run="measuring:run_benchmark")
