"""The actions of `directions`, and recipes, end to end on a small random model."""

import csv
import json
import urllib.error
import urllib.request

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from perception.measuring_files import write_measuring_files
from PIL import Image
from training.tiny import Dots, gan_config, make

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.cli import directions_deltaedit, directions_from, main
from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.stylespace import StyleChannelsDirection, StyleOffsetDirection
from sfe_models.directions.files import describe_own_file, read_own_file, save_own_file
from sfe_models.directions.finding.sampling import sample_w
from sfe_models.directions.finding.sefa import sefa
from sfe_models.directions.library import DirectionLibrary
from sfe_models.domain import tiny_domain
from sfe_models.training.checkpoint import LAST
from sfe_models.training.loop import train

MODEL = ["--model", "random:tiny-64"]
FLOAT = ["--dtype", "float32", "--device", "cpu"]
CPU = [*MODEL, "--device", "cpu"]
SPEC = tiny_domain(64)


class LetterEmbedder:
    """Stands for CLIP: pictures by their mean colours, prompts by their letters."""

    name = "letters"

    def embed_text(self, prompt):
        return F.normalize(torch.tensor([float(prompt.count(letter)) + 0.1 for letter in "aeo"]), dim=0)

    def embed_images(self, images):
        return F.normalize(images.mean(dim=(2, 3)), dim=1)


@pytest.fixture
def generator():
    return random_networks(SPEC).generator


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def edited(crop, tmp_path, *more):
    out = tmp_path / "edited.png"
    assert main(["edit", crop, "--no-align", "--output", str(out), *MODEL, *FLOAT, *more]) == 0
    return pixels(out)


