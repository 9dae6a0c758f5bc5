"""FID's Inception network: a file in the public layout, poolings, preparation of pictures, wrong files."""

import pytest
import torch
import torch.nn.functional as F

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.checkpoints.weights import INCEPTION
from sfe_models.perception.inception import FEATURES, Inception, find_inception, load_inception

# Keys and shapes written down from torchvision's tables: name -> (outputs, inputs, height, width).
SOME = {
    "Conv2d_1a_3x3": (32, 3, 3, 3),
    "Conv2d_4a_3x3": (192, 80, 3, 3),
    "Mixed_5b.branch5x5_2": (64, 48, 5, 5),
    "Mixed_5d.branch_pool": (64, 288, 1, 1),
    "Mixed_6a.branch3x3": (384, 288, 3, 3),
    "Mixed_6b.branch7x7_2": (128, 128, 1, 7),
    "Mixed_6e.branch7x7dbl_4": (192, 192, 7, 1),
    "Mixed_7a.branch7x7x3_4": (192, 192, 3, 3),
    "Mixed_7b.branch3x3dbl_3b": (384, 384, 3, 1),
    "Mixed_7c.branch3x3_2a": (384, 384, 1, 3),
    "Mixed_7c.branch_pool": (192, 2048, 1, 1),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A stand-in for the public file."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("inception")
    with torch.device("meta"):
        shapes = {key: tensor.shape for key, tensor in Inception().state_dict().items() if "num_batches" not in key}
    state = {}
    for key, shape in shapes.items():
        if len(shape) == 4:
            state[key] = torch.randn(shape) * (2 / shape[1:].numel()) ** 0.5
        else:
            state[key] = torch.rand(shape) * 0.1 + (0.0 if key.endswith(("bias", "mean")) else 1.0)
    state |= {"fc.weight": torch.zeros(1008, FEATURES), "fc.bias": torch.zeros(1008)}
    torch.save(state, folder / INCEPTION.name)
    return folder


@pytest.fixture(scope="module")
def network(folder):
    return load_inception(find_inception(folder))


def test_layout_is_the_public_one(network):
    state = network.state_dict()
    for name, shape in SOME.items():
        assert tuple(state[f"{name}.conv.weight"].shape) == shape
        assert tuple(state[f"{name}.bn.running_var"].shape) == shape[:1]
    assert sum(key.endswith("conv.weight") for key in state) == 94
    # torchvision's Inception v3 without its auxiliary head, less the last layer.
    assert sum(p.numel() for p in network.parameters()) == 23_834_568 - 2_049_000


def test_features(network):
    pictures = torch.rand(2, 3, 40, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1
    features = network(pictures)
    assert features.shape == (2, FEATURES) and features.isfinite().all()
    prepared = F.interpolate(pictures[1:], size=(299, 299), mode="bilinear")
    torch.testing.assert_close(network(prepared), features[1:], rtol=1e-3, atol=1e-5)  # and batch equals loop
    assert not network.train().training and not any(p.requires_grad for p in network.parameters())


def test_mean_pooling_leaves_the_border_out_and_the_last_block_takes_the_maximum(network):
    seen = {}
    hooks = [
        network.get_submodule(f"{block}.branch_pool").register_forward_pre_hook(
            lambda _, x, block=block: seen.update({block: x[0]})
        )
        for block in ("Mixed_7b", "Mixed_7c")
    ]
    flat, bump = torch.ones(1, 1280, 8, 8), torch.zeros(1, 2048, 8, 8)
    bump[..., 0, 0] = 5
    network.Mixed_7b(flat), network.Mixed_7c(bump)
    for hook in hooks:
        hook.remove()
    assert torch.equal(seen["Mixed_7b"], flat)
    assert seen["Mixed_7c"][0, 0, :2, :2].eq(5).all() and not seen["Mixed_7c"][0, 0, 2:].any()


def test_missing_file_is_one_sentence_with_its_place(tmp_path):
    with pytest.raises(MissingWeightsError, match=f"put {INCEPTION.name} of .* into {tmp_path}"):
        find_inception(tmp_path)


def test_wrong_file(tmp_path):
    torch.save({"Conv2d_1a_3x3.conv.weight": torch.zeros(32, 3, 1, 1)}, tmp_path / INCEPTION.name)
    with pytest.raises(CheckpointError, match="FID Inception network; missing: .*has shape"):
        load_inception(find_inception(tmp_path))
