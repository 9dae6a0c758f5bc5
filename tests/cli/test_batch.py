"""The command: the pixels of `edit`, kill -9, two processes, and what a stranger does."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import numpy as np
import pytest
from faces.people import face
from PIL import Image

from sfe_models.cli import main, photos
from sfe_models.directions.files import save_own_file
from sfe_models.directions.finding.sefa import sefa
from sfe_models.faces.landmarks import format_landmarks

COUNT = 12
ROOT = Path(__file__).resolve().parents[2]
MODEL = ["--model", "random:tiny-64", "--dtype", "float32", "--device", "cpu"]


@pytest.fixture
def step(networks, tmp_path):
    """An edit along a direction of the random model."""
    path = tmp_path / "first.safetensors"
    save_own_file(sefa(networks.generator, None, count=1)[0], path)
    return ["--edit", f"{path}=2"]


def random_picture(path, size, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def crops(tmp_path):
    """COUNT crops of 64 px in two folders."""
    for number in range(COUNT):
        random_picture(tmp_path / f"in/{number % 2}/{number:02d}.png", (64, 64), number)
    return tmp_path / "in"


@pytest.fixture
def people(tmp_path, monkeypatch):
    """A folder of photos: of two people, of one, of nobody, and one that is none."""
    wide, tall, nobody = (300, 160), (150, 200), (90, 170)
    found = {wide: [face(80, 80, 1.3), face(220, 80, 1.4)], tall: [face(75, 90, 1.5)], nobody: []}
    monkeypatch.setattr(photos, "load_detector", lambda *_: lambda photo, quick: found.get(photo.shape[1::-1], []))
    for name, size in {"a.png": wide, "b/tall.jpg": tall, "b/two.webp": wide, "nobody.png": nobody}.items():
        random_picture(tmp_path / "in" / name, size, len(name))
    (tmp_path / "in/bad.jpg").write_bytes(b"no picture")
    return tmp_path / "in"


def lines(output):
    return [json.loads(text) for text in (output / "manifest.jsonl").read_text().splitlines()]


def contents(folder):
    """{name: bytes} of the pictures below a folder."""
    names = [path for path in folder.rglob("*.*") if path.is_file() and path.suffix in (".png", ".jpg", ".webp")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in names}


@pytest.mark.parametrize("options", [[], ["--face", "0", "--only", "mouth", "--region", "square"]], ids=["all", "one"])
def test_every_picture_is_what_edit_makes_of_it(people, step, tmp_path, options):
    assert main(["batch", str(people), "--output", str(tmp_path / "out"), *step, *MODEL, *options]) == 0
    made = contents(tmp_path / "out")
    assert set(made) == {"a.png", "b/tall.jpg", "b/two.webp"}
    for name, content in made.items():
        alone, each = tmp_path / "alone" / name, [] if options else ["--face", "all"]
        assert main(["edit", str(people / name), "--output", str(alone), *step, *MODEL, *options, *each]) == 0
        assert alone.read_bytes() == content
        assert content != (people / name).read_bytes()


def test_the_manifest_says_what_became_of_each(people, step, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["batch", str(people), "--output", str(out), *step, *MODEL]) == 0
    assert "3 edited, 2 could not be" in capsys.readouterr().out
    rows = lines(out)
    assert [row["name"] for row in rows] == ["a.png", "bad.jpg", "nobody.png", "b/tall.jpg", "b/two.webp"]
    assert [row.get("faces") for row in rows] == [2, None, None, 1, 2]
    assert [row.get("output") for row in rows] == ["a.png", None, None, "b/tall.jpg", "b/two.webp"]
    assert "cannot be read as a picture" in rows[1]["error"] and "no face" in rows[2]["error"]
    kept = json.loads((out / "batch.json").read_text())
    assert {row["fingerprint"] for row in rows} == {kept["fingerprint"]}
    assert rows[0]["edits"] == kept["settings"]["edits"] and rows[0]["edits"][0]["strength"] == 2.0
    assert rows[0]["input"] == str(people / "a.png") and rows[0]["seconds"] > 0


def test_kept_inversions_among_pictures_are_what_edit_makes_of_them(people, crops, step, tmp_path):
    kept, out, alone = people / "b/kept.safetensors", tmp_path / "out", tmp_path / "alone.png"
    invert = ["invert", str(tmp_path / "in/0/00.png"), "--no-align", *MODEL]
    assert main([*invert, "--save-inversion", str(kept)]) == 0
    (people / "direction.safetensors").write_bytes(Path(step[1].partition("=")[0]).read_bytes())
    shutil.rmtree(people / "0"), shutil.rmtree(people / "1")
    assert main(["batch", str(people), "--output", str(out), *step, *MODEL, "--faces-at-once", "9"]) == 0
    assert main(["edit", str(kept), "--output", str(alone), *step, *MODEL]) == 0
    assert (out / "b/kept.safetensors.png").read_bytes() == alone.read_bytes()
    assert set(contents(out)) == {"a.png", "b/kept.safetensors.png", "b/tall.jpg", "b/two.webp"}
    masked = [*step, *MODEL, "--only", "mouth", "--output", str(tmp_path / "masked")]
    assert main(["batch", str(kept), *masked]) == 1


def test_landmarks_lie_in_a_folder_of_the_same_names(people, step, tmp_path):
    given, out, alone = tmp_path / "points", tmp_path / "out", tmp_path / "alone.png"
    (given / "b").mkdir(parents=True)
    (given / "a.txt").write_text(format_landmarks([[face(90, 80, 1.3)]]))
    (given / "b/tall.txt").write_text(";")
    command = ["batch", str(people), "--output", str(out), *step, *MODEL, "--landmarks"]
    assert main([*command, str(given / "a.txt")]) == 1
    assert main([*command, str(given)]) == 0
    edit = ["edit", str(people / "a.png"), "--output", str(alone), *step, *MODEL]
    assert main([*edit, "--landmarks", str(given / "a.txt")]) == 0
    assert (out / "a.png").read_bytes() == alone.read_bytes()
    errors = {row["name"]: row.get("error") for row in lines(out)}
    assert "no face" in errors["b/tall.jpg"] and "b/two.txt cannot be read" in errors["b/two.webp"]


def test_a_photo_without_a_face_can_pass(people, step, tmp_path):
    out = tmp_path / "out"
    assert main(["batch", str(people), "--output", str(out), *step, *MODEL, "--no-face", "pass"]) == 0
    assert np.array_equal(np.asarray(Image.open(out / "nobody.png")), np.asarray(Image.open(people / "nobody.png")))
    assert [row.get("faces") for row in lines(out)] == [2, None, 0, 1, 2]


def test_a_film_among_pictures_is_what_film_makes_of_it(people, step, tmp_path):
    pytest.importorskip("av", reason="needs PyAV (the extra `video`)")
    from film.films import make_film, ramp, read_film

    make_film(people / "clip.mkv", [ramp(number, (160, 300)) for number in range(3)])
    (people / "c.mov").write_bytes(b"no film")
    out, alone = tmp_path / "out", tmp_path / "alone.mkv"
    assert main(["batch", str(people), "--output", str(out), *step, *MODEL]) == 0
    assert main(["film", str(people / "clip.mkv"), "--output", str(alone), *step, *MODEL]) == 0
    (times, pictures), (want_times, want) = read_film(out / "clip.mkv"), read_film(alone)
    assert times == want_times and all(map(np.array_equal, pictures, want))
    rows = {row["name"]: row for row in lines(out)}
    assert rows["clip.mkv"]["frames"] == 3 and "error" in rows["c.mov"]
    assert len(contents(out)) == 3


def test_faces_together_are_those_one_by_one_within_a_grey_level(crops, step, tmp_path):
    for name, more in {"one": [], "five": ["--faces-at-once", "5", "--threads", "2"]}.items():
        command = ["batch", str(crops), "--no-align", "--output", str(tmp_path / name), *step, *MODEL]
        assert main([*command, *more]) == 0
    for path in sorted((tmp_path / "one").rglob("*.png")):
        other = tmp_path / "five" / path.relative_to(tmp_path / "one")
        one, five = (np.asarray(Image.open(p)).astype(int) for p in (path, other))
        assert np.abs(one - five).max() <= 1
    assert [row["name"] for row in lines(tmp_path / "one")] == [row["name"] for row in lines(tmp_path / "five")]


def test_killed_and_started_again_it_loses_none_and_does_none_twice(crops, step, tmp_path):
    out = tmp_path / "out"
    command = ["batch", str(crops), "--no-align", "--output", str(out), *step, *MODEL, "--refine", "3"]
    part = out / "manifest.0-of-1.jsonl"
    running = subprocess.Popen([sys.executable, "-m", "sfe_models", *command], cwd=ROOT, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 120
        while not (part.is_file() and part.read_bytes().count(b"\n") >= 2) and time.monotonic() < until:
            assert running.poll() is None, running.stderr.read().decode()
            time.sleep(0.005)
    finally:
        running.send_signal(signal.SIGKILL)
        running.communicate()
    assert running.returncode == -signal.SIGKILL
    done = [json.loads(text)["output"] for text in part.read_bytes().split(b"\n")[:-1]]
    assert 2 <= len(done) < COUNT
    before = {name: (out / name).stat().st_mtime_ns for name in done}
    assert main(command) == 0
    assert {name: (out / name).stat().st_mtime_ns for name in done} == before
    assert [row["output"] for row in lines(out)] == sorted(contents(crops))
    assert set(contents(out)) == set(contents(crops))


def test_two_processes_of_torchrun_make_the_files_of_one(crops, step, tmp_path):
    command = ["batch", str(crops), "--no-align", *step, *MODEL, "--output"]
    assert main([*command, str(tmp_path / "one")]) == 0
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "sfe_models"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    made = subprocess.run(
        [*torchrun, *command, str(tmp_path / "two")], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    assert "Process 0 of 2: " in made.stdout and "Process 1 of 2: " in made.stdout
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    one, two = ([{**row, "seconds": 0} for row in lines(tmp_path / name)] for name in ("one", "two"))
    assert one == two


def test_object_storage_makes_the_files_of_a_folder(crops, step, tmp_path):
    memory, root = fsspec.filesystem("memory"), f"memory://{tmp_path.name}"
    memory.put(str(crops), f"/{tmp_path.name}/in", recursive=True)
    memory.pipe_file(f"/{tmp_path.name}/in/bad.jpg", b"no picture")
    command = ["batch", f"{root}/in", "--no-align", "--output", f"{root}/out", *step, *MODEL]
    assert main(command) == 0
    assert main(["batch", str(crops), "--no-align", "--output", str(tmp_path / "out"), *step, *MODEL]) == 0
    for name, content in contents(tmp_path / "out").items():
        assert memory.cat_file(f"/{tmp_path.name}/out/{name}") == content
    rows = [json.loads(text) for text in memory.cat_file(f"/{tmp_path.name}/out/manifest.jsonl").splitlines()]
    assert [row.get("output") for row in rows] == [*sorted(contents(crops)), None]
    memory.rm_file(f"/{tmp_path.name}/out/1/03.png")
    assert main(command) == 0
    assert memory.cat_file(f"/{tmp_path.name}/out/1/03.png") == (tmp_path / "out/1/03.png").read_bytes()


def test_two_workers_of_ray_make_the_files_of_one_process(crops, step, tmp_path):
    pytest.importorskip("ray", reason="needs Ray (the extra `ray`)")
    command = ["batch", f"file://{crops}", "--no-align", *step, *MODEL, "--output"]
    assert main([*command, str(tmp_path / "one")]) == 0
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "RAY_worker_niceness": "0"}
    ray = [sys.executable, "-m", "sfe_models", *command, f"file://{tmp_path}/two", "--ray", "local", "--workers", "2"]
    made = subprocess.run(ray, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert f"{COUNT} edited, 0 could not be" in made.stdout
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    one, two = ([{**row, "seconds": 0} for row in lines(tmp_path / name)] for name in ("one", "two"))
    assert one == two


def test_a_second_start_does_what_is_missing(crops, step, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["batch", str(crops), "--no-align", "--output", str(out), *step, *MODEL]
    assert main([*command, "--dry-run"]) == 0
    assert f"{COUNT} pictures and 0 films; 0 are done, {COUNT} are left." in capsys.readouterr().out
    assert not out.exists()
    assert main(command) == 0
    lost = (out / "0/04.png").read_bytes()
    (out / "0/04.png").unlink()
    random_picture(crops / "new.png", (64, 64), 99)
    assert main([*command, "--dry-run"]) == 0
    assert f"{COUNT + 1} pictures and 0 films; {COUNT - 1} are done, 2 are left." in capsys.readouterr().out
    assert main(command) == 0
    assert f"2 edited, 0 could not be, {COUNT - 1} were done before" in capsys.readouterr().out
    assert (out / "0/04.png").read_bytes() == lost and len(lines(out)) == COUNT + 1


def test_other_settings_are_refused(crops, step, tmp_path, capsys):
    command = ["batch", str(crops / "0"), "--no-align", "--output", str(tmp_path / "out"), *MODEL]
    assert main([*command, *step]) == 0
    assert main([*command, *step, "--format", "jpg"]) == 1
    assert 'format: "keep", now "jpg"' in capsys.readouterr().err
    assert main(command) == 1
    assert "made with other settings (edits: " in capsys.readouterr().err
    assert main([*command, *step, "--faces-at-once", "4"]) == 0


def test_ctrl_c_ends_the_batch_and_not_the_refinement_of_one_picture(crops, step, tmp_path, monkeypatch, capsys):
    from sfe_models.cli import inverting

    def interrupted(bar):
        return lambda now: os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(inverting, "_reporter", interrupted)
    command = ["batch", str(crops), "--no-align", "--output", str(tmp_path / "out"), *step, *MODEL, "--refine", "3"]
    assert main(command) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert contents(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--no-paste", "--face", "all"], "name one face"),
        (["--format", "tiff"], "invalid choice"),
        (["--faces-at-once", "0"], "no whole number from 1 on"),
        (["--output", "in"], "overwritten by its own edit"),
        (["--output", "in/a.png/out"], "a.png is a file"),
        (["--output", "full"], "is there already, made by no batch"),
        (["--root", "in/b"], "does not lie below"),
        (["--recipe", "none.json"], "none.json cannot be read as a recipe"),
        (["--blend", "poisson", "--no-paste"], "--blend only matter with --paste"),
    ],
)
def test_what_cannot_be_is_told_before_the_work(people, tmp_path, monkeypatch, capsys, more, said):
    from sfe_models.cli import inverting

    def load(options):
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(inverting, "load_pipeline", load)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/a.png").write_bytes(b"mine")
    before = {path for path in tmp_path.rglob("*")}
    try:
        assert main(["batch", "in", "--output", "out", *MODEL, *more]) == 1
    except SystemExit as wrong_usage:
        assert wrong_usage.code == 2
    assert said in capsys.readouterr().err
    assert {path for path in tmp_path.rglob("*")} == before


def test_a_folder_without_pictures_and_one_of_bad_ones_are_errors(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    command = ["batch", str(tmp_path / "in"), "--no-align", "--output", str(tmp_path / "out"), *MODEL]
    assert main(["batch", str(tmp_path / "gone"), "--output", str(tmp_path / "out"), *MODEL]) == 1
    assert f"There is no {tmp_path / 'gone'}" in capsys.readouterr().err
    (tmp_path / "in/notes.txt").write_text("hello")
    assert main(command) == 1
    assert "There is no picture among 1 files" in capsys.readouterr().err
    (tmp_path / "in/bad.png").write_text("hello")
    assert main(command) == 1
    assert "None of 1 pictures could be edited" in capsys.readouterr().err
    # Beside pictures that are done it is a bad one of many, and no error.
    random_picture(tmp_path / "in/good.png", (64, 64), 0)
    for again in ("1 edited, 1 could not be;", "0 edited, 1 could not be, 1 were done before;"):
        assert main(command) == 0
        assert again in capsys.readouterr().out
