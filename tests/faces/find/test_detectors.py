"""Detectors: their files, their output, and how photos are searched."""

import importlib.util
import sys

import pytest
import torch
from faces.people import face

from sfe_models.checkpoints import present
from sfe_models.checkpoints.download import DownloadError
from sfe_models.checkpoints.weights import SHAPE_PREDICTOR, YUNET
from sfe_models.choices import DETECTORS
from sfe_models.faces import files
from sfe_models.faces.errors import FaceError
from sfe_models.faces.files import face_file
from sfe_models.faces.find import dlib68
from sfe_models.faces.find.detectors import find_faces, load_detector


@pytest.fixture
def offline(monkeypatch):
    def refuse(*_, **__):
        raise DownloadError("no network")

    monkeypatch.setattr(files, "fetch", refuse)


def test_yunet_is_the_default():
    assert DETECTORS[0] == "yunet"


@pytest.mark.parametrize("name", DETECTORS)
def test_a_missing_file_is_one_sentence_that_says_where_it_goes(tmp_path, offline, monkeypatch, name):
    monkeypatch.setattr(dlib68, "find_spec", lambda name: object())
    monkeypatch.setattr(present, "find_spec", lambda name: None)
    wanted = {"yunet": YUNET, "dlib": SHAPE_PREDICTOR}[name]
    with pytest.raises(FaceError) as error:
        load_detector(name, [tmp_path / "models"])
    text = str(error.value)
    assert wanted.name in text and str(tmp_path / "models" / wanted.name) in text and "https://" in text


def test_a_missing_package_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(dlib68, "find_spec", lambda name: None)
    with pytest.raises(FaceError, match="pip install dlib-bin"):
        load_detector("dlib", [tmp_path])


def test_an_unknown_detector_is_refused(tmp_path):
    with pytest.raises(FaceError, match="expected one of yunet, dlib"):
        load_detector("retina", [tmp_path])


def test_a_file_is_downloaded_into_the_first_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fetch", lambda file, folder: folder / file.place)
    assert face_file(YUNET, [tmp_path / "a", tmp_path / "b"]) == tmp_path / "a/yunet_final.pth"


def test_a_broken_predictor_is_refused(tmp_path):
    pytest.importorskip("dlib", reason="needs dlib (pip install dlib-bin)")
    (tmp_path / SHAPE_PREDICTOR.name).write_bytes(b"nothing")
    with pytest.raises(FaceError, match="cannot be read by dlib"):
        load_detector("dlib", [tmp_path])


class Pretended:
    """A detector that answers as it is told."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, photo, quick=False):
        return self.answer(photo)


@pytest.mark.parametrize("turns", range(4))
def test_a_photo_is_turned_until_somebody_stands_upright(turns):
    points = face(90, 40, 1.0).double()
    # Its one face stands upright where the bright corner is at the top left.
    detector = Pretended(lambda photo: [points] if photo[0, 0, 0] == 255 else [])
    upright = torch.zeros(3, 60, 120, dtype=torch.uint8)
    upright[:, 0, 0] = 255
    found = find_faces(upright.rot90(-turns, (1, 2)), detector)
    x, y = points.T
    expected = {0: (x, y), 1: (60 - y, x), 2: (120 - x, 60 - y), 3: (y, 120 - x)}[turns]
    assert torch.allclose(found[0], torch.stack(expected, dim=1))


class Blind:
    """dlib's detector that sees nobody and keeps the sizes that it was asked about."""

    def __init__(self):
        self.asked = []

    def run(self, picture, upsampled, threshold):
        self.asked.append(max(picture.shape[:2]))
        return [], [], []


@pytest.mark.parametrize(
    ("size", "sides"), [((3000, 4000), [1600, 3200, 1600, 1600, 1600]), ((300, 400), [800, 800, 800, 800])]
)
def test_small_faces_are_looked_for_again_in_a_larger_picture(size, sides):
    blind = Blind()
    assert find_faces(torch.zeros(3, *size, dtype=torch.uint8), dlib68.DlibDetector(blind, None, None)) == []
    assert blind.asked == sides


def test_the_published_package_is_not_imported(dlib_detector):
    assert importlib.util.find_spec("face_recognition_models") is None or "face_recognition_models" not in sys.modules
