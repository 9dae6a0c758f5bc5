"""One version, wherever it stands or is printed."""

import re
from pathlib import Path

import pytest

from sfe_models import __version__
from sfe_models.checkpoints import download
from sfe_models.cli import main

ROOT = Path(__file__).resolve().parents[1]


def first(pattern, name):
    return re.search(pattern, (ROOT / name).read_text(encoding="utf-8"), re.M)[1]


def test_files_agree():
    assert first(r'^version = "(.*)"$', "pyproject.toml") == __version__
    assert first(r"^## (\S+)", "CHANGELOG.md") == __version__


def test_commands_print_it(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.strip() == __version__


def test_servers_are_told(monkeypatch, tmp_path):
    asked = []

    def refuse(request, timeout):
        asked.append(request.get_header("User-agent"))
        raise OSError("no network")

    monkeypatch.setattr(download.urllib.request, "urlopen", refuse)
    with pytest.raises(download.DownloadError):
        download.fetch_url("https://example.org/a", tmp_path / "a", download.Identity(), progress=False)
    assert asked == [f"sfe_models/{__version__}"]
