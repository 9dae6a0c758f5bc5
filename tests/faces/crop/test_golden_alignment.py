"""Alignment against the published code's numbers."""

import importlib.util
import json
import sys

import pytest
import torch
from safetensors import safe_open

from sfe_models.faces.crop.alignment import align_face
from sfe_models.faces.crop.published import crop_face_published
from sfe_models.faces.crop.warp import crop_face
from sfe_models.faces.errors import FaceError
from sfe_models.faces.mask.regions import mean_face

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


@pytest.mark.parametrize("name", CASES)
def test_the_published_way_is_the_published_way(golden, name):
    folder, module, cases = golden
    case = cases[f"align/{name}"]
    picture = case["inputs"]["picture"]
    photo = torch.from_numpy(module.make_scene_u8(picture["seed"], picture["width"], picture["height"]))
    _, crop = crop_face_published(photo.movedim(-1, 0), _stored(folder, case, f"align/{name}|input|landmarks"))
    stored = _stored(folder, case, f"align/{name}|aligned|every8").float()
    assert (crop.movedim(0, -1)[::8, ::8].float() - stored).norm() / stored.norm() < 1e-3


@pytest.mark.parametrize("middle", [(150.0, 150.0), (60.0, 90.0)])
def test_both_ways_show_the_same(middle):
    """At a scale of about one, within and at the photo's edge."""
    random = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 12, 12, generator=random) * 255
    photo = torch.nn.functional.interpolate(coarse, size=(300, 300), mode="bicubic").clamp(0, 255)[0].to(torch.uint8)
    points = (mean_face() - 0.5) * 200 + torch.tensor(middle)
    ours = crop_face(photo, align_face(points + 0.5, (300, 300), (200, 200)))
    quad, theirs = crop_face_published(photo, points, 200)
    assert quad.shape == (4, 2) and theirs.shape == (3, 200, 200)
    inside = torch.ones(200, 200, dtype=torch.bool)
    if middle[0] < 100:
        inside[:, :70] = False  # beyond the edge, and what the published blur changes within
    assert (ours - theirs.float()).abs()[:, inside].mean() < 2.5


def test_what_the_published_way_cannot_take():
    with pytest.raises(FaceError, match="uint8"):
        crop_face_published(torch.zeros(3, 50, 50), mean_face() * 40)
    with pytest.raises(FaceError, match="outside of the photo"):
        crop_face_published(torch.zeros(3, 50, 50, dtype=torch.uint8), mean_face() * 40 + 500)
