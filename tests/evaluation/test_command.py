"""`python -m sfe_models evaluate` from the outside, alone and as two processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from generators.families import SPECS, make
from perception.measuring_files import write_measuring_files
from PIL import Image

from sfe_models.checkpoints.bundle import save_generator
from sfe_models.cli.main import main
from sfe_models.domain import BareGenerator
from sfe_models.evaluation.methods import METHODS

ROOT = Path(__file__).resolve().parents[2]


def arguments(files, *more):
    model = ["--model", str(files / "model.safetensors"), "--judge", str(files / "judge.safetensors")]
    return ["evaluate", *model, "--seed", "3", "--count", "5", "--weights", str(files), "--batch", "2", *more]


@pytest.fixture(scope="module")
def alone(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    more = ["--json", str(folder / "r.json"), "--markdown", str(folder / "r.md"), "--grid", str(folder / "g.png")]
    assert main(arguments(files, *more)) == 0
    return folder


def test_everything_is_written(alone, files, capsys):
    report = json.loads((alone / "r.json").read_text())
    assert list(report["inversion"]) == list(METHODS) == list(report["inversion"])
    assert report["pictures"] == 5 and report["inversion"]["sfe"]["l2"] > 0
    assert report["inversion"]["sfe"]["lpips"] is None and "needs alexnet" in report["needs"]["lpips"]
    assert set(report["editing"]) | set(report["rejected"]) == {"background_light", "brightness", "gaze"}
    assert "gaze" in report["rejected"] and "background_light" in report["editing"]
    for row in report["editing"].values():
        assert set(row) == set(METHODS)
    assert "| L2 |" in (alone / "r.md").read_text()
    with Image.open(alone / "g.png") as grid:
        assert grid.width > 1000
    assert len((alone / "r.part0.jsonl").read_text().splitlines()) == 6


def test_two_processes_print_the_same_numbers(alone, files, tmp_path):
    running = []
    for rank in range(2):
        env = {**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "sfe_models", *arguments(files, "--json", str(tmp_path / "r.json"))]
        running.append(subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    try:
        written = [process.communicate(timeout=200) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0, 0], written
    assert b"Inversion of 5 pictures" in written[0][0] and not written[1][0]
    reports = [json.loads((folder / "r.json").read_text()) for folder in (alone, tmp_path)]
    for method in METHODS[1:]:
        rows = [report["inversion"][method] for report in reports]
        assert rows[0]["l2"] == pytest.approx(rows[1]["l2"], rel=1e-4)
    edits = [report["editing"]["brightness"]["sfe"] for report in reports]
    assert edits[0]["reached"] == edits[1]["reached"] > 0
    assert edits[0]["error_where_reached"] == pytest.approx(edits[1]["error_where_reached"], rel=1e-2)


def test_without_a_judge_the_edits_say_what_they_need(files, tmp_path, capsys):
    command = ["evaluate", "--model", str(files / "model.safetensors"), "--count", "1", "--weights", str(tmp_path)]
    assert main([*command, "--judge", str(tmp_path / "judge.safetensors"), "--json", str(tmp_path / "r.json")]) == 0
    printed = capsys.readouterr().out
    assert f"editing needs judge.safetensors in {tmp_path}" in printed
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["editing"] == {} and report["inversion"]["e4e"]["attributes"] is None


def test_a_model_of_photographs_is_told_what_to_measure(capsys):
    assert main(["evaluate", "--model", "random:tiny-64"]) == 1
    assert "is a model of human faces; give --data FOLDER" in capsys.readouterr().err


def test_a_folder(files, crop, tmp_path, capsys):
    command = ["evaluate", "--model", str(files / "model.safetensors"), "--data", str(Path(crop).parent)]
    assert main([*command, "--weights", str(files)]) == 0
    assert "Inversion of 1 pictures" in capsys.readouterr().out
    table = tmp_path / "table.csv"
    table.write_text("file,Pale\nother.png,0\n")
    assert main([*command, "--table", str(table), "--edit", "Pale=brightness:2"]) == 1
    assert "lists none of the pictures, such as crop.png" in capsys.readouterr().err
    table.write_text("file,Pale\ncrop.png,0\n")
    edits = ["--table", str(table), "--edit", "Pale=brightness:2", "--weights", str(files)]
    assert main([*command, *edits]) == 0
    assert "needs pt_inception" in capsys.readouterr().out


def test_ablations_are_listed(capsys):
    assert main(["evaluate", "--list-ablations"]) == 0
    printed = capsys.readouterr().out
    assert "without Fuser" in printed and "--set domain.feature_layer=5" in printed


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--batch", "0"], "--batch is 0"),
        (["--count", "0"], "--count is 0"),
        (["--edit-count", "-1"], "--edit-count is -1"),
        (
            ["--table", "t.txt"],
            "--table, --edit, --remove, --edit-all, --matched, --align and --leave-out are for",
        ),
        (["--attributes", "nose"], "no attribute 'nose'"),
        (["--change", "0.7"], "wanted change is 0.7"),
        (["--ablations", "x", "--attributes"], "--ablations measures edits of rendered portraits"),
        (["--methods", "e4e", "ganni"], "no method 'ganni'; expected unedited, e4e"),
        (["--steps", "3"], "--steps is for rows of one picture at a time: w_plus"),
        (["--methods", "gani", "--steps", "0"], "--steps is 0"),
    ],
)
def test_wrong_options(files, more, message, capsys):
    assert main(arguments(files, *more)) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--attributes", "smile"], "--attributes and --edit-count are for --data demo"),
        (["--edit", "Pale=brightness:2"], "takes --table together with --edit"),
        (["--ablations", "x"], "needs --data demo"),
    ],
)
def test_wrong_options_for_a_folder(files, crop, more, message, capsys):
    command = ["evaluate", "--model", str(files / "model.safetensors"), "--data", str(Path(crop).parent)]
    assert main([*command, *more]) == 1
    assert message in capsys.readouterr().err


def test_rows_of_one_picture_at_a_time(files, tmp_path, capsys):
    command = arguments(files, "--methods", "e4e", "gani", "w_plus", "--steps", "2", "--attributes", "brightness")
    command = [*command, "--count", "2", "--json", str(tmp_path / "r.json")]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert "for each picture gani" in printed.err and "2 pictures: about" in printed.err
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["settings"]["steps"] == {"gani": 2, "w_plus": 2}
    for name in ("e4e", "gani", "w_plus"):
        assert report["inversion"][name]["l2"] > 0 and report["inversion"][name]["seconds"] > 0
        assert report["editing"]["brightness"][name]["reached"] is not None
    assert main(command) == 0  # all is there: nothing is found again, nor said to be
    assert "for each picture" not in capsys.readouterr().err


def test_a_generator_alone_has_rows_of_one_picture_at_a_time(crop, tmp_path, capsys):
    about = BareGenerator("own", SPECS["mobilestylegan"])
    model = str(save_generator(make(about.generator), about, tmp_path / "own.safetensors"))
    command = ["evaluate", "--model", model, "--data", str(Path(crop).parent), "--weights", str(tmp_path)]
    assert main([*command, "--methods", "optimise", "--steps", "3"]) == 1
    assert "say for how many with --count" in capsys.readouterr().err
    assert main([*command, "--methods", "optimise", "pti", "--steps", "3", "--count", "1"]) == 0
    printed = capsys.readouterr().out
    assert "optimise" in printed and "the model is a generator alone" in printed


def test_several_processes_need_a_place_to_meet(files, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(arguments(files)) == 1
    assert "meet in the files beside --json" in capsys.readouterr().err


def test_photographs_are_edited_at_matched_change(files, crop, tmp_path, capsys):
    write_measuring_files(tmp_path)
    command = [
        "evaluate",
        "--model",
        str(files / "model.safetensors"),
        "--data",
        str(Path(crop).parent),
        "--count",
        "1",
    ]
    report, grid = str(tmp_path / "out/r.json"), str(tmp_path / "out/g.png")
    more = ["--weights", str(tmp_path), "--matched", "age=brightness:20", "--json", report, "--grid", grid]
    more += ["--refine", "1"]
    assert main([*command, *more]) == 0
    printed = capsys.readouterr().out
    assert "age+20 by brightness: outside the face" in printed and "ST-LPIPS" in printed
    rows = json.loads(Path(report).read_text())
    assert rows["inversion"]["sfe"]["st_lpips"] > 0 and rows["inversion"]["e4e"]["mobile"] < 1
    assert set(rows["editing"]["age+20 by brightness"]) == {*METHODS, "sfe_refine_1"}
    with Image.open(grid) as picture:
        assert picture.width > picture.height
    assert main([*command, "--matched", "age=brightness:20", "--edit", "Pale=brightness:2"]) == 1
    assert "--matched stands alone" in capsys.readouterr().err
    assert main([*command, "--weights", str(files), "--matched", "age=brightness:20"]) == 1
    assert "age-v1.onnx" in capsys.readouterr().err


def test_people_drawn_otherwise_are_only_inverted(files, tmp_path, capsys):
    more = ["--look", "lines", "--json", str(tmp_path / "r.json"), "--count", "2"]
    assert main(arguments(files, *more)) == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["settings"]["look"] == "lines" and report["editing"] == {} and report["inversion"]["sfe"]["l2"] > 0
    assert "the judge knows no others" in capsys.readouterr().out
    assert main(arguments(files, "--look", "lines", "--attributes", "brightness")) == 1
    assert "--look draws the people of --data demo" in capsys.readouterr().err
