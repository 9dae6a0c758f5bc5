"""Every node has a help page that says what it does, shows it, and explains each input."""

import json
import re
from pathlib import Path

import pytest
from integration.build_help_pictures import PICTURES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "web/docs"
NODES = sorted(name for name in json.loads((ROOT / "tests/nodes/object_info.json").read_text()) if "SFE_" in name)


@pytest.mark.parametrize("name", NODES)
def test_a_page_explains_every_input(own, name):
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {own[name]['display_name']}\n")
    shown = [label.strip() for row in re.findall(r"^\| ([^|]+) \|", text, re.M) for label in row.split(",")]
    for group in ("required", "optional"):
        for _, *options in own[name]["input"].get(group, {}).values():
            label = options[0]["display_name"]
            assert label in shown, f"{label} is not in {name}.md"
    assert "## When it looks wrong" in text and "## In the paper" in text


@pytest.mark.parametrize("name", NODES)
def test_its_picture_is_there_and_made_by_a_script(name):
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert pictures == [f"pictures/{name}.jpg"] and name in PICTURES
    assert (DOCS / pictures[0]).stat().st_size > 1000


def test_no_page_is_of_a_node_that_is_gone():
    assert sorted(path.stem for path in DOCS.glob("*.md")) == NODES
    assert sum(path.stat().st_size for path in (DOCS / "pictures").iterdir()) < 2_000_000
