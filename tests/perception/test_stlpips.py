"""ST-LPIPS: its laws, its file, and the real file against numbers of the package's own run."""

import pytest
import torch
import torch.nn.functional as F
from perception.measuring_files import stlpips_state

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.perception.lpips import BACKBONES
from sfe_models.perception.stlpips import BlurDown, find_stlpips, load_stlpips


@pytest.fixture(scope="module")
def network(measuring_files):
    return load_stlpips(find_stlpips(measuring_files))


def test_a_picture_is_at_no_distance_from_itself_and_the_order_does_not_matter(network, faces):
    others = faces.roll(1, dims=0)
    assert torch.equal(network(faces, faces), torch.zeros(3))
    forth, back = network(faces, others), network(others, faces)
    assert torch.equal(forth, back) and (forth > 0).all()


def test_a_batch_equals_its_pictures_alone(network, faces):
    others = faces.flip(3)
    alone = torch.cat([network(a[None], b[None]) for a, b in zip(faces, others, strict=True)])
    assert torch.allclose(network(faces, others), alone, atol=1e-6)


def test_more_noise_is_further_away(network, faces):
    noise = torch.randn(faces.shape, generator=torch.Generator().manual_seed(0))
    distances = torch.stack([network(faces, faces + share * noise) for share in (0.05, 0.2, 0.8)])
    assert (distances.diff(dim=0) > 0).all()


def test_every_convolution_has_stride_1_and_every_halving_is_blurred(network):
    assert all(convolution.stride == (1, 1) for convolution in network.convolutions)
    stripes = torch.tensor([1.0, -1.0]).repeat(16).expand(1, 2, 32, 32)
    assert BlurDown()(stripes)[:, :, 2:-2, 2:-2].abs().max() < 1e-6
    assert torch.allclose(BlurDown()(torch.ones(1, 2, 32, 30)), torch.ones(1, 2, 17, 16))


def test_the_five_levels_have_alexnets_widths_and_unit_length(network, faces):
    levels = network.levels(faces)
    assert [level.shape[1] for level in levels] == [c[0] for c in BACKBONES["alex"].layers if len(c) > 2]
    lengths = torch.cat([level.norm(dim=1).flatten() for level in levels])
    assert ((lengths - 1).abs().lt(1e-4) | lengths.eq(0)).all()


def test_gradients_reach_the_picture(network, faces):
    picture = faces.clone().requires_grad_()
    network(picture, faces.flip(2)).sum().backward()
    assert picture.grad.isfinite().all() and picture.grad.any()


def test_pictures_of_two_sizes_are_refused(network, faces):
    with pytest.raises(ValueError, match="shapes"):
        network(faces, faces[:, :, :80])


def test_another_file_is_named(tmp_path, network):
    state = stlpips_state(network)
    del state["lin3.model.1.weight"]
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"heads\.3\.weight.*alex_shift_tolerant\.pth"):
        load_stlpips(tmp_path / "a.pth")
    with pytest.raises(MissingWeightsError, match="pip download --no-deps stlpips-pytorch"):
        find_stlpips(tmp_path)


def test_the_real_file_gives_the_packages_numbers(real_weights):
    network = load_stlpips(find_stlpips(real_weights))
    rows = torch.linspace(-1, 1, 64)
    a = torch.stack([rows[:, None].expand(64, 64), rows.expand(64, 64), (rows[:, None] * rows).sin()])[None]
    b = F.avg_pool2d(a, 5, 1, 2, count_include_pad=False).flip(1)
    # Printed by stlpips_pytorch 0.0.2: LPIPS(net="alex", variant="shift_tolerant").
    expected = [0.308383, 0.153837]
    found = torch.stack([network(a, b)[0], network(a, a.roll(3, dims=3))[0]])
    assert torch.allclose(found, torch.tensor(expected), rtol=1e-4)
