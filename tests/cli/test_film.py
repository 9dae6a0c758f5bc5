"""The command that edits a film: what it refuses before the work, and that it leads to a film."""

import pytest

pytest.importorskip("av", reason="needs PyAV (the extra video)")

from faces.people import face
from film.films import make_film, ramp, read_film

from sfe_models.cli import film, main
from sfe_models.faces.landmarks import format_landmarks

MODEL = ["--model", "random:tiny-64", "--dtype", "float32", "--device", "cpu"]


@pytest.fixture
def clip(tmp_path, monkeypatch):
    """A film of five frames and the landmarks of its face, in the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    make_film(tmp_path / "clip.mkv", [ramp(i) for i in range(5)], pixels="yuv420p")
    (tmp_path / "points.txt").write_text(format_landmarks([[face(90, 70, 1.15)]] * 5))
    (tmp_path / "short.txt").write_text(format_landmarks([[face(90, 70, 1.15)]] * 3))
    (tmp_path / "rubbish.mp4").write_bytes(b"no film")
    return "clip.mkv"


def test_a_film_is_edited(clip, tmp_path, capsys):
    more = ["--landmarks", "points.txt", "--codec", "ffv1", "--smoothing", "1"]
    assert main(["film", clip, *MODEL, *more, "--output", "new/out.mkv"]) == 0
    assert "5 of 5 frames edited, 1 shots" in capsys.readouterr().out
    times, pictures = read_film(tmp_path / "new/out.mkv")
    assert times == read_film(tmp_path / clip)[0] and not pictures.equal(read_film(tmp_path / clip)[1])


@pytest.mark.parametrize(
    ("given", "more", "message"),
    [
        ("rubbish.mp4", [], "rubbish.mp4 cannot be read as a film"),
        ("none.mp4", [], "There is no film none.mp4"),
        ("clip.mkv", ["--output", "out.avi"], "film format's suffix"),
        ("clip.mkv", ["--codec", "ffv1"], "goes into .mkv"),
        ("clip.mkv", ["--quality", "77"], "takes a number from 0 to 51"),
        ("clip.mkv", ["--face", "all"], "a film follows one person"),
        ("clip.mkv", ["--no-align"], "leave --no-align out"),
        ("clip.mkv", ["--no-paste"], "A film is written whole"),
        ("clip.mkv", ["--smoothing", "-1"], "expected 0 .off. to 60 frames"),
        ("clip.mkv", ["--landmarks", "none.txt"], "landmarks none.txt cannot be read"),
    ],
)
def test_what_cannot_be_used_is_told_before_the_work(clip, tmp_path, monkeypatch, capsys, given, more, message):
    def load(options):
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(film, "load_pipeline", load)
    assert main(["film", given, *MODEL, "--landmarks", "points.txt", "--output", "out.mp4", *more]) == 1
    assert message.replace(".off.", "(off)") in capsys.readouterr().err
    assert not list(tmp_path.glob("out.*"))


def test_landmarks_of_fewer_frames_are_told(clip, tmp_path, capsys):
    assert main(["film", clip, *MODEL, "--landmarks", "short.txt", "--output", "out.mp4"]) == 1
    assert "short.txt has fewer lines than the film has frames" in capsys.readouterr().err
    assert not list(tmp_path.glob("out.*"))


@pytest.mark.parametrize("edit", ["age", "age=", "age=0@0s,5", "age=5@2s,0@1s"])
def test_key_frames_that_cannot_be_read_are_wrong_usage(edit, capsys):
    with pytest.raises(SystemExit):
        main(["film", "clip.mp4", "--output", "out.mp4", "--edit", edit])
    assert "age" in capsys.readouterr().err
