"""YuNet: its file, its output, and, where its real file is, the faces of real photos."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import SHARED

from sfe_models.checkpoints.weights import YUNET
from sfe_models.faces.crop.alignment import align_face
from sfe_models.faces.errors import FaceError
from sfe_models.faces.find.detectors import find_faces, load_detector
from sfe_models.faces.find.yunet import YuNetDetector
from sfe_models.faces.find.yunet_output import distinct, faces_in, guesses, new_network
from sfe_models.pictures.image_io import load_photo

WEIGHTS, PORTRAITS = Path(SHARED) / "data/weights", Path(SHARED) / "data/photos-cc0"
# The farthest corner between two crops, in sides: of one photo at two sizes, and by YuNet and by dlib.
SAME_PHOTO, DLIB = 0.03, 0.09


@pytest.fixture
def network():
    pytest.importorskip("kornia.contrib.face_detection", reason="needs kornia")
    torch.manual_seed(0)
    return new_network().eval()


def noise(*size):
    return torch.rand(*size, generator=torch.Generator().manual_seed(1)) * 255


def test_it_is_decoded_as_kornia_decodes_it(network):
    from kornia.contrib import face_detection

    with torch.no_grad():
        output = network(noise(1, 3, 128, 192))
    output["conf"][0, ::9, 1], output["iou"][0, ::9] = 0.9, torch.rand(len(output["iou"][0, ::9]), 1) * 0.5 + 0.5
    theirs = torch.nn.Module.__new__(face_detection.FaceDetector)
    torch.nn.Module.__init__(theirs)
    theirs.__dict__.update(
        min_sizes=[[10, 16, 24], [32, 48], [64, 96], [128, 192, 256]], steps=[8, 16, 32, 64], variance=[0.1, 0.2],
        clip=False, confidence_threshold=0.6, nms_threshold=0.3, top_k=5000, keep_top_k=750,
        nms=face_detection.nms_kornia,
    )  # fmt: skip
    expected = theirs.postprocess(output, 128, 192)[0]
    boxes, points, scores = guesses({name: part[0] for name, part in output.items()}, 128, 192, 0.6)
    found = torch.cat([boxes, points.flatten(1), scores[:, None]], dim=1)[distinct(boxes, scores)]
    assert len(expected) > 5
    assert torch.allclose(found, expected, atol=1e-3)


def test_batch_equals_loop(network):
    pictures = noise(3, 3, 100, 150)
    together = faces_in(network, pictures, 0.3)
    for picture, (boxes, points) in zip(pictures, together, strict=True):
        [(own_boxes, own_points)] = faces_in(network, picture[None], 0.3)
        assert len(boxes) > 0
        assert torch.allclose(boxes, own_boxes, atol=1e-3) and torch.allclose(points, own_points, atol=1e-3)


def test_it_is_loaded_from_its_file(tmp_path, network):
    torch.save(network.state_dict(), tmp_path / YUNET.name)
    detector = load_detector("yunet", [tmp_path])
    assert all(torch.equal(a, b) for a, b in zip(detector.network.parameters(), network.parameters(), strict=True))


def test_a_file_of_something_else_is_refused(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / YUNET.name)
    with pytest.raises(FaceError, match="does not hold YuNet"):
        load_detector("yunet", [tmp_path])


@pytest.fixture(scope="module")
def detector():
    if not (WEIGHTS / YUNET.name).is_file():
        pytest.skip("needs YuNet's real file; set SFE_SHARED to the folder of the shared data")
    pytest.importorskip("kornia.contrib.face_detection", reason="needs kornia")
    return YuNetDetector.load([WEIGHTS])


def portrait(number):
    path = PORTRAITS / f"portrait_{number:03}.jpg"
    if not path.is_file():
        pytest.skip("needs the photos; set SFE_SHARED to the folder of the shared data")
    return load_photo(path).pixels


def resized(photo, factor):
    made = F.interpolate(photo[None].float(), scale_factor=factor, mode="bicubic", antialias=factor < 1)[0]
    return made.round().clamp(0, 255).to(torch.uint8)


def quads(photo, found):
    return [align_face(points, tuple(photo.shape[1:]), (64, 64)).quad() for points in found]


def apart(one, other):
    return float((one - other).norm(dim=1).max() / (one[3] - one[0]).norm())


@pytest.mark.parametrize("number", [7, 13, 14, 23])
def test_crops_of_real_photos_are_dlibs(detector, dlib_detector, number):
    photo = portrait(number)
    [found], [known] = (quads(photo, find_faces(photo, one)) for one in (detector, dlib_detector))
    assert apart(known, found) < DLIB


@pytest.mark.parametrize("factor", [0.5, 2.0])
@pytest.mark.parametrize("number", [4, 11])
def test_the_crop_does_not_depend_on_the_size_of_the_photo(detector, number, factor):
    photo = portrait(number)
    other = resized(photo, factor)
    [found], [again] = (quads(one, find_faces(one, detector)) for one in (photo, other))
    assert apart(found, again / factor) < SAME_PHOTO


def test_every_face_of_a_group_is_found_large_or_small(detector):
    photo = portrait(7)
    [alone] = quads(photo, find_faces(photo, detector))
    group, expected = torch.full((3, 1024, 1600), 110, dtype=torch.uint8), []
    for left, top, side in [(0, 0, 512), (520, 0, 256), (520, 300, 128), (800, 40, 128), (1000, 300, 600)]:
        group[:, top : top + side, left : left + side] = resized(photo, side / 512)[:, :side, :side]
        expected.append(alone * side / 512 + torch.tensor([left, top]))
    found = quads(group, find_faces(group, detector))
    assert len(found) == len(expected)
    assert all(min(apart(one, other) for other in found) < 2 * SAME_PHOTO for one in expected)


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket", "text"])
def test_nobody_is_found_where_nobody_is(detector, name):
    data = pytest.importorskip("skimage.data", reason="needs scikit-image (the test extra)")
    pixels = getattr(data, name)()
    pixels = np.stack([pixels] * 3, axis=-1) if pixels.ndim == 2 else pixels
    assert find_faces(torch.from_numpy(pixels.copy()).movedim(-1, 0), detector) == []
