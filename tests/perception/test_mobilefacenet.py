"""MobileFaceNet: laws of embeddings, its file, and the real file against ONNX Runtime's own run."""

import pytest
import torch
from perception.measuring_files import mobilefacenet_nodes, onnx, ramps

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.perception.identity import identity_similarity
from sfe_models.perception.mobilefacenet import find_mobilefacenet, load_mobilefacenet


@pytest.fixture(scope="module")
def network(measuring_files):
    return load_mobilefacenet(find_mobilefacenet(measuring_files))


def test_embeddings_have_length_1_and_a_picture_is_like_itself(network, faces):
    assert torch.allclose(network.embed(faces).norm(dim=1), torch.ones(3))
    assert torch.allclose(identity_similarity(network, faces, faces), torch.ones(3))
    assert (identity_similarity(network, faces, faces.roll(1, 0)) < 1 - 1e-4).all()


def test_a_batch_equals_its_pictures_alone(network, faces):
    alone = torch.cat([network.embed(face[None]) for face in faces])
    assert torch.allclose(network.embed(faces), alone, atol=1e-5)


def test_a_loss_reaches_the_picture_and_not_the_network(network, faces):
    picture = faces.clone().requires_grad_()
    network.embed(picture)[:, 0].sum().backward()
    assert picture.grad.any() and all(not p.requires_grad for p in network.parameters())
    assert not network.train().training


def test_another_network_is_refused(tmp_path, network):
    (tmp_path / "MobileFaceNet.onnx").write_bytes(onnx(mobilefacenet_nodes(network)[:-1]))
    with pytest.raises(CheckpointError, match="holds 50 convolutions"):
        load_mobilefacenet(find_mobilefacenet(tmp_path))


def test_where_to_get_it_is_said(tmp_path):
    with pytest.raises(MissingWeightsError, match=r"put MobileFaceNet\.onnx of foamliu/MobileFaceNet"):
        find_mobilefacenet(tmp_path)


def test_the_real_file_gives_onnx_runtimes_numbers(real_weights):
    network = load_mobilefacenet(find_mobilefacenet(real_weights))
    expected = torch.tensor([-1.15937, -0.66543, 0.65285, -0.05448])  # onnxruntime 1.32
    assert torch.allclose(network(ramps(112))[0, :4], expected, atol=1e-4)