def table(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def planted(generator, tmp_path, count):
    """Scores that are linear in w along two normals."""
    codes = torch.cat(list(sample_w(generator, count, 0, 1024)))
    normals = F.normalize(torch.randn(2, codes.shape[1], generator=torch.Generator().manual_seed(1)), dim=1)
    rows = [(i, *row) for i, row in enumerate((codes @ normals.T).tolist())]
    return normals, codes, table(tmp_path / "scores.csv", ("index", "curls", "tan"), rows)


@pytest.mark.parametrize(
    "more, name",
    [(["--layers", "0-3"], "sefa_0-3_1"), (["--method", "ganspace", "--samples", "500"], "ganspace_all_1")],
)
def test_a_discovered_direction_edits(tmp_path, crop, capsys, more, name):
    folder = tmp_path / "found"
    assert main(["directions", "discover", *CPU, "--count", "2", "--output", str(folder), *more]) == 0
    assert f"{name}=STRENGTH" in capsys.readouterr().out
    known = ["--directions", str(folder)]
    assert np.abs(edited(crop, tmp_path, *known, "--edit", f"{name}=5") - edited(crop, tmp_path)).max() > 0
    assert main(["directions", "describe", name, *MODEL, *known]) == 0
    text = capsys.readouterr().out
    assert "-3 to 3" in text and "human faces" in text and "component 1" in text and "W+" in text
    assert main(["directions", *MODEL, *known]) == 0
    assert name in capsys.readouterr().out


def test_a_discovered_file_holds_the_library_s_direction(tmp_path, generator):
    assert main(["directions", "discover", *CPU, "--layers", "2,4", "--output", str(tmp_path / "directions")]) == 0
    got = DirectionLibrary(SPEC, [tmp_path]).get("sefa_2+4_0")
    assert torch.equal(got.vector, sefa(generator, SPEC.subject, (2, 4))[0].vector)


def test_a_trained_boundary_is_the_planted_one(tmp_path, generator, capsys):
    normals, codes, scores = planted(generator, tmp_path, 1000)
    train = ["directions", "train", *CPU, "--count", "1000", "--scores", scores, "--fraction", "0.4"]
    for name in ("curls", "tan"):
        out = tmp_path / "directions" / f"{name}.safetensors"
        assert main([*train, "--attribute", name, "--output", str(out)]) == 0
        text = capsys.readouterr().out
        assert "400 samples on each side" in text and "| direction | curls | tan |" in text
    library = DirectionLibrary(SPEC, [tmp_path])
    curls, tan = (library.get(name).vector[0] for name in ("curls", "tan"))
    # The small network's W is thin: what counts is the order along the direction, not the angle.
    for found, normal in ((curls, normals[0]), (tan, normals[1])):
        assert torch.corrcoef(torch.stack([codes @ found, codes @ normal]))[0, 1] > 0.97

    more = ["--attribute", "curls", "--keep", "tan", "--output", str(tmp_path / "directions/alone.npy")]
    assert main([*train, *more]) == 0
    assert "curls keeping tan" in capsys.readouterr().out
    alone = DirectionLibrary(SPEC, [tmp_path]).get("alone").vector[0]
    assert abs(alone @ tan) < 1e-6 and alone @ curls > 0


def test_sample_writes_the_pictures_that_train_samples(tmp_path, generator, capsys):
    assert main(["directions", "sample", *CPU, "--count", "3", "--seed", "5", "--output", str(tmp_path / "s")]) == 0
    assert "--count 3 --seed 5 --truncation 1" in capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == ["000000.png", "000001.png", "000002.png"]
    with torch.no_grad():
        want = generator(generator.broadcast(next(sample_w(generator, 3, 5, 8))))[2]
    want = ((want + 1) * 127.5).round().clamp(0, 255).permute(1, 2, 0).int().numpy()
    assert np.abs(pixels(tmp_path / "s/000002.png") - want).max() <= 1


def test_text_from_relevance_to_edit(tmp_path, crop, monkeypatch, capsys):
    monkeypatch.setattr(directions_from.ClipEmbedder, "load", lambda *arguments: LetterEmbedder())
    kept = tmp_path / "relevance.safetensors"
    measure = ["directions", "relevance", *CPU, "--samples", "50", "--pictures", "2", "--output", str(kept)]
    assert main([*measure, "--convs", "2"]) == 0
    assert main([*measure, "--convs", "3"]) == 0  # takes up the two
    assert "48 channels of 3 convolutions" in capsys.readouterr().out
    text = ["directions", "text", "--neutral", "aa", "--target", "oo", "--relevance", str(kept), "--device", "cpu"]
    out = str(tmp_path / "directions/round.safetensors")
    assert main([*text, "--threshold", "0.01", "--output", out]) == 0
    assert "from 'aa' to 'oo'" in capsys.readouterr().out
    known = ["--directions", str(tmp_path), "--edit", "round=8"]
    assert np.abs(edited(crop, tmp_path, *known) - edited(crop, tmp_path)).max() > 0
    assert main(["directions", "describe", "round", *MODEL, "--directions", str(tmp_path)]) == 0
    assert "style space" in capsys.readouterr().out
    assert main([*text, "--threshold", "5", "--output", out]) == 1
    assert "removes every channel" in capsys.readouterr().err
    assert main([*text, "--statistics", "S_mean_std", "--output", out]) == 1
    assert "--statistics" in capsys.readouterr().err


@pytest.mark.parametrize("space", ["w+", "stylespace"])
def test_from_pictures(tmp_path, crop, space, capsys):
    for i, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        for j in range(2):
            Image.new("RGB", (64, 64), (100 * i, 60 * j, 90)).save(tmp_path / folder / f"{j}.png")
    out = tmp_path / "directions" / "blue.safetensors"
    make = ["directions", "from-pictures", str(tmp_path / "a"), str(tmp_path / "b"), "--no-align", "--space", space]
    assert main([*make, *MODEL, *FLOAT, "--layers", "0-5", "--output", str(out)]) == 0
    assert "means of 2 and 2 pictures" in json.loads(out.with_suffix(".json").read_text())["source"]
    moved = edited(crop, tmp_path, "--edit", f"{out}=2")  # as a file, without a folder
    assert np.array_equal(moved, edited(crop, tmp_path, "--directions", str(tmp_path), "--edit", "blue=2"))
    assert not np.array_equal(moved, edited(crop, tmp_path))
    assert main(["directions", "channels", str(tmp_path / "b"), "--no-align", *MODEL, *FLOAT, "--count", "3"]) == 0
    assert len(capsys.readouterr().out.splitlines()[-4:]) == 4


def test_one_bad_file_of_a_folder_is_left_out_and_named(tmp_path, caplog):
    for i, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (64, 64), (100 * i, 60, 90)).save(tmp_path / folder / "1.png")
    (tmp_path / "a/1.png").rename(tmp_path / "a/1.dat")
    for name in ("._1.png", "broken.png", "notes.txt"):
        (tmp_path / "a" / name).write_bytes(b"no picture")
    out = tmp_path / "blue.safetensors"
    make = ["directions", "from-pictures", str(tmp_path / "a"), str(tmp_path / "b"), "--no-align", *MODEL, *FLOAT]
    assert main([*make, "--output", str(out)]) == 0
    left_out = [text for text in caplog.messages if text.startswith("Left out")]
    assert len(left_out) == 1 and "broken.png" in left_out[0]
    (tmp_path / "a/1.dat").unlink()
    assert main([*make, "--output", str(out)]) == 1


