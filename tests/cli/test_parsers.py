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


def test_ctrl_c_while_modules_are_imported_is_one_word():
    code = (
        "import runpy, sys, sfe_models.cli\n"
        "def interrupted():\n    raise KeyboardInterrupt\n"
        "sfe_models.cli.main = interrupted\nruns = runpy.run_module('sfe_models', run_name='__main__')"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (made.returncode, made.stderr) == (130, "interrupted\n")


@pytest.mark.parametrize(
    "command", ["train gan --config demo --data demo", "attribute-directions --generator g --weights w"]
)
def test_a_package_that_is_missing_is_named_with_its_extra(tmp_path, command):
    code = "import sys\nsys.modules['pytorch_optimizer'] = None\nfrom sfe_models.cli import main\n"
    code += "sys.exit(main(sys.argv[1:]))"
    made = subprocess.run(
        [sys.executable, "-c", code, *command.split(), "--output", str(tmp_path)], capture_output=True, text=True
    )
    assert made.returncode == 1
    assert "needs the package pytorch_optimizer" in made.stderr and "stylefeatureeditor[train]" in made.stderr
    assert "Traceback" not in made.stderr
