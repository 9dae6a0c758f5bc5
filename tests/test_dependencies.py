"""What the library may import, and how it may be imported."""

import ast
import graphlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import sfe_models

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(sfe_models.__file__).parent
FORBIDDEN = {"comfy", "comfy_api", "comfy_extras", "folder_paths", "nodes", "server", "execution"}
# What is built on the core, from the lower to the upper; who is asked imports nothing that comes later.
ABOVE = {"training": 1, "tuning": 1, "gradual": 1, "film": 2, "batch": 2, "evaluation": 2, "cli": 3, "__main__": 4}
# Private names of torch that nothing public stands for.
TORCH_ONLY = {"_buffers", "_foreach_lerp_", "_load_from_bytes", "_modules", "_parameters", "_utils", "_version"}
TORCH_ONLY |= {"_rebuild_tensor_v2"}


def trees(folder):
    """(path, syntax tree) of every file below a folder."""
    for path in sorted(folder.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def imports():
    for path, tree in trees(PACKAGE):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield path, node.module


def relative_imports(package):
    """{module: the modules of the package that it imports, inside functions too}, each as a tuple of names."""
    files = {path.relative_to(package).with_suffix("").parts: tree for path, tree in trees(package)}
    modules = {parts[:-1] if parts[-1] == "__init__" else parts for parts in files}
    found = {}
    for parts, tree in files.items():
        importer = parts[:-1] if parts[-1] == "__init__" else parts
        seen = found.setdefault(importer, set())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                module = (*parts[: len(parts) - node.level], *(node.module or "").split("."))
                module = tuple(filter(None, module))
                seen |= {(*module, alias.name) if (*module, alias.name) in modules else module for alias in node.names}
        seen -= {importer, ()}
    return found


def folder_links(found, package):
    """{(folder, folder that it imports)}: of the two, what stands below the folder that both are in."""
    links = set()
    for importer, imported in found.items():
        for module in imported:
            shared = next((i for i, (a, b) in enumerate(zip(importer, module, strict=False)) if a != b), len(importer))
            first, second = importer[: shared + 1], module[: shared + 1]
            if package.joinpath(*first).is_dir() and package.joinpath(*second).is_dir() and first != second:
                links.add(("/".join(first), "/".join(second)))
    return links


def test_nothing_of_comfyui_is_imported_and_own_imports_are_relative():
    for path, name in imports():
        assert name.split(".")[0] not in FORBIDDEN | {"sfe_models"}, path


def test_no_two_folders_import_each_other():
    links = folder_links(relative_imports(PACKAGE), PACKAGE)
    assert [pair for pair in sorted(links) if pair[::-1] in links] == []


def test_no_file_is_imported_by_what_it_imports():
    tuple(graphlib.TopologicalSorter(relative_imports(PACKAGE)).static_order())  # raises CycleError


def test_nothing_imports_upward():
    upward = [
        f"{'/'.join(importer)} imports {'/'.join(module)}"
        for importer, imported in relative_imports(PACKAGE).items()
        for module in imported
        if importer and ABOVE.get(module[0], 0) > ABOVE.get(importer[0], 0)
    ]
    assert upward == []


def test_imports_in_functions_and_of_modules_by_name_are_seen(tmp_path):
    for name, text in {
        "a/one.py": "def f():\n    from ..b.two import g",
        "a/__init__.py": "from . import one",
        "b/two.py": "from .. import c\nfrom ..a import one",
        "b/__init__.py": "",
        "c.py": "from .a.one import f",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = relative_imports(tmp_path)
    assert found[("a", "one")] == {("b", "two")} and found[("a",)] == {("a", "one")}
    assert found[("b", "two")] == {("c",), ("a", "one")} and found[("c",)] == {("a", "one")}
    assert folder_links(found, tmp_path) == {("a", "b"), ("b", "a")}
    with pytest.raises(graphlib.CycleError):
        tuple(graphlib.TopologicalSorter(found).static_order())


@pytest.mark.parametrize("folder", ["sfe_models", "nodes", "tests", "benchmarks"])
def test_private_names_stay_in_their_module(folder):
    crossing = []
    for path, tree in trees(ROOT / folder):
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.Attribute) and not (
                isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            ):
                names = [node.attr]
            for name in names:
                if name.startswith("_") and not name.startswith("__") and name not in TORCH_ONLY:
                    crossing.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    assert crossing == []


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