def test_traverse_draws_rows_and_columns(tmp_path):
    assert main(["directions", "discover", *CPU, "--count", "1", "--output", str(tmp_path)]) == 0
    out, again = tmp_path / "t.png", tmp_path / "again.png"
    draw = ["directions", "--directions", str(tmp_path), "traverse", *CPU, "--seeds", "0-1,5", "--steps", "4"]
    assert main([*draw, "sefa_all_0", "--output", str(out)]) == 0
    assert pixels(out).shape[1] == 4 * 64 and 3 * 64 < pixels(out).shape[0] < 4 * 64
    file = str(tmp_path / "directions/sefa_all_0.safetensors")
    assert main([*draw, file, "--from", "-3", "--to", "3", "--output", str(again)]) == 0
    assert np.array_equal(pixels(out), pixels(again))


def test_a_recipe_gives_the_same_picture(tmp_path, crop):
    assert main(["directions", "discover", *CPU, "--count", "2", "--output", str(tmp_path)]) == 0
    known = ["--directions", str(tmp_path)]
    kept, longer = str(tmp_path / "r.json"), str(tmp_path / "l.json")
    file = str(tmp_path / "directions/sefa_all_1.safetensors")
    first, second = "sefa_all_0=4", f"{file}=-2.5"
    direct = edited(crop, tmp_path, *known, "--edit", first, second, "--save-recipe", kept)
    assert np.array_equal(edited(crop, tmp_path, *known, "--recipe", kept), direct)
    edited(crop, tmp_path, *known, "--edit", first, "--save-recipe", kept)
    both = edited(crop, tmp_path, *known, "--recipe", kept, "--edit", second, "--save-recipe", longer)
    assert np.array_equal(both, direct)
    assert [step["strength"] for step in json.loads(open(longer).read())["steps"]] == [4, -2.5]


