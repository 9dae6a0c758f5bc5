"""The README stays short, and what it says of errors is what the code says."""

import ast
import re
import subprocess

from docs.pages import PAGES, ROOT

README = PAGES["README.md"]


def sentences():
    """Every string of the library and the nodes, those of f-strings in parts."""
    for folder in ("sfe_models", "nodes"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def test_it_is_short():
    assert len(README.splitlines()) <= 200


def test_the_ten_problems_are_quoted_from_the_code():
    table = README.partition("## When something is wrong")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!what it says|---)(.+?) \|", table, re.M)
    assert len(rows) == 10
    quoted = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]
    assert len(quoted) >= 5
    said = "\n".join(sentences())
    assert [text for text in quoted if text not in said] == []


def test_ci_runs_the_second_command():
    """What .ci/run cuts out of the README is one line that sets up and tests."""
    (line,) = [
        line for line in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines() if line.startswith("command=")
    ]
    script = f'{line}\nprintf %s "$command"'
    cut = subprocess.run(["bash", "-c", script], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert cut.count("\n") == 0 and cut.endswith(".venv/bin/python -m pytest -n 2 --dist worksteal") and cut in README
