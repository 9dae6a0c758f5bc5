"""The command line, end to end on a small random model."""

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from sfe_models.atomic import save_tensors
from sfe_models.checkpoints.bundle import save_bundle
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.cli import main
from sfe_models.directions.library import DirectionLibrary
from sfe_models.domain import tiny_domain
from sfe_models.evaluation.speed import peak_memory
from sfe_models.inversion_file import save_inversion
from sfe_models.pictures.image_io import load_crop, to_pil
from sfe_models.pipeline import Pipeline

MODEL = ["--model", "random:tiny-64", "--dtype", "float32", "--device", "cpu"]


@pytest.fixture
def vectors(tmp_path):
    """Direction files of the published layout, for the small model."""
    random = torch.Generator().manual_seed(0)
    folder = tmp_path / "editings"
    (folder / "interfacegan_directions").mkdir(parents=True)
    (folder / "bound").mkdir()
    torch.save(torch.randn(1, 16, generator=random), folder / "interfacegan_directions/age.pt")
    np.save(folder / "bound/Smiling_boundary.npy", torch.randn(1, 160, generator=random).numpy())
    return str(folder)


def pixels(path):
    return np.asarray(Image.open(path))


def test_edit_is_the_library_s_edit(tmp_path, crop, vectors, capsys):
    out = tmp_path / "out.png"
    edits = ["--edit", "age=2", "fs_smiling=-1.5", "--directions", vectors]
    assert main(["edit", crop, "--no-align", "--output", str(out), *MODEL, *edits]) == 0
    assert str(out) in capsys.readouterr().out
    networks = random_networks(tiny_domain(64))
    library = DirectionLibrary(networks.spec, [vectors])
    steps = [(library.get("age"), 2.0), (library.get("fs_smiling"), -1.5)]
    want = Pipeline(networks).edit(load_crop(crop, networks.spec), steps)
    assert np.array_equal(pixels(out), np.asarray(to_pil(want[0])))


def test_mask_is_white_where_the_picture_may_change(tmp_path, crop, vectors):
    def run(name, *more):
        out = tmp_path / name
        arguments = ["edit", crop, "--no-align", "--output", str(out), *MODEL, "--directions", vectors]
        assert main([*arguments, "--edit", "age=3", *more]) == 0
        return pixels(out)

    for name, value in (("white.png", 255), ("black.png", 0)):
        Image.new("L", (64, 64), value).save(tmp_path / name)
    whole = run("a.png")
    assert np.array_equal(run("b.png", "--mask", str(tmp_path / "white.png")), whole)
    black = ["--mask", str(tmp_path / "black.png")]
    assert main(["edit", crop, "--no-align", "--output", str(tmp_path / "unedited.png"), *MODEL]) == 0
    assert np.array_equal(run("c.png", *black), pixels(tmp_path / "unedited.png"))
    paper = run("d.png", *black, "--mask-acts-on", "delta")
    assert not np.array_equal(paper, whole) and not np.array_equal(paper, pixels(tmp_path / "unedited.png"))


def test_inversion_is_kept_and_edited(tmp_path, crop, vectors):
    kept, direct, later = (tmp_path / name for name in ("me.safetensors", "a.png", "b.png"))
    invert = ["invert", crop, "--no-align", *MODEL, "--save-inversion", str(kept)]
    assert main([*invert, "--output", str(tmp_path / "r.png")]) == 0
    more = [*MODEL, "--directions", vectors, "--edit", "age=2"]
    assert main(["edit", crop, "--no-align", "--output", str(direct), *more]) == 0
    assert main(["edit", str(kept), "--output", str(later), *more]) == 0
    assert np.array_equal(pixels(direct), pixels(later))
    assert main(["edit", crop, "--no-align", "--output", str(later), *MODEL]) == 0
    assert np.array_equal(pixels(tmp_path / "r.png"), pixels(later))