def test_fetch_offline_says_what_to_place_where(tmp_path, monkeypatch, capsys):
    def refuse(*arguments, **options):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    assert main(["directions", "fetch", "--output", str(tmp_path / "f")]) == 1
    text = capsys.readouterr().err
    assert "no network" in text and str(tmp_path / "f/bound/Smiling_boundary.npy") in text


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["discover", "--layers", "0-99"], "Layer"),
        (["discover", "--count", "0"], "0 SeFa directions"),
        (["discover", "--method", "ganspace", "--layers", "0,4"], "one range"),
        (["describe", "agee"], "Did you mean 'age'"),
        (["traverse", "agee", "--output", "OUT.png"], "Did you mean 'age'"),
        (["traverse", "OUT.npy", "--output", "OUT.png"], "OUT.npy"),
        (["traverse", "fs_smiling", "--steps", "0", "--output", "OUT.png"], "--steps"),
        (["train", "--count", "9", "--scores", "OUT.csv", "--attribute", "a", "--output", "a.npy"], "OUT.csv"),
        (["train", "--count", "9", "--scores", "OUT.csv", "--attribute", "a", "--output", "age.npy"], "published"),
        (["relevance", "--output", "OUT.pt"], ".safetensors"),
        (["from-pictures", "OUT", "OUT", "--output", "a.npy"], "no picture"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(["directions", *arguments, *MODEL]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


@pytest.mark.parametrize(
    "arguments",
    [["traverse", "a", *MODEL, "--seeds", "3-1", "--output", "a.png"], ["discover", *MODEL, "--count", "x"]],
)
def test_wrong_usage(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["directions", *arguments])
    assert stopped.value.code == 2


def test_bad_recipes(tmp_path, crop, capsys):
    edit = ["edit", crop, "--no-align", "--output", str(tmp_path / "o.png"), *MODEL, *FLOAT]
    assert main([*edit, "--save-recipe", str(tmp_path / "r.json")]) == 1
    assert "no steps" in capsys.readouterr().err
    kept = {"format": "sfe-recipe", "version": 1, "subject": "cars", "steps": []}
    (tmp_path / "r.json").write_text(json.dumps(kept))
    assert main([*edit, "--recipe", str(tmp_path / "r.json")]) == 1
    assert "is for cars" in capsys.readouterr().err and not (tmp_path / "o.png").exists()


def test_style_space_files_keep_the_direction(tmp_path, generator):
    styles = generator.style_space(generator.broadcast(torch.randn(1, SPEC.generator.style_dim)))
    info = DirectionInfo("glow", "text", SPEC.subject, (-2.0, 2.0), "light", "made up")
    for rgbs in (styles.rgbs, ()):
        made = StyleOffsetDirection(info, tuple(s[0] for s in styles.convs), tuple(s[0] for s in rgbs), 0.5)
        path = save_own_file(made, tmp_path / "glow.safetensors")
        got = read_own_file(describe_own_file(path, "cars"), SPEC.generator)
        assert (got.info.subject, got.info.source, got.scale) == (SPEC.subject, "made up", 0.5)
        moved, want = (d.move(styles, torch.tensor([1.5])) for d in (got, made))
        assert all(map(torch.equal, (*moved.convs, *moved.rgbs), (*want.convs, *want.rgbs)))
    with pytest.raises(DirectionError, match="9 convolutions and 0 RGB layers; the model has 11 and 6"):
        read_own_file(describe_own_file(path, SPEC.subject), tiny_domain(128).generator)
    with pytest.raises(DirectionError, match="no vector"):
        save_own_file(StyleChannelsDirection(info, ((0, 1),)), path)
    with pytest.raises(DirectionError, match=r"does not end in .safetensors;"):
        save_own_file(made, tmp_path / "glow.npy")


class ForOnePicture:
    """Stands for DeltaEdit: a vector from the picture's own style vectors."""

    def direction(self, pictures, neutral, target, threshold):
        assert (len(pictures), neutral, target, threshold) == (1, "face", "round face", 0.1)
        return self

    def for_styles(self, styles, generator):
        info = DirectionInfo("d", "deltaedit", SPEC.subject, None, "3 channels", generator=generator)
        return StyleOffsetDirection(info, tuple(s[0] for s in styles.convs))


def test_deltaedit_makes_a_direction_for_one_picture(tmp_path, crop, monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(directions_deltaedit.ClipEmbedder, "load", lambda *arguments: LetterEmbedder())
    monkeypatch.setattr(directions_deltaedit.DeltaEdit, "read", lambda *given: seen.append(given) or ForOnePicture())
    out = tmp_path / "directions/round.safetensors"
    more = ["--neutral", "face", "--target", "round face", "--threshold", "0.1", "--output", str(out)]
    files = ["--mapper", "delta_mapper.pt", "--relevance", "fs3.npy"]
    assert main(["directions", "deltaedit", crop, "--no-align", *MODEL, *FLOAT, *files, *more]) == 0
    assert seen[0][:2] == ("delta_mapper.pt", "fs3.npy") and "3 channels" in capsys.readouterr().out
    known = ["--directions", str(tmp_path), "--edit", "round=1"]
    assert not np.array_equal(edited(crop, tmp_path, *known), edited(crop, tmp_path))


def test_scores_by_name_become_a_direction(tmp_path, capsys):
    """Score samples with stand-ins for the networks, train on two of the scores."""
    write_measuring_files(tmp_path)
    table, samples = str(tmp_path / "scores.csv"), ["--count", "30", "--seed", "2", "--truncation", "0.8"]
    only = ["--score", "age", "yaw"]
    main(["directions", "score", *CPU, *samples, "--weights", str(tmp_path), "--output", table, *only])
    assert "30 samples, age, yaw" in capsys.readouterr().out
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["index", "age", "yaw"] and len(rows) == 31
    assert len({row[1] for row in rows}) > 15
    output = tmp_path / "directions/older.safetensors"
    train = ["--scores", table, "--attribute", "age", "--keep", "yaw", "--fraction", "0.3", "--output", str(output)]
    main(["directions", "train", *CPU, *samples, *train])
    direction = read_own_file(describe_own_file(output, SPEC.subject), SPEC.generator)
    assert direction.vector.isfinite().all() and direction.info.name == "older"


def test_mixed_samples_become_a_direction_by_regression(tmp_path, capsys):
    write_measuring_files(tmp_path)
    table, samples = str(tmp_path / "scores.csv"), ["--count", "40", "--seed", "2", "--mixed"]
    only = ["--weights", str(tmp_path), "--score", "age", "small_age", "yaw"]
    assert main(["directions", "score", *CPU, *samples, *only, "--output", table]) == 0
    assert "--count 40 --seed 2 --mixed" in capsys.readouterr().out
    output = tmp_path / "directions/older.safetensors"
    train = ["--scores", table, "--attribute", "age+small_age", "--keep", "yaw", "--output", str(output)]
    train = ["directions", "train", *CPU, *samples, "--method", "regression", *train]
    assert main(train) == 0
    assert "yaw: the regression explains" in capsys.readouterr().out
    direction = read_own_file(describe_own_file(output, SPEC.subject), SPEC.generator)
    assert direction.vector.shape == (SPEC.n_styles, SPEC.generator.style_dim) and direction.vector.any()
    assert main([*train, "--fraction", "0.1"]) != 0
    assert "--fraction is for boundaries" in capsys.readouterr().err
    assert main([*train, "--truncation", "0.7"]) != 0
    assert "leave --truncation out" in capsys.readouterr().err


def test_a_score_whose_file_is_missing_is_one_sentence(tmp_path, capsys):
    command = ["directions", "score", *CPU, "--count", "4", "--weights", str(tmp_path), "--output", "t.csv"]
    assert main([*command, "--score", "happiness"]) != 0
    assert "face_expression_model.bin" in capsys.readouterr().err


def test_a_training_run_can_be_searched_for_directions(tmp_path, capsys):
    config = gan_config(1)
    run = train(make(config), config, Dots(8), tmp_path / "run").parent
    for place in (run, run / LAST):
        out = tmp_path / place.name
        command = ["directions", "discover", "--model", str(place), "--count", "1", "--device", "cpu"]
        assert main([*command, "--output", str(out)]) == 0
        assert len(list((out / "directions").glob("*.safetensors"))) == 1
    assert main(["directions", "--model", str(run), "--directions", str(out)]) == 0
    assert "sefa" in capsys.readouterr().out
