"""Try one command of a page: run it here, at small size, or check what is not ours to run."""

import importlib
import json
import re
import runpy
import sys
from pathlib import Path
from unittest.mock import patch

import torch
from docs.pages import ROOT, Command, ours
from docs.small import small
from photo.small import SPEC, generator

from sfe_models.checkpoints.bundle import save_bundle, save_generator
from sfe_models.checkpoints.load import DEMO_BUNDLE
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.cli import main
from sfe_models.cli.main import build_parser
from sfe_models.directions.files import bundle_directions, save_own_file
from sfe_models.domain import BareGenerator, tiny_domain

RAN, STOOD_IN, CHECKED = "ran", "stood in", "checked"
_EXTRAS = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)


def try_command(command: Command, folder: Path) -> str:
    """Return what was done with it: RAN, STOOD_IN or CHECKED. Raises AssertionError or SystemExit."""
    words = command.words
    if (arguments := ours(words)) is not None:
        options = parsed(arguments)
        if (stand_in := _STAND_INS.get(options.run)) is not None:
            stand_in(options)
            return STOOD_IN
        if command.reason:
            return CHECKED
        assert main(small(arguments, folder)) == 0, f"failed: {' '.join(words)}"
        return RAN
    if _is_benchmark(words):
        if command.reason:
            check_script(words)
            return CHECKED
        _run_script(*small(list(words[1:]), folder))
        return RAN
    return _check_other(words)


def parsed(arguments):
    """Parse as the command line does; SystemExit for a wrong one."""
    options = build_parser().parse_args(arguments)
    if options.check:
        options.check(options)
    return options


def _is_benchmark(words) -> bool:
    return words[0] == "python" and words[1].startswith("benchmarks/")


def _run_script(path: str, *arguments: str) -> None:
    with (
        patch.object(sys, "argv", [path, *arguments]),
        patch.object(sys, "path", [str(ROOT / "benchmarks"), *sys.path]),
    ):
        runpy.run_path(str(ROOT / path), run_name="__main__")


def check_script(words) -> None:
    """Check a script of the repository by what it is named and by its options."""
    if not words[1].endswith(".py"):
        return
    text = (ROOT / words[1]).read_text(encoding="utf-8")
    for word in words[2:]:
        assert not word.startswith("--") or f'"{word}"' in text, f"{words[1]} has no option {word}"


def _check_other(words) -> str:
    """Check a command of another program as far as the repository knows about it."""
    program, rest = Path(words[0]).name, list(words[1:])
    if program in ("python", "python3") and rest[:1] == ["-m"] and rest[1] in ("pip", "venv", "pytest"):
        program, rest = rest[1], rest[2:]
    if program == "pip":
        for extras in re.findall(r"\[([\w,]+)\]", " ".join(rest)):
            assert set(extras.split(",")) <= set(_EXTRAS), extras
    elif program == "pytest" or program in ("python", "python3"):
        for name in [word for word in rest if "/" in word or word.endswith(".py")]:
            assert (ROOT / name).exists(), name
    elif program == "torchrun":
        parsed(rest[rest.index("sfe_models") + 1 :])
    elif program == "npm":
        scripts = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["scripts"]
        assert rest[0] == "install" or rest[0] in scripts, rest
    elif program == "ruff":
        importlib.import_module("ruff")
    elif program == "comfy":
        assert (ROOT / rest[rest.index("--workflow") + 1]).is_file(), rest
    else:
        assert program in ("venv", "git", "cd", ".ci", "run", "activate", "."), f"what is {' '.join(words)}?"
    return CHECKED


def _download(options) -> None:
    """What `download` brings, of small random networks."""
    if options.what == "photo":
        assert main(["download", "photo", *(["--output", options.output] if options.output else [])]) == 0
    elif options.what == "generator-mobile":
        about = BareGenerator("small", SPEC.generator, "human faces")
        save_generator(generator(), about, Path(options.output) / "generator-mobile.safetensors")
    else:
        place = Path(options.output) / "pretrained_models/model.safetensors"
        place.parent.mkdir(parents=True)
        save_bundle(random_networks(tiny_domain(64)), place)


def _fetch_directions(options) -> None:
    """Published vectors for a generator of 16 numbers."""
    place = Path(options.output) / "interfacegan_directions"
    place.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(("age", "smile", "rotation")):
        torch.save(torch.randn(1, 16, generator=torch.Generator().manual_seed(number)), place / f"{name}.pt")


def _demo_directions(options) -> None:
    """Two of the demo model's: a generator of one step has none."""
    for direction in bundle_directions(DEMO_BUNDLE)[:2]:
        save_own_file(direction, Path(options.output) / "directions" / f"{direction.info.name}.safetensors")


# By the function that a command leads to: what would ask the network, and what no small run can do.
_STAND_INS = {
    "models:run_download": _download,
    "directions:run_fetch": _fetch_directions,
    "training:run_attribute_directions": _demo_directions,
}
