"""Whole edits through the command line, at full size, from files in the published layout.

The files are written with the golden numbers' stand-in weights (2.6 GB, in a temporary folder).
"""

import json
import sys
from functools import lru_cache

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

from sfe_models.cli import main

EDITS = {"full/edit_age": "age=5", "full/edit_glasses": "glasses=-7", "full/edit_purple_hair": "purple_hair=0.1"}
EDITS |= {"full/edit_age_mask": "age=5"}


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    from conftest import SHARED

    if not SHARED.is_dir():
        pytest.skip("needs the golden numbers; set SFE_SHARED to the shared folder")
    golden = SHARED / "golden"
    sys.path.insert(0, str(golden))
    import weights

    folder = tmp_path_factory.mktemp("published")
    weights.WeightSet("full", 101).write_checkpoints(folder, styleclip=["purple_hair"])
    cases = {case["id"]: case for case in json.loads((golden / "cases.json").read_text())["cases"]}
    yield golden, folder, {name: cases[name] for name in EDITS}, weights
    sys.path.remove(str(golden))
    for path in folder.glob("*.pt"):
        path.unlink()


def run(kit, tmp_path, name, dtype):
    golden, folder, cases, weights = kit
    image = cases[name]["inputs"]["image"]
    Image.fromarray(weights.make_image_u8(image["seed"], 1, image["size"])[0]).save(tmp_path / "in.png")
    out = tmp_path / "out.png"
    arguments = ["edit", str(tmp_path / "in.png"), "--no-align", "--model", str(folder), "--dtype", dtype]
    arguments += ["--device", "cpu", "--directions", str(golden.parent / "data/directions")]
    if "mask" in cases[name]["inputs"]:
        background = weights.make_mask(cases[name]["inputs"]["mask"]["kind"])[0, 0].numpy()
        Image.fromarray(np.rint(255 * (1 - background)).astype(np.uint8)).save(tmp_path / "mask.png")
        arguments += ["--mask", str(tmp_path / "mask.png"), "--mask-acts-on", "delta"]
    assert main([*arguments, "--edit", EDITS[name], "--output", str(out)]) == 0
    return np.asarray(Image.open(out)).astype(int).transpose(2, 0, 1)[None, None]


@pytest.fixture(scope="module")
def in_float32(kit, tmp_path_factory):
    """An edit's pixels in float32 by its name, made once."""
    return lru_cache(lambda name: run(kit, tmp_path_factory.mktemp("float32"), name, "float32"))


def golden_pixels(kit, name):
    """Index and 8-bit value (truncated, as published) of every stored sample."""
    golden, _, cases, _ = kit
    output = cases[name]["outputs"]["image"]
    with safe_open(golden / "cases" / cases[name]["file"], "pt") as file:
        for view, slices in output["views"].items():
            values = (file.get_tensor(f"{name}|image|{view}").numpy() + 1) / 2
            yield tuple(slice(*s) for s in slices), np.trunc(np.clip(values, 0, 1) * 255).astype(int)


@pytest.mark.parametrize("name", EDITS)
def test_float32_is_within_one_grey_level(kit, in_float32, name):
    got = in_float32(name)
    for index, want in golden_pixels(kit, name):
        assert np.abs(got[index] - want).max() <= 1


def test_bfloat16_is_within_40_db(kit, in_float32, tmp_path):
    got, want = run(kit, tmp_path, "full/edit_age", "bfloat16"), in_float32("full/edit_age")
    assert 10 * np.log10(255**2 / np.square(got - want).mean()) >= 40
