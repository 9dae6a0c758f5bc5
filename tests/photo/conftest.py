"""A small package to make the photographic model of."""

import shutil
from pathlib import Path

import pytest
from photo.small import generator, packaged_encoders

from sfe_models.checkpoints import places
from sfe_models.photo import install as module


@pytest.fixture(scope="session")
def encoders(tmp_path_factory):
    """A file of small encoders; only read."""
    return packaged_encoders(tmp_path_factory.mktemp("package") / "encoders.safetensors")


@pytest.fixture
def package(tmp_path, encoders, monkeypatch):
    """A package with small encoders and no directions, an empty models folder, and a count of downloads."""
    folder = tmp_path / "package"
    (folder / "directions").mkdir(parents=True)
    monkeypatch.setattr(module, "ENCODERS", Path(shutil.copy(encoders, folder)))
    monkeypatch.setattr(module, "DIRECTIONS", folder / "directions")
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "kept"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "read_mobile_generator", lambda wheel: generator())
    return folder


@pytest.fixture
def downloads(monkeypatch):
    """What was asked for: (folder, wheel)."""
    asked = []
    monkeypatch.setattr(module, "fetch_wheel", lambda *arguments: asked.append(arguments[:2]) or Path("wheel"))
    return asked
