"""What commands are asked: help is there at once, and every command leads to a function."""

import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sfe_models import cli

RUNS = [
    name
    for path in sorted((Path(cli.__file__).parent / "parsers").glob("*.py"))
    for name in re.findall(r'run="(.*?)"', path.read_text(encoding="utf-8"))
]
HEAVY = {"torch", "scipy", "kornia", "numpy", "PIL", "safetensors", "huggingface_hub", "tqdm"}


@pytest.mark.parametrize("command", [[], ["edit"], ["directions", "train"]], ids=" ".join)
def test_help_imports_nothing_heavy(command):
    code = (
        "import sys\nfrom sfe_models.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n"
        f"    assert end.code == 0\nassert not {HEAVY} & set(sys.modules)"
    )
    made = subprocess.run([sys.executable, "-c", code, *command, "--help"], check=True, capture_output=True, text=True)
    assert made.stdout.startswith("usage:")


@pytest.mark.parametrize("name", RUNS)
def test_every_command_leads_to_a_function(name):
    assert callable(pkgutil.resolve_name(f"{cli.__name__}.{name}"))


def test_all_commands_were_found():
    assert len(RUNS) == len(set(RUNS)) > 15
