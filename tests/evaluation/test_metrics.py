"""L2 by hand, the laws of all metrics, and what is said where weights are missing."""

import pytest
import torch
from perception.test_lpips import write

from sfe_models.evaluation.comparison import as_saved, compared, l2
from sfe_models.evaluation.metrics import load_metrics
from sfe_models.perception.attribute_network import AttributeNetwork


@pytest.fixture(scope="module")
def pictures():
    return as_saved(torch.rand(2, 3, 3, 72, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1).unbind()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    write(folder, "alex")
    return folder


@pytest.fixture(scope="module")
def metrics(folder):
    torch.manual_seed(0)
    return load_metrics(folder, judge=AttributeNetwork(["age"], (4, 4, 8, 8), 4).eval())


def test_l2_by_hand():
    a, b = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    b[0, 0, 0, 0], b[0, 2, 1, 1] = 1.0, -0.5
    assert l2(a, b).item() == pytest.approx((1 + 0.25) / 12)
    black, white = torch.full((1, 3, 4, 4), -1.0), torch.ones(1, 3, 4, 4)
    assert l2(black, white).item() == 4  # in [-1,1], not [0,1]


def test_larger_pictures_are_compared_at_256():
    large = torch.zeros(1, 3, 512, 512)
    large[..., ::2] = 1.0  # stripes that the smaller picture cannot hold
    assert compared(large).shape[2:] == (256, 256) and compared(torch.zeros(1, 3, 384, 512)).shape[2:] == (256, 256)
    assert l2(large, 1 - large).item() < 1e-3
    small = torch.rand(1, 3, 128, 128)
    assert compared(small) is small


def test_as_saved_is_what_a_file_holds():
    made = as_saved(torch.tensor([-3.0, -1.0, 0.001, 1.0, 2.0]))
    assert made[[0, 1, 3, 4]].tolist() == [-1, -1, 1, 1]
    assert ((made + 1) * 127.5).round().sub((made + 1) * 127.5).abs().max() < 1e-4
    assert torch.equal(as_saved(made), made)


def test_laws(metrics, pictures):
    a, b = pictures
    same = metrics.compare(a, a)
    for row in same:
        assert row["l2"] == row["lpips"] == row["attributes"] == 0
        assert row["ms_ssim"] == pytest.approx(1, abs=1e-6)
    rows = metrics.compare(a, b)
    for i in reversed(range(3)):  # order and batch size do not matter
        assert metrics.compare(a[i : i + 1], b[i : i + 1])[0] == pytest.approx(rows[i], rel=1e-4)


def test_missing_weights_are_named_in_the_row(metrics, tmp_path, folder):
    assert tuple(metrics.paired) == ("l2", "lpips", "ms_ssim", "attributes") and metrics.features is None
    assert metrics.needs == {
        "fid": f"needs pt_inception-2015-12-05-6726825d.pth in {folder}",
        "id": f"needs model_ir_se50.pth in {folder}",
    }
    none = load_metrics(tmp_path)
    assert none.needs["lpips"] == f"needs alexnet-owt-7be5be79.pth and alex.pth in {tmp_path}"
    assert none.keys == ("l2", "ms_ssim")
    (tmp_path / "lpips_alex.pth").touch()  # another name in use
    assert load_metrics(tmp_path).needs["lpips"] == f"needs alexnet-owt-7be5be79.pth in {tmp_path}"
