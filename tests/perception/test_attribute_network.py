"""The rendered domain's network: shapes, laws of its distance, files."""

import pytest
import torch
from safetensors.torch import save_file

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.perception.attribute_network import (
    AttributeNetwork,
    load_attribute_network,
    save_attribute_network,
)
from sfe_models.perception.identity import identity_similarity

NAMES = ("age", "smile", "hair hue")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return AttributeNetwork(NAMES).eval()


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(2)) * 2 - 1


def test_shapes_and_size(network, pictures):
    assert network(pictures).shape == (2, 3)
    assert [tuple(f.shape) for f in network.features(pictures)] == [
        (2, 24, 64, 64),
        (2, 48, 32, 32),
        (2, 96, 16, 16),
        (2, 128, 8, 8),
    ]
    assert 500_000 < sum(p.numel() for p in network.parameters()) < 1_000_000


@pytest.mark.parametrize("side", [64, 200])
def test_any_size_goes_in(network, side):
    assert network(torch.rand(1, 3, side, side)).shape == (1, 3)


def test_batch_equals_loop(network, pictures):
    for what in (network, network.embed):
        loop = torch.cat([what(p[None]) for p in pictures])
        torch.testing.assert_close(what(pictures), loop, rtol=1e-4, atol=1e-5)


def test_distance_is_lpips_arithmetic(network, pictures):
    a, b = pictures[:1], pictures[1:]
    assert network.perceptual_distance(pictures, pictures).tolist() == [0, 0]
    expected = 0.0
    for x, y in zip(network.features(a), network.features(b), strict=True):
        x, y = (z[0].double() / z[0].double().square().sum(dim=0).sqrt() for z in (x, y))
        expected += ((x - y) ** 2).sum() / x[0].numel()
    torch.testing.assert_close(network.perceptual_distance(a, b).double(), expected[None], rtol=1e-5, atol=0)


def test_distance_grows_with_the_noise(network, pictures):
    noise = torch.randn_like(pictures)
    distances = [network.perceptual_distance(pictures, pictures + s * noise).mean() for s in (0.01, 0.1, 0.5)]
    assert distances == sorted(distances) and distances[0] > 0


def test_serves_as_identity_network(network, pictures):
    embedding = network.embed(pictures)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2))
    assert embedding.shape == (2, network.embedding)
    torch.testing.assert_close(identity_similarity(network, pictures, pictures), torch.ones(2))


def test_learns():
    torch.manual_seed(1)
    network = AttributeNetwork(["brightness"], widths=(4, 4, 8, 8), embedding=8)
    level = torch.rand(8, 1)
    image = (2 * level - 1)[..., None, None].expand(-1, 3, 128, 128)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    losses = []
    for _ in range(40):
        loss = (network(image) - level).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_save_then_load_is_bit_identical(tmp_path, pictures):
    network = AttributeNetwork(NAMES, widths=(4, 8, 8, 12), embedding=6)
    loaded = load_attribute_network(save_attribute_network(network, tmp_path / "folder" / "net.safetensors"))
    assert (loaded.names, loaded.widths, loaded.embedding) == (NAMES, (4, 8, 8, 12), 6)
    assert torch.equal(loaded(pictures), network(pictures))
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())


def test_wrong_files(tmp_path, network):
    path = tmp_path / "other.safetensors"
    save_file({"w": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="kind 'unknown'; expected 'sfe_attribute_network'"):
        load_attribute_network(path)
    save_file({"w": torch.zeros(1)}, path, {"kind": "sfe_attribute_network", "names": "[]"})
    with pytest.raises(CheckpointError, match="unusable metadata"):
        load_attribute_network(path)
    metadata = {"kind": "sfe_attribute_network", "names": '["a"]', "widths": "[4, 4, 4, 4]", "embedding": "4"}
    save_file({"w": torch.zeros(1)}, path, metadata)
    with pytest.raises(CheckpointError, match="expected attribute network; missing: blocks"):
        load_attribute_network(path)


def test_wrong_names_and_widths():
    for names in ([], ["a", "a"]):
        with pytest.raises(ValueError, match="expected at least one, each once"):
            AttributeNetwork(names)
    with pytest.raises(ValueError, match="3 widths; expected 4"):
        AttributeNetwork(["a"], widths=(4, 4, 4))
