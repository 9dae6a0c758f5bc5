"""`tune`, `edit --tuned`, and inversion by optimisation from the command line, on a generator alone."""

import json
import shutil

import pytest
import torch
from generators.families import make
from PIL import Image

from sfe_models.checkpoints.bundle import save_generator
from sfe_models.cli import main
from sfe_models.directions.files import save_own_file
from sfe_models.directions.finding.sefa import sefa
from sfe_models.domain import BareGenerator
from sfe_models.generators.mobilestylegan.spec import MobileStyleGANSpec
from sfe_models.inversion_file import load_inversion
from sfe_models.pictures.image_io import load_photo

SPEC = MobileStyleGANSpec((16, 16, 8), style_dim=16, mapping_layers=2)


def pixels(path):
    return load_photo(path).pixels


@pytest.fixture
def model(tmp_path):
    return str(save_generator(make(SPEC), BareGenerator("own", SPEC), tmp_path / "own.safetensors"))


def test_a_generator_alone_edits_along_what_it_was_found_to_vary(model, crop, tmp_path):
    direction = str(tmp_path / "first.safetensors")
    save_own_file(sefa(make(SPEC), None, count=1)[0], direction)
    common = [crop, "--model", model, "--no-align", "--optimise", "6", "--output"]
    plain, edited = str(tmp_path / "plain.png"), str(tmp_path / "edited.png")
    assert main(["edit", *common, plain]) == 0
    assert main(["edit", *common, edited, "--edit", f"{direction}=2"]) == 0
    assert not torch.equal(pixels(plain), pixels(edited))


def test_one_code_is_kept_by_its_space(model, crop, tmp_path):
    kept = str(tmp_path / "kept.safetensors")
    command = ["invert", crop, "--model", model, "--no-align", "--optimise", "3", "--space", "w"]
    assert main([*command, "--save-inversion", kept]) == 0
    w = load_inversion(kept).w[0]
    assert torch.equal(w, w[:1].expand_as(w))


@pytest.mark.parametrize("method", ["pti", "gani"])
def test_tune_then_edit(model, crop, tmp_path, method, capsys):
    tuned, made, edited = (str(tmp_path / name) for name in ("tuned.safetensors", "made.png", "edited.png"))
    common = [crop, "--model", model, "--no-align"]
    options = ["--method", method, "--steps", "3", "--output", tuned, "--picture", made]
    assert main(["tune", *common, *options]) == 0
    assert main(["edit", *common, "--tuned", tuned, "--output", edited]) == 0
    assert torch.equal(pixels(made), pixels(edited))
    assert main(["inspect", tuned]) == 0
    assert "tuned to one picture from own, generator" in capsys.readouterr().out


def test_a_batch_takes_the_tuned_generator_and_lists_other_pictures(model, crop, tmp_path):
    tuned, edited, folder, out = (tmp_path / name for name in ("tuned.safetensors", "edited.png", "in", "out"))
    common = ["--model", model, "--no-align"]
    assert main(["tune", crop, *common, "--steps", "2", "--output", str(tuned)]) == 0
    folder.mkdir()
    shutil.copy(crop, folder / "own.png")
    Image.open(crop).rotate(90).save(folder / "other.png")
    common += ["--tuned", str(tuned), "--output"]
    assert main(["batch", str(folder), *common, str(out)]) == 0
    assert main(["edit", crop, *common, str(edited)]) == 0
    assert (out / "own.png").read_bytes() == edited.read_bytes()
    rows = {row["name"]: row for row in map(json.loads, (out / "manifest.jsonl").read_text().splitlines())}
    assert "given another or several" in rows["other.png"]["error"]
    assert main(["batch", str(folder), *common, str(tmp_path / "more"), "--refine", "2"]) == 1


def test_what_cannot_be_is_one_sentence_and_nothing_is_written(model, crop, tmp_path, capsys):
    output, picture = str(tmp_path / "tuned.safetensors"), str(tmp_path / "out.png")
    common = [crop, "--model", model, "--no-align"]
    assert main(["tune", *common, "--output", output, "--perceptual", "alex", "--weights", str(tmp_path)]) == 1
    assert "alex" in capsys.readouterr().err
    assert main(["tune", *common, "--output", output, "--parsing", "unet", "--weights", str(tmp_path)]) == 1
    assert "put parsing.pth" in capsys.readouterr().err
    assert main(["tune", *common, "--output", output, "--rate", "1e20", "--steps", "4"]) == 1
    assert "not finite" in capsys.readouterr().err
    assert main(["tune", *common, "--output", output, "--steps", "2"]) == 0
    assert main(["edit", *common, "--tuned", output, "--refine", "3", "--output", picture]) == 1
    assert "leave --refine" in capsys.readouterr().err
    assert main(["edit", crop, "--model", "random:tiny-64", "--no-align", "--tuned", output, "--output", picture]) == 1
    assert "tuned from own" in capsys.readouterr().err
    assert main(["edit", *common, "--tuned", model, "--output", picture]) == 1
    assert "no tuned generator" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()
