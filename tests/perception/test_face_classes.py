"""The small face parser: probabilities, its file, what the real one sees."""

import pytest
import torch

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.perception.face_classes import CLASSES, FACE, find_face_classes, load_face_classes, of_classes


@pytest.fixture(scope="module")
def network(measuring_files):
    return load_face_classes(find_face_classes(measuring_files))


def test_the_19_classes_of_every_pixel_add_up_to_1(network, faces):
    found = network(faces)
    assert found.shape == (3, 19, 256, 256) and len(set(CLASSES)) == 19 and set(FACE) < set(CLASSES)
    assert torch.allclose(of_classes(found, *CLASSES), torch.ones(3, 256, 256), atol=1e-5)
    assert torch.equal(of_classes(found, "skin"), found[:, CLASSES.index("skin")])


def test_a_batch_equals_its_pictures_alone(network, faces):
    assert torch.allclose(network(faces)[1:2], network(faces[1:2]), atol=1e-5)


def test_another_file_is_refused(tmp_path):
    torch.save({"enc1.0.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "model_best.pth")
    with pytest.raises(CheckpointError, match="small face parser; missing"):
        load_face_classes(find_face_classes(tmp_path))


def test_where_to_get_it_is_said(tmp_path):
    with pytest.raises(MissingWeightsError, match="lightweight-unet-face-parsing"):
        find_face_classes(tmp_path)
