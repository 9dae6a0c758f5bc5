"""The cheap perceptual distance: its laws, and the published file."""

import pytest
import torch

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.perception.mobilenet_distance import MobileNetDistance, find_mobilenet, load_mobilenet_distance


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return MobileNetDistance().requires_grad_(False).eval()


def test_a_picture_is_at_no_distance_from_itself_and_the_order_does_not_matter(network):
    a, b = torch.rand(2, 2, 3, 64, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(network(a, a), torch.zeros(2))
    assert torch.equal(network(a, b), network(b, a)) and (network(a, b) > 0).all()
    torch.testing.assert_close(network(a, b)[1:], network(a[1:], b[1:]), rtol=1e-4, atol=1e-6)


def test_pictures_of_different_sizes_are_refused(network):
    with pytest.raises(ValueError, match="shapes"):
        network(torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 32, 32))


def test_a_file_without_the_backbone_is_refused(tmp_path):
    torch.save({"features.0.0.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "mobilenet.pth")
    with pytest.raises(CheckpointError, match="MobileNetV2"):
        load_mobilenet_distance(tmp_path / "mobilenet.pth")


def test_the_published_file_reads_every_tensor(real_weights):
    network = load_mobilenet_distance(find_mobilenet(real_weights))
    a = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    blurred = torch.nn.functional.avg_pool2d(a, 5, 1, 2)
    assert 0 < network(a, a.lerp(blurred, 0.2)) < network(a, blurred)
