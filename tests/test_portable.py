"""What differs from system to system: the encoding of text, modules of Unix alone, the console, files in use."""

import ast
import io
import sys
from pathlib import Path

import pytest
import torch
from windows import held, locks, needs_proc

from sfe_models.atomic import replaced
from sfe_models.cli import main
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.files import save_own_file

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [path for folder in ("sfe_models", "nodes", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]
SOURCES += [ROOT / "install.py", ROOT / "__init__.py"]
UNIX_MODULES = {"resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix"}
UNIX_FUNCTIONS = {"fork", "getuid", "geteuid", "chown", "uname", "mkfifo", "sched_getaffinity", "sysconf", "statvfs",
                  "getpgid", "killpg", "setsid", "nice", "getloadavg", "symlink", "link"}  # fmt: skip


def trees():
    for path in SOURCES:
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def name_of(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def in_text_mode(call):
    """Whether a call opens, reads or writes text; what `read_text` of this package reads says itself how."""
    name = name_of(call)
    if name in ("write_text", "read_text"):
        return isinstance(call.func, ast.Attribute)
    if name != "open" or isinstance(call.func, ast.Attribute):
        return False
    given = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return not given or (isinstance(given[0], ast.Constant) and "b" not in given[0].value)


def test_text_says_its_encoding():
    silent = [
        f"{path}:{node.lineno} {name_of(node)}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and in_text_mode(node) and "encoding" not in {k.arg for k in node.keywords}
    ]
    assert silent == []


def test_what_only_unix_has_is_asked_for_where_it_may_fail():
    found = []
    for path, tree in trees():
        if path.parts[0] == "benchmarks":
            continue  # measured on Linux
        tried = {id(line) for node in ast.walk(tree) if isinstance(node, ast.Try) for line in node.body}
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in tried:
                names = [alias.name for alias in node.names] + [getattr(node, "module", "")]
                names = [name for name in names if name in UNIX_MODULES]
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "os":
                names = [node.attr] if node.attr in UNIX_FUNCTIONS else []
            found += [f"{path}:{node.lineno} {name}" for name in names]
    assert found == []


@pytest.mark.parametrize(
    "command",
    ["--help", "edit --help", "directions --model demo", "directions --model random:ffhq-1024", "weights",
     "evaluate --list-ablations", "inspect sfe_models/demo/demo.safetensors"],
)  # fmt: skip
def test_a_console_of_windows_prints_it(command, monkeypatch):
    """A pipe or a file takes cp1252 there; a letter that it lacks must stop nothing."""
    monkeypatch.chdir(ROOT)
    written = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", newline="\r\n", write_through=True)
    monkeypatch.setattr(sys, "stdout", written)
    try:
        assert main(command.split()) == 0
    except SystemExit as end:
        assert end.code == 0
    assert len(written.buffer.getvalue()) > 100


def test_names_in_letters_that_it_lacks_are_printed(monkeypatch, tmp_path):
    info = DirectionInfo("\u65e5", "own", "rendered portraits", (-1.0, 1.0))
    save_own_file(LinearDirection(info, torch.ones(1, 64)), tmp_path / "directions/sun.safetensors")
    written = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", write_through=True)
    monkeypatch.setattr(sys, "stdout", written)
    assert main(["directions", "--model", "demo", "--directions", str(tmp_path)]) == 0
    assert b"\\u65e5" in written.buffer.getvalue()


@needs_proc
def test_the_imitation_of_a_locked_file(tmp_path):
    path = tmp_path / "used"
    path.write_text("old", encoding="utf-8")
    with locks():
        with open(path, encoding="utf-8"):
            assert held(path)
            with pytest.raises(OSError, match=r"^Cannot write .*being used.*Give a path"), replaced(path) as temporary:
                temporary.write_text("new", encoding="utf-8")
            assert sorted(tmp_path.iterdir()) == [path]
        assert not held(path)
        with replaced(path) as temporary:
            temporary.write_text("new", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "new"
