"""What comfy-cli says of the example workflows, against the nodes as a real server described them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMFY = Path(sys.executable).with_name("comfy")
GRAPHS = sorted((ROOT / "workflows/api").glob("*.json"))

pytestmark = pytest.mark.skipif(not COMFY.exists(), reason="needs comfy-cli beside this Python: pip install comfy-cli")


def validated(workflow, home):
    info = ROOT / "tests/nodes/object_info.json"
    quiet = {"DO_NOT_TRACK": "1", "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    ran = subprocess.run(
        [COMFY, "workflow", "validate", "--workflow", workflow, "--input", info],
        capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, env=os.environ | quiet,
    )  # fmt: skip
    return json.loads(ran.stdout.splitlines()[-1])["data"]


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_nothing_is_wrong(path, tmp_path):
    said = validated(path, tmp_path)
    assert said["valid"] and not said["errors"] and not said["warnings"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda node: node.update(class_type="SFE_Inverted"), "unknown_class_type"),
        (lambda node: node["inputs"].pop("image"), "required_input_missing"),
    ],
)
def test_it_sees_what_is_wrong(change, code, tmp_path):
    graph = json.loads((ROOT / "workflows/api/one_edit.json").read_text("utf-8"))
    change(next(node for node in graph.values() if node["class_type"] == "SFE_Invert"))
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(graph))
    said = validated(path, tmp_path)
    assert not said["valid"] and [error["code"] for error in said["errors"]] == [code]
