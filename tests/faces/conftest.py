"""What the tests of faces share."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from sfe_models.checkpoints.present import find_file
from sfe_models.checkpoints.weights import SHAPE_PREDICTOR
from sfe_models.choices import DLIB
from sfe_models.faces.crop.alignment import align_face
from sfe_models.faces.find.detectors import find_faces, load_detector

PHOTOS = ("astronaut", "gosling", "keanu", "potter", "robert", "scarlet", "smith", "watson")

FIVE = torch.tensor([[60.0, 62.0], [92.0, 58.0], [78.0, 80.0], [66.0, 98.0], [92.0, 94.0]])


@pytest.fixture
def five():
    """Five landmarks of a slightly turned face in a photo of 160 x 140 px."""
    return FIVE.clone()


@pytest.fixture
def photo():
    """A seeded photo [3,140,160] with large and small structure, in [0,1]."""
    random = torch.Generator().manual_seed(5)
    coarse = torch.rand(1, 3, 9, 10, generator=random)
    smooth = torch.nn.functional.interpolate(coarse, size=(140, 160), mode="bicubic", align_corners=False)[0]
    return (smooth + 0.01 * torch.randn(3, 140, 160, generator=random)).clamp(0, 1)


@pytest.fixture
def alignment(five, photo):
    return align_face(five, tuple(photo.shape[1:]), (64, 64))


@pytest.fixture(scope="session")
def dlib_detector():
    """dlib with its 68 points, as the test extra brings it."""
    pytest.importorskip("dlib", reason="needs dlib (pip install dlib-bin)")
    if find_file(SHAPE_PREDICTOR, ["models"]) is None:
        pytest.skip("needs dlib's predictor (pip install face_recognition_models)")
    return load_detector(DLIB, ["models"])


@pytest.fixture(scope="session")
def real_photo():
    """A real photo [3,H,W], uint8, by its name; skips where the photos are not there."""
    kept = {}

    def load(name: str) -> torch.Tensor:
        if name not in kept:
            kept[name] = _read(name)
        return kept[name]

    return load


def _read(name: str) -> torch.Tensor:
    if name == "astronaut":
        data = pytest.importorskip("skimage.data", reason="needs scikit-image (the test extra)")
        return torch.from_numpy(data.astronaut()).movedim(-1, 0)
    from conftest import SHARED

    found = sorted((Path(SHARED) / "data/photos").glob(f"{name}.*"))
    if not found:
        pytest.skip(f"needs the photo {name}; set SFE_SHARED to the folder of the shared data")
    picture = ImageOps.exif_transpose(Image.open(found[0])).convert("RGB")
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)


@pytest.fixture(scope="session")
def landmarks_68(dlib_detector, real_photo):
    """dlib's 68 points of the largest face of a real photo."""
    kept = {}

    def find(name: str) -> torch.Tensor:
        if name not in kept:
            kept[name] = find_faces(real_photo(name), dlib_detector)
        assert len(kept[name]) == 1, f"{name} shows one face"
        return kept[name][0]

    return find
