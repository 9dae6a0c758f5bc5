"""What the library may import, and how it may be imported."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import sfe_models

PACKAGE = Path(sfe_models.__file__).parent
FORBIDDEN = {"comfy", "comfy_api", "comfy_extras", "folder_paths", "nodes", "server", "execution"}


def imports():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield path, node.module


def test_nothing_of_comfyui_is_imported_and_own_imports_are_relative():
    for path, name in imports():
        assert name.split(".")[0] not in FORBIDDEN | {"sfe_models"}, path


def test_works_as_a_part_of_another_package(tmp_path):
    (tmp_path / "some_pack").mkdir()
    (tmp_path / "some_pack/__init__.py").write_text("")
    (tmp_path / "some_pack/sfe_models").symlink_to(PACKAGE)
    code = "import some_pack.sfe_models.cli, some_pack.sfe_models.pipeline, sys; assert 'sfe_models' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_every_module_can_be_imported():
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        if not name.endswith(("__main__", "__init__")):
            assert importlib.util.find_spec(name) is not None
            importlib.import_module(name)