def test_refined_inversions_are_closer_to_the_photo(tmp_path, crop, capsys):
    def error(*more):
        out = tmp_path / "out.png"
        assert main(["invert", crop, "--no-align", "--output", str(out), *MODEL, *more]) == 0
        return np.square(pixels(out).astype(float) - pixels(crop)).mean()

    plain = error()
    assert error("--refine", "10") < plain and error("--refine", "10", "--refine-w") < plain
    assert error("--refine", "0") == plain
    kept = tmp_path / "kept.safetensors"
    assert main(["invert", crop, "--no-align", "--save-inversion", str(kept), *MODEL]) == 0
    assert main(["edit", str(kept), "--output", str(tmp_path / "a.png"), "--refine", "3", *MODEL]) == 1
    assert "--refine needs the photo" in capsys.readouterr().err


def test_sweep_writes_pictures_and_a_sheet(tmp_path, crop, vectors):
    out = tmp_path / "sweep"
    arguments = ["sweep", crop, "--no-align", *MODEL, "--directions", vectors, "--direction", "age", "--steps", "3"]
    assert main([*arguments, "--output", str(out)]) == 0
    assert sorted(p.name for p in out.iterdir()) == ["age_+0.png", "age_+10.png", "age_-10.png", "sheet.png"]
    assert pixels(out / "sheet.png").shape[1] == 3 * (256 + 2 * 5)
    single = tmp_path / "single.png"
    edit = ["edit", crop, "--no-align", *MODEL, "--directions", vectors, "--edit", "age=10", "--output", str(single)]
    assert main(edit) == 0
    assert np.abs(pixels(single).astype(int) - pixels(out / "age_+10.png")).max() <= 1


