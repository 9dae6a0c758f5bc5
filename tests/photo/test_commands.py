"""What commands do when nobody names a model: the photographic one, fetched if need be, and the photo comes back."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from photo.small import SPEC
from PIL import Image

from sfe_models.cli import main
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.files import save_own_file


@pytest.fixture
def photo(tmp_path, package):
    """A photo of 300 x 200 px, and where its face is; the package has a direction `older`."""
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (200, 300, 3), dtype=np.uint8)).save(tmp_path / "photo.png")
    (tmp_path / "points.txt").write_text("120 80, 180 80, 150 110, 125 140, 175 140")
    info = DirectionInfo("older", "own", SPEC.subject, (-2.0, 2.0))
    vector = torch.randn(1, 16, generator=torch.Generator().manual_seed(2))
    save_own_file(LinearDirection(info, vector), package / "directions/older.safetensors")
    return ["photo.png", "--landmarks", "points.txt", "--dtype", "float32"]


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def test_edit_needs_no_other_option(photo, downloads):
    assert main(["edit", *photo, "--edit", "older=2", "--output", "older.png"]) == 0
    changed = (pixels("older.png") != pixels("photo.png")).any(axis=2)
    assert changed.shape == (200, 300) and changed[60:160, 110:190].mean() > 0.9
    assert not changed[:, :20].any() and not changed[:, -20:].any() and len(downloads) == 1
    assert main(["edit", *photo, "--edit", "older=-2", "--output", "younger.png"]) == 0
    assert len(downloads) == 1 and (pixels("younger.png") != pixels("older.png")).any()


def test_the_crop_alone_is_had_on_request(photo, downloads):
    assert main(["edit", *photo, "--no-paste", "--output", "crop.png"]) == 0
    assert main(["invert", *photo, "--output", "inverted.png", "--save-inversion", "me.safetensors"]) == 0
    assert main(["edit", "me.safetensors", "--dtype", "float32", "--output", "again.png"]) == 0
    assert pixels("crop.png").shape == (64, 64, 3)
    assert (pixels("crop.png") == pixels("inverted.png")).all() and (pixels("again.png") == pixels("crop.png")).all()


def test_what_cannot_be_edited_is_told_before_anything_is_fetched(package, downloads, capsys):
    assert main(["edit", "nobody.png", "--output", "older.png"]) == 1
    assert "There is no picture nobody.png" in capsys.readouterr().err and downloads == []


def test_the_model_s_own_directions_are_listed(photo, downloads, capsys):
    assert main(["directions", "--json"]) == 0
    own = [row for row in json.loads(capsys.readouterr().out) if row["family"] == "own"]
    assert [(row["name"], row["available"]) for row in own] == [("older", True)]


def test_demo_shows_a_person_who_does_not_exist_with_details(photo, downloads, capsys):
    assert main(["demo", "--output", "out", "--dtype", "float32"]) == 0
    assert capsys.readouterr().out.strip() == "out/sheet.png" and len(downloads) == 1
    made = sorted(path.name for path in Path("out").iterdir())
    assert made == ["00-portrait.png", "01-e4e_inversion.png", "02-SFE_inversion.png", "sheet.png"]
    portrait = pixels("out/00-portrait.png")
    assert main(["demo", "--output", "out", "--seed", "4", "--dtype", "float32"]) == 0
    assert (pixels("out/00-portrait.png") != portrait).any()


def test_demo_shows_what_the_model_has_directions_for(photo, package, downloads):
    folder = package / "directions"
    vector, about = ((folder / f"older{suffix}").read_bytes() for suffix in (".safetensors", ".json"))
    for name in ("age", "smile"):
        (folder / f"{name}.safetensors").write_bytes(vector)
        (folder / f"{name}.json").write_bytes(about.replace(b"older", name.encode()))
    face = ["--landmarks", "points.txt", "--photo", "photo.png"]
    assert main(["demo", *face, "--output", "out", "--dtype", "float32"]) == 0
    made = {path.stem.partition("-")[2] for path in Path("out").iterdir()}
    assert {"age_+", "age_-", "smile_-", "0", "6"} <= made and not {"glasses_+", "yaw_+"} & made


def test_what_demo_cannot_show_is_told_before_anything_is_fetched(package, downloads, capsys):
    assert main(["demo", "--output", "out", "--photo", "nobody.png"]) == 1
    assert "There is no picture nobody.png" in capsys.readouterr().err and downloads == []
