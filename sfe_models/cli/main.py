"""The parser, and the way errors reach people; what commands do stands in the files beside this one."""

from __future__ import annotations

import argparse
import logging
import pkgutil
import sys
from collections.abc import Sequence

from .. import __version__
from .parsers import batch, demo, directions, editing, evaluating, film, measuring, models, training, tuning
from .parsers.shared import OutputFile, OutputFolder

_EPILOG = """MODEL is photo (for photographs; fetched when it is first needed, 38 MB), demo (the one that the package
brings, of rendered portraits), a bundle (.safetensors), a folder with the published files, a generator alone (a
StyleGAN2 .pt or .pkl, generator-mobile), or random:DOMAIN (seeded random weights, for timing and tests; domains:
ffhq-1024, cars-512, demo, photo, tiny-64)."""

# Packages that only some commands need, and the extra that brings them.
_EXTRAS = {
    "pytorch_optimizer": "train",
    "tensorboard": "train",
    "transformers": "text",
    "sklearn": "svm",
    "dlib": "dlib",
    "openvino": "golden",
    "av": "video",
    "ray": "ray",
}


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands.

    Each sets `run`, "module:function" in this folder, which is imported when the command runs, and those with a
    condition that argparse cannot express set `check`.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sfe_models",
        description="StyleFeatureEditor (CVPR 2024): invert a portrait, edit it, keep its details.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("-v", "--verbose", action="store_true", help="say what is read and skipped")
    parser.set_defaults(check=None)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for group in (demo, editing, batch, film, tuning, models, directions, training, evaluating, measuring):
        group.add_commands(commands)
    for command in commands.choices.values():
        command.epilog = _EPILOG
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code: 0 done, 1 a failure said on stderr, 2 wrong usage, 130 interrupted."""
    if hasattr(sys.stdout, "reconfigure"):  # a pipe on Windows lacks most letters; a name must stop nothing
        sys.stdout.reconfigure(errors="backslashreplace")
    options = build_parser().parse_args(arguments)
    if options.check:
        options.check(options)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.WARNING, format="%(levelname)s: %(message)s"
    )
    logging.getLogger("PIL").setLevel(logging.WARNING)
    try:
        run = pkgutil.resolve_name(f"{__package__}.{options.run}")
        if any(isinstance(value, OutputFile | OutputFolder) for value in vars(options).values()):
            from .before import check_outputs

            check_outputs(options)
        run(options)
    except (ValueError, OSError) as error:
        # Every error of this library is one of the two, with a sentence for people.
        if options.verbose:
            logging.exception("the failure in full")
        print(f"error: {_said(error)}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == __package__.partition(".")[0]:
            raise  # of our own: a mistake
        extra = _EXTRAS.get(error.name.partition(".")[0])
        cure = f"pip install 'stylefeatureeditor[{extra}]'" if extra else f"pip install {error.name}"
        print(f"error: This command needs the package {error.name}, which is not there: {cure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def _said(error: Exception) -> str:
    """Say what the system refused in words, where nobody did before: a name that is too long, a link to itself."""
    if type(error).__module__ == "builtins" and isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename} cannot be used: {error.strerror}. Give another path."
    return str(error)