def test_a_sweep_stays_in_its_folder_whatever_the_direction_is_called(tmp_path, crop, vectors):
    named = tmp_path / "shared/directions"
    named.mkdir(parents=True)
    torch.save(torch.ones(512), named / "m.pt")
    (named / "m.json").write_text(json.dumps({"name": "../../esc", "range": [-1, 1]}))
    out = tmp_path / "deep/er/sweep"
    arguments = ["sweep", crop, "--no-align", *MODEL, "--directions", named.parent, "--direction", "../../esc"]
    assert main([str(a) for a in (*arguments, "--steps", "2", "--output", out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["esc_+1.png", "esc_-1.png", "sheet.png"]
    assert not [path for path in tmp_path.rglob("*esc*") if path.parent != out]


def test_benchmark_writes_its_numbers(tmp_path, capsys):
    out = tmp_path / "new" / "b.json"
    assert main(["benchmark", *MODEL, "--repeats", "1", "--json", str(out)]) == 0
    result = json.loads(out.read_text())
    assert set(result["seconds"]) == {"load", "invert", "first_edit", "further_edit", "fine_edit", "sweep_8"}
    assert all(seconds > 0 for seconds in result["seconds"].values()) and result["peak_memory_bytes"] > 0
    assert "| further edit" in capsys.readouterr().out


def test_directions_lists_what_the_model_can_do(vectors, capsys):
    assert main(["directions", "--model", "random:ffhq-1024", "--directions", vectors]) == 0
    text = capsys.readouterr().out
    assert "older" in text and "-10 to 10" in text and "grass" not in text
    assert main(["directions", "--model", "random:cars-512", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"grass", "wheel angle"} <= {row["name"] for row in rows}
    assert all(row["available"] == (row["family"] == "stylespace") for row in rows)


def test_convert_and_inspect(tmp_path, capsys):
    bundle = tmp_path / "b.safetensors"
    assert main(["convert", "random:tiny-64", "--output", str(bundle), "--dtype", "float16"]) == 0
    assert main(["inspect", str(bundle)]) == 0
    assert "bundle of tiny-64, float16" in capsys.readouterr().out
    assert main(["inspect", str(save_bundle(random_networks(tiny_domain(32)), tmp_path / "c.safetensors"))]) == 0


def test_inspect_knows_the_demo_inversions_and_any_safetensors(tmp_path, pipeline, capsys):
    assert main(["inspect", "demo"]) == 0
    assert "bundle of demo, float16" in capsys.readouterr().out
    kept = save_inversion(pipeline.invert(torch.zeros(2, 3, 64, 64)), tmp_path / "kept.safetensors")
    assert main(["inspect", str(kept)]) == 0
    assert "inversion of 2 people by tiny-64" in capsys.readouterr().out
    assert main(["inspect", str(save_tensors({"vector": torch.zeros(3, 4)}, tmp_path / "v.safetensors"))]) == 0
    assert "vector: F32 [3, 4]" in capsys.readouterr().out


def test_the_detector_runs_on_the_device_that_was_asked_for(tmp_path, crop, monkeypatch):
    asked = []

    def load(name, folders, device):
        asked.append(str(device))
        return lambda photo, quick: []

    monkeypatch.setattr("sfe_models.cli.photos.load_detector", load)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert main(["edit", crop, "--output", str(tmp_path / "o.png"), *MODEL]) == 1
    assert asked == ["cpu"]


def test_benchmark_without_the_module_that_windows_lacks(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert peak_memory(torch.device("cpu")) is None


@pytest.mark.parametrize(
    "change, message",
    [
        (["--edit", "agee=2"], "Did you mean 'age'"),
        (["--edit", "grass=2"], "for cars"),
        (["--edit", "rotation=2"], "rotation.pt"),
        (["--edit", "age=nan"], "finite"),
        (["--mask", "MISSING"], "no picture"),
        (["--mask", "WIDE"], "The mask is 90 x 64 px"),
        (["--model", "random:moon"], "no domain 'moon'"),
        (["--model", "MISSING"], "does not exist"),
        (["--directions", "MISSING"], "does not exist"),
        (["--output", "OUT.xyz"], "suffix"),
        (["--output", "FILE/out.png"], "Cannot write"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, crop, vectors, capsys, change, message):
    Image.new("L", (90, 64)).save(tmp_path / "wide.png")
    (tmp_path / "file").write_text("")
    places = {"MISSING": "nothing", "WIDE": "wide.png", "OUT.xyz": "out.xyz", "FILE/out.png": "file/out.png"}
    change = [str(tmp_path / places[word]) if word in places else word for word in change]
    arguments = ["edit", crop, "--no-align", "--output", str(tmp_path / "out.png"), *MODEL, "--directions", vectors]
    assert main([*arguments, *change]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda path: Image.new("RGB", (64, 80)).save(path), "square"),
        (lambda path: Image.new("RGB", (1, 1)).save(path), "1 x 1 px"),
        (lambda path: path.write_bytes(b"nothing"), "cannot be read"),
    ],
)
def test_bad_pictures(tmp_path, capsys, make, message):
    make(tmp_path / "bad.png")
    out = tmp_path / "out.png"
    assert main(["edit", str(tmp_path / "bad.png"), "--no-align", "--output", str(out), *MODEL]) == 1
    assert message in capsys.readouterr().err and not out.exists()


@pytest.mark.parametrize("mode", ["L", "RGBA", "I;16"])
def test_other_pictures_are_taken(tmp_path, mode):
    Image.new(mode, (64, 64)).save(tmp_path / "a.png")
    assert main(["edit", str(tmp_path / "a.png"), "--no-align", "--output", str(tmp_path / "o.png"), *MODEL]) == 0


def test_without_a_face_it_says_what_to_do(tmp_path, crop, capsys):
    (tmp_path / "yunet_final.pth").write_bytes(b"nothing")
    arguments = ["edit", crop, "--output", str(tmp_path / "o.png"), *MODEL, "--face-models", str(tmp_path)]
    assert main(arguments) == 1
    assert "yunet_final.pth" in capsys.readouterr().err
    nowhere = tmp_path / "landmarks.txt"
    nowhere.write_text("310 402, 512 398, 409 520, 331 640, 495 636")
    assert main([*arguments, "--landmarks", str(nowhere)]) == 1
    assert "--no-align" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["edit"], ["edit", "a.png", "--output", "b.png", "--edit", "age"]])
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
