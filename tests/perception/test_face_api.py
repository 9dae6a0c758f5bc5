"""face-api's networks: quantised files, TensorFlow's padding, and the real files against the package's own run."""

import pytest
import torch
import torch.nn.functional as F
from perception.measuring_files import FACE_API, ramps, seeded, write_quantised

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.measuring_weights import EXPRESSION, POINTS, SMALL_AGE
from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.perception import face_api
from sfe_models.perception.face_api import find_face_api

LOAD = {
    EXPRESSION: face_api.load_expression,
    POINTS: face_api.load_landmarks,
    SMALL_AGE: face_api.load_face_api_age,
}
SHAPES = {EXPRESSION: (3, 7), POINTS: (3, 68, 2), SMALL_AGE: (3,)}
FILES = pytest.mark.parametrize("file", LOAD, ids=lambda file: file.name)


@FILES
def test_outputs_have_their_shapes_and_a_batch_equals_its_pictures_alone(measuring_files, faces, file):
    network = LOAD[file](find_face_api(file, measuring_files))
    found = network(faces)
    assert found.shape == SHAPES[file] and found.isfinite().all()
    assert torch.allclose(found, torch.cat([network(face[None]) for face in faces]), rtol=1e-3, atol=1e-3 * found.std())
    assert not torch.allclose(found[0], found[1])


@FILES
def test_what_was_written_comes_back_within_half_a_step_of_its_rounding(tmp_path, file):
    name = file.name.removesuffix(".bin")
    network = seeded(FACE_API[name]())
    write_quantised(network, tmp_path, name)
    read = LOAD[file](tmp_path / file.name).state_dict()
    for key, tensor in network.state_dict().items():
        step = (tensor.max() - tensor.min()) / 255 if tensor.ndim > 1 else 0
        assert (read[key] - tensor).abs().max() <= step / 2 + 1e-6, key


@pytest.mark.parametrize("side", [7, 8])
def test_stride_2_sees_what_tensorflow_sees(side):
    """An even side is padded at its end alone, an odd one at both."""
    picture = torch.arange(float(side)).expand(1, 1, side, side)
    convolution = face_api.Convolution(1, 1, stride=2)
    convolution.filters.data[0, 0, 1] = torch.tensor([0.0, 1.0, 0.0])  # the middle of the window
    found = convolution(picture)[0, 0, 1].tolist()
    assert found == [float(column) for column in range(1 if side % 2 == 0 else 0, side, 2)]


@FILES
def test_a_file_that_does_not_fit_its_list_is_refused(tmp_path, measuring_files, file):
    path = find_face_api(file, measuring_files)
    manifest = path.with_name(f"{path.stem}-weights_manifest.json")
    (tmp_path / path.name).write_bytes(path.read_bytes() + b"more")
    (tmp_path / manifest.name).write_bytes(manifest.read_bytes())
    with pytest.raises(CheckpointError, match="get both again"):
        LOAD[file](tmp_path / path.name)
    (tmp_path / path.name).write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match="get both from"):
        LOAD[file](tmp_path / path.name)


def test_another_networks_files_are_refused(measuring_files):
    with pytest.raises(CheckpointError, match="does not hold the expected landmark network"):
        face_api.load_landmarks(find_face_api(EXPRESSION, measuring_files))


def test_both_files_are_asked_for(tmp_path, measuring_files):
    with pytest.raises(MissingWeightsError, match=r"face_expression_model\.bin.*npm pack"):
        find_face_api(EXPRESSION, tmp_path)
    path = find_face_api(EXPRESSION, measuring_files)
    (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(MissingWeightsError, match="weights_manifest"):
        find_face_api(EXPRESSION, tmp_path)


def test_the_real_files_give_the_packages_numbers(real_weights):
    """Printed by @vladmandic/face-api 1.7.15 with the backend "cpu", for the ramps as levels of 255."""
    expression = face_api.load_expression(find_face_api(EXPRESSION, real_weights))
    expected = [-0.889817, -2.685634, -2.093682, -5.041829, -5.234361, -6.179152, -4.188078]
    assert torch.allclose(expression.run(ramps(112))[0], torch.tensor(expected), atol=1e-4)
    points = face_api.load_landmarks(find_face_api(POINTS, real_weights)).run(ramps(112))
    assert torch.allclose(points[0, :4], torch.tensor([0.343668, 0.603392, 0.522947, 0.653255]), atol=1e-4)
    age = face_api.load_face_api_age(find_face_api(SMALL_AGE, real_weights))
    assert torch.allclose(age.run(ramps(112)), torch.tensor([8.776108]), atol=1e-3)


def test_a_dense_block_sums_what_came_before():
    block = seeded(face_api.DenseBlock(3, 4, False))
    x = torch.rand(1, 3, 8, 8)
    first = F.relu(block.conv0(x))
    second = block.conv1(first)
    third = block.conv2(F.relu(first + second))
    fourth = block.conv3(F.relu(first + second + third))
    assert torch.allclose(block(x), F.relu(first + second + third + fourth), atol=1e-5)
