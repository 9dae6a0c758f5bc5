"""The pack as ComfyUI imports it: under a name made of its path, without its folder on sys.path."""

import importlib
import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NAME = "pack_under_test"


@pytest.fixture(scope="session")
def pack():
    """Import a module of the pack by its name below the root."""
    spec = importlib.util.spec_from_file_location(_NAME, ROOT / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    spec.loader.exec_module(module)
    yield lambda name: importlib.import_module(f"{_NAME}.{name}")
    for name in [name for name in sys.modules if name.split(".")[0] == _NAME]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def info():
    """What a real server said of the nodes; tests/integration/refresh_object_info.py asks it anew."""
    return json.loads((ROOT / "tests/nodes/object_info.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def own(info):
    return {name: node for name, node in info.items() if name.startswith("SFE_")}
