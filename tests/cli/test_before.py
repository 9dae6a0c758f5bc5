"""What is told before the model is loaded, and what a kept inversion of several people asks for."""

import numpy as np
import pytest
import torch
from PIL import Image

from sfe_models.cli import inverting, main, photos
from sfe_models.faces.errors import FaceError
from sfe_models.inversion_file import load_inversion, save_inversion

MODEL = ["--model", "random:tiny-64", "--dtype", "float32", "--device", "cpu"]


@pytest.fixture
def no_model(monkeypatch):
    def load(options):
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(inverting, "load_pipeline", load)


@pytest.fixture
def group(pipeline, tmp_path):
    """A kept inversion of three people."""
    pictures = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return save_inversion(pipeline.invert(pictures), tmp_path / "group.safetensors")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--output", "out.xyz"], "suffix"),
        (["--output", "folder.png"], "it is a folder"),
        (["--output", "crop.png/a/out.png"], "crop.png is a file"),
        (["--save-recipe", "crop.png/recipe.json"], "crop.png is a file"),
        (["--mask", "none.png"], "no picture none.png"),
        (["--mask", "text.png"], "text.png cannot be read as a picture"),
        (["--mask", "crop.png", "--only", "mouth"], "choose one"),
        (["--recipe", "none.json"], "none.json cannot be read as a recipe"),
        (["--save-recipe", "r.json"], "no steps to keep"),
        (["--mask", "folder.png"], "folder.png is a folder; expected a picture"),
        (["--directions", "none"], "folder none does not exist"),
        (["--directions", "text.png"], "--edit text.png=1"),
        (["--region", "square"], "--region only matter with --paste"),
        (["--feather", "0.2", "--no-face", "pass"], "--feather and --no-face only matter with --paste"),
        (["--no-colour-match"], "--no-colour-match only matter with --paste"),
        (["--landmarks", "text.png"], "leave --no-align out"),
        (["--face", "1"], "leave --no-align out"),
        (["--refine-w"], "--refine-w only matters with --refine"),
        (["--output", "a" * 300 + ".png"], "File name too long"),
    ],
)
@pytest.mark.usefixtures("no_model")
def test_what_cannot_be_used_is_told_before_the_work(crop, tmp_path, monkeypatch, capsys, more, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    assert main(["edit", crop, "--no-align", "--output", "out.png", *MODEL, *more]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


@pytest.mark.usefixtures("no_model")
def test_a_detector_without_its_file_is_told_before_the_work(crop, tmp_path, monkeypatch, capsys):
    def missing(*_):
        raise FaceError("The file yunet_final.pth is not there.")

    monkeypatch.setattr(photos, "load_detector", missing)
    assert main(["edit", crop, "--output", str(tmp_path / "o.png"), *MODEL]) == 1
    assert "yunet_final.pth is not there" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["edit", "invert", "sweep"])
@pytest.mark.usefixtures("no_model")
def test_a_photo_that_is_none_is_told_before_the_work(tmp_path, capsys, command):
    (tmp_path / "text.png").write_text("no picture")
    more = ["--direction", "age"] if command == "sweep" else []
    for name, message in (("none.png", "There is no picture"), ("text.png", "cannot be read as a picture")):
        assert main([command, str(tmp_path / name), "--output", str(tmp_path / "o.png"), *MODEL, *more]) == 1
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--landmarks", "none.txt"], "none.txt cannot be read"),
        (["--landmarks", "words.txt"], "are not numbers"),
        (["--landmarks", "two.txt"], "landmarks of 2 photos"),
        (["--face", "first"], "--face is 'first'"),
        (["--face", "all", "--no-paste"], "leave --no-paste out"),
    ],
)
@pytest.mark.usefixtures("no_model")
def test_landmarks_that_are_none_are_told_before_the_work(crop, tmp_path, monkeypatch, capsys, more, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("left eye")
    (tmp_path / "two.txt").write_text("1 2 3 4 5 6 7 8 9 0\n" * 2)
    assert main(["edit", crop, "--output", "out.png", *MODEL, *more]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("no_model")
def test_transparency_that_the_output_cannot_hold_is_told_before_the_work(tmp_path, capsys):
    Image.new("RGBA", (300, 200), (9, 9, 9, 99)).save(tmp_path / "photo.png")
    assert main(["edit", str(tmp_path / "photo.png"), "--paste", *MODEL, "--output", str(tmp_path / "o.jpg")]) == 1
    assert "transparency" in capsys.readouterr().err


def test_one_of_several_people_is_named(group, tmp_path, capsys):
    out = tmp_path / "out.png"
    for command in ("edit", "invert"):
        for face in ([], ["--face", "3"], ["--face", "all"]):
            assert main([command, str(group), "--output", str(out), *MODEL, *face]) == 1
            assert "keeps 3 people; name one of them: give a number from 0 to 2" in capsys.readouterr().err
    assert not out.exists()


def test_the_named_person_is_edited(group, tmp_path, pipeline):
    out, alone = tmp_path / "out.png", tmp_path / "alone.safetensors"
    arguments = ["invert", str(group), "--face", "1", "--output", str(out), "--save-inversion", str(alone), *MODEL]
    assert main(arguments) == 0
    want = pipeline.edit(load_inversion(group))[1]
    shown = np.asarray(Image.open(out)).astype(int)
    assert np.abs(shown - ((want + 1) * 127.5).clamp(0, 255).movedim(0, -1).numpy()).max() <= 1
    assert torch.equal(load_inversion(alone).w, load_inversion(group).w[1:2])
    assert main(["edit", str(alone), "--output", str(out), *MODEL]) == 0
    assert np.array_equal(np.asarray(Image.open(out)), shown)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("convert random:tiny-64 --output crop.png/a.safetensors", "crop.png is a file"),
        ("directions --model random:tiny-64 traverse age --output a.xyz", "suffix"),
        ("directions --model random:tiny-64 discover --output crop.png", "crop.png is a file"),
        ("directions --model random:tiny-64 sample --count 2 --output crop.png", "crop.png is a file"),
        ("directions --model random:tiny-64 from-pictures crop.png crop.png --output a.pt", "ends in .safetensors or"),
        ("directions fetch --output crop.png/x", "crop.png is a file"),
        ("benchmark --model random:tiny-64 --json folder", "it is a folder"),
        ("evaluate --grid a.xyz", "suffix"),
        ("train gan --config demo --data demo --output crop.png", "crop.png is a file"),
        ("assemble --generator a --e4e b --inverter c --output folder", "it is a folder"),
        ("download --output crop.png/x", "crop.png is a file"),
        ("demo --output crop.png", "crop.png is a file"),
    ],
)
def test_every_command_says_before_its_work_what_cannot_be_written(crop, tmp_path, monkeypatch, capsys, command, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()

    def work(name):
        def run(options):
            raise AssertionError("it worked")

        return run

    monkeypatch.setattr("pkgutil.resolve_name", work)
    assert main(command.split()) == 1
    assert said in capsys.readouterr().err
