"""How the pack is built: lazy, relative, small."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "nodes").glob("*.py"))


def test_the_root_imports_nothing():
    code = (
        "import importlib.util, sys;"
        f"spec = importlib.util.spec_from_file_location('pack', {str(ROOT / '__init__.py')!r});"
        "module = importlib.util.module_from_spec(spec); sys.modules['pack'] = module; spec.loader.exec_module(module);"
        "assert not {'torch', 'comfy', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nodes_import_relatively_and_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 120
    for node in ast.walk(ast.parse(text)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        assert not [name for name in names if name.split(".")[0] in ("sfe_models", "nodes", "kornia", "scipy")]


def test_the_registry_finds_what_it_needs():
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    name, comfy = project["project"]["name"], project["tool"]["comfy"]
    assert name == name.lower() and "comfyui" not in name
    assert comfy["DisplayName"] and comfy["PublisherId"] and "web" not in comfy
    assert comfy["requires-comfyui"] == ">=0.3.64"
    urls = project["project"]["urls"]
    assert urls["Repository"].startswith("https://") and urls["Bug Tracker"].startswith(urls["Repository"])
    assert (ROOT / comfy["Icon"].partition("/main/")[2]).stat().st_size < 100_000


def test_requirements_cannot_replace_torch():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = [line.split("#")[0].strip().lower() for line in lines]
    assert not [name for name in names if name.startswith(("torch", "nvidia", "xformers"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_of_the_server_itself_is_used(path):
    """But for the message to the page, which ComfyUI documents for extensions, to who asked for the run."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
        assert not {"server", "execution"} & set(names) - ({"server"} if path.stem == "page" else set())
    if path.stem == "page":
        assert set(re.findall(r"\bserver\.(\w+)", text)) == {"send_sync", "client_id"}


def test_only_the_stages_make_a_model_ready():
    opened = [
        path.stem
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and "ready" in [alias.name for alias in node.names]
    ]
    assert sorted(opened) == ["drawn", "inverting", "mix_styles", "stages"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_nodes_import_from_the_library_is_there(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 2:
            module = importlib.import_module(node.module)
            assert not [alias.name for alias in node.names if not hasattr(module, alias.name)]
