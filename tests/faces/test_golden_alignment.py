"""Alignment against the published code's numbers."""

import importlib.util
import json
import sys

import pytest
import torch
from safetensors import safe_open

from sfe_models.faces.alignment import align_face
from sfe_models.faces.warp import crop_face

CASES = ("centre", "border", "shrink")


@pytest.fixture
def golden(shared):
    """The golden folder, with its rules for making pictures."""
    spec = importlib.util.spec_from_file_location("golden_weights", shared / "golden/weights.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("golden_weights", module)
    spec.loader.exec_module(module)
    cases = {case["id"]: case for case in _cases(json.loads((shared / "golden/cases.json").read_text()))}
    return shared / "golden", module, cases


def _cases(node):
    """All cases, wherever they stand in the file."""
    if isinstance(node, dict) and "id" in node and "kind" in node:
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _cases(child)


def _stored(folder, case, name):
    with safe_open(folder / "cases" / case["file"], "pt") as file:
        return file.get_tensor(name)


@pytest.mark.parametrize("name", CASES)
def test_the_quad_is_the_published_one(golden, name):
    folder, _, cases = golden
    case = cases[f"align/{name}"]
    picture = case["inputs"]["picture"]
    landmarks = _stored(folder, case, f"align/{name}|input|landmarks")
    # dlib counts from the first pixel's centre, and so does the published quad.
    one = align_face(landmarks + 0.5, (picture["height"], picture["width"]), (1024, 1024))
    published = torch.tensor(case["params"]["facts"]["quad_in_picture"], dtype=torch.float64)
    assert torch.allclose(one.quad() - 0.5, published, atol=2e-3, rtol=1e-6)


def test_the_crop_is_the_published_one(golden):
    folder, module, cases = golden
    case = cases["align/centre"]
    picture = case["inputs"]["picture"]
    photo = torch.from_numpy(module.make_scene_u8(picture["seed"], picture["width"], picture["height"]))
    landmarks = _stored(folder, case, "align/centre|input|landmarks")
    one = align_face(landmarks + 0.5, tuple(photo.shape[:2]), (1024, 1024))
    crop = crop_face(photo.movedim(-1, 0).float(), one).movedim(0, -1)
    stored = _stored(folder, case, "align/centre|aligned|every8").float()
    mine = crop[::8, ::8]
    assert ((mine - stored).norm() / stored.norm()) < 5e-3
