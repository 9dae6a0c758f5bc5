"""Detectors: their files, their output, and how photos are searched."""

import importlib.util
import sys

import numpy as np
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
from sfe_models.faces.find import dlib68, yunet
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
    monkeypatch.setattr(files, "fetch", lambda file, folder, progress: folder / file.place)
    assert face_file(YUNET, [tmp_path / "a", tmp_path / "b"]) == tmp_path / "a/yunet_final.pth"


def test_a_broken_predictor_is_refused(tmp_path):
    pytest.importorskip("dlib", reason="needs dlib (pip install dlib-bin)")
    (tmp_path / SHAPE_PREDICTOR.name).write_bytes(b"nothing")
    with pytest.raises(FaceError, match="cannot be read by dlib"):
        load_detector("dlib", [tmp_path])


class Pretended:
    """A detector that answers as it is told and keeps the sizes that it was asked about."""

    sides = (1000, 2000)

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def __call__(self, picture, photo):
        self.asked.append(max(picture.shape[:2]))
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


@pytest.mark.parametrize(
    ("size", "sides"), [((3000, 4000), [1000, 2000, 1000, 1000, 1000]), ((300, 400), [800, 800, 800, 800, 800])]
)
def test_small_faces_are_looked_for_again_in_a_larger_picture(size, sides):
    detector = Pretended(lambda photo: [])
    assert find_faces(torch.zeros(3, *size, dtype=torch.uint8), detector) == []
    assert detector.asked == sides


@pytest.fixture
def network():
    pytest.importorskip("kornia.contrib.face_detection", reason="needs kornia")
    torch.manual_seed(0)
    return yunet.new_network().eval()


def test_yunet_is_decoded_as_kornia_decodes_it(network, monkeypatch):
    from kornia.contrib import face_detection

    pictures = torch.rand(1, 3, 128, 192, generator=torch.Generator().manual_seed(1)) * 255
    with torch.no_grad():
        output = network(pictures)
    output["conf"][0, ::9, 1], output["iou"][0, ::9] = 0.9, torch.rand(len(output["iou"][0, ::9]), 1) * 0.5 + 0.5
    theirs = torch.nn.Module.__new__(face_detection.FaceDetector)
    torch.nn.Module.__init__(theirs)
    theirs.__dict__.update(
        min_sizes=[[10, 16, 24], [32, 48], [64, 96], [128, 192, 256]], steps=[8, 16, 32, 64], variance=[0.1, 0.2],
        clip=False, confidence_threshold=0.6, nms_threshold=0.3, top_k=5000, keep_top_k=750,
        nms=face_detection.nms_kornia,
    )  # fmt: skip
    expected = theirs.postprocess(output, 128, 192)[0]
    boxes, points, scores = yunet.decoded(output, 128, 192)
    assert len(expected) > 5
    assert torch.allclose(torch.cat([boxes, points.flatten(1), scores[:, None]], dim=1), expected, atol=1e-3)


def test_yunet_is_loaded_from_its_file_and_scales_to_the_photo(tmp_path, network):
    torch.save(network.state_dict(), tmp_path / YUNET.name)
    detector = load_detector("yunet", [tmp_path])
    assert all(torch.equal(a, b) for a, b in zip(detector.network.parameters(), network.parameters(), strict=True))
    picture = np.random.default_rng(0).integers(0, 255, (100, 150, 3), dtype=np.uint8)
    detector = yunet.YuNetDetector(detector.network, threshold=0.0)
    small, large = (detector(picture, np.zeros((100 * n, 150 * n, 3), dtype=np.uint8)) for n in (1, 3))
    assert len(small) == len(large) > 0 and small[0].shape == (5, 2)
    assert all(torch.allclose(3 * a, b) for a, b in zip(small, large, strict=True))


def test_a_file_of_something_else_is_refused(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / YUNET.name)
    with pytest.raises(FaceError, match="does not hold YuNet"):
        load_detector("yunet", [tmp_path])


def test_the_published_package_is_not_imported(dlib_detector):
    assert importlib.util.find_spec("face_recognition_models") is None or "face_recognition_models" not in sys.modules
