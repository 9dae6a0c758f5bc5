"""LPIPS: its arithmetic against a second implementation, its laws, and files in the public layouts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.perception.lpips import LPIPS, find_lpips, load_lpips, unit_normalise

# Number in torchvision's file -> shape of the weight.
ALEX = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}
VGG_WIDTHS = {0: 64, 2: 64, 5: 128, 7: 128, 10: 256, 12: 256, 14: 256}
VGG_WIDTHS |= dict.fromkeys((17, 19, 21, 24, 26, 28), 512)
VGG = {
    n: (width, before, 3, 3) for (n, width), before in zip(VGG_WIDTHS.items(), [3, *VGG_WIDTHS.values()], strict=False)
}
HEADS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}


@dataclass
class Files:
    backbone: Path
    heads: Path
    state: dict
    head_state: dict


def write(folder, kind, head_name="lin{}.model.1.weight"):
    random = torch.Generator().manual_seed(7)
    state = {}
    for n, shape in (ALEX if kind == "alex" else VGG).items():
        state[f"features.{n}.weight"] = torch.randn(shape, generator=random) * (2 / np.prod(shape[1:])) ** 0.5
        state[f"features.{n}.bias"] = torch.randn(shape[0], generator=random) * 0.1
    state["classifier.6.weight"] = torch.zeros(3, 4)
    heads = {head_name.format(i): torch.rand(1, width, 1, 1, generator=random) for i, width in enumerate(HEADS[kind])}
    names = {"alex": "alexnet-owt-7be5be79.pth", "vgg": "vgg16-397923af.pth"}
    files = Files(folder / names[kind], folder / f"{kind}.pth", state, heads)
    torch.save(state, files.backbone)
    torch.save(heads, files.heads)
    return files


@pytest.fixture(scope="module")
def alex(tmp_path_factory):
    return write(tmp_path_factory.mktemp("alex"), "alex")


@pytest.fixture(scope="module")
def network(alex):
    return load_lpips(alex.backbone, alex.heads)


@pytest.fixture(scope="module")
def pictures():
    return (torch.rand(2, 2, 3, 40, 36, generator=torch.Generator().manual_seed(1)) * 2 - 1).unbind()


def convolve(x, weight, bias, stride, padding):
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(1, 2))[:, ::stride, ::stride]
    return np.tensordot(weight, windows, ((1, 2, 3), (0, 3, 4))) + bias[:, None, None]


def pool(x, kernel, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(1, 2))
    return windows[:, ::stride, ::stride].max(axis=(3, 4))


def alexnet_levels(image, state):
    """The five ReLU outputs in float64, written down from the paper's table without torch."""
    x = (image - np.array([-0.030, -0.088, -0.188])[:, None, None]) / np.array([0.458, 0.448, 0.450])[:, None, None]
    levels = []
    for n, stride, padding in ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1)):
        if n in (3, 6):
            x = pool(x, 3, 2)
        weight, bias = (state[f"features.{n}.{part}"].double().numpy() for part in ("weight", "bias"))
        x = np.maximum(convolve(x, weight, bias, stride, padding), 0)
        levels.append(x)
    return levels


def test_equals_a_second_implementation_in_float64(alex, network, pictures):
    a, b = (p[0].double().numpy() for p in pictures)
    expected = 0.0
    for i, (x, y) in enumerate(zip(alexnet_levels(a, alex.state), alexnet_levels(b, alex.state), strict=True)):
        x, y = (z / (np.sqrt((z**2).sum(axis=0)) + 1e-10) for z in (x, y))
        weight = alex.head_state[f"lin{i}.model.1.weight"].double().numpy()[0]
        expected += (weight * (x - y) ** 2).sum(axis=0).mean()
    torch.testing.assert_close(network(*pictures)[0].item(), expected, rtol=1e-5, atol=0)


def test_same_picture_is_0_and_another_is_not(network, pictures):
    a, b = pictures
    assert torch.equal(network(a, a), torch.zeros(2))
    assert (network(a, b) > 0.01).all()
    torch.testing.assert_close(network(a, b), network(b, a))


def test_batch_equals_loop(network, pictures):
    a, b = pictures
    loop = torch.cat([network(a[i : i + 1], b[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(network(a, b), loop)


def test_gradient_reaches_the_picture_only_and_is_finite_where_features_vanish(network, pictures):
    a = pictures[0].clone().requires_grad_()
    network(a, pictures[1]).sum().backward()
    assert a.grad.isfinite().all() and a.grad.any()
    assert not any(p.requires_grad for p in network.parameters())
    dead = torch.zeros(1, 4, 2, 2, requires_grad=True)
    unit_normalise(dead).sum().backward()
    assert dead.grad.isfinite().all()


def test_vgg_is_recognised_and_runs(tmp_path):
    files = write(tmp_path, "vgg")
    network = load_lpips(*find_lpips(tmp_path, "vgg"))
    assert network.kind == "vgg"
    assert torch.equal(network.features[28].weight, files.state["features.28.weight"])
    a = torch.rand(1, 3, 32, 32)
    assert [tuple(x.shape[1:]) for x in network.levels(a)] == [
        (64, 32, 32),
        (128, 16, 16),
        (256, 8, 8),
        (512, 4, 4),
        (512, 2, 2),
    ]
    assert network(a, 1 - a) > 0


def test_heads_as_psp_names_them(tmp_path, network, pictures):
    files = write(tmp_path, "alex", "{}.1.weight")
    assert torch.equal(load_lpips(files.backbone, files.heads, "alex")(*pictures), network(*pictures))


def test_files_are_found_or_named(alex):
    assert find_lpips(alex.backbone.parent) == (alex.backbone, alex.heads)
    with pytest.raises(MissingWeightsError, match="put vgg16-397923af.pth of torchvision .* into") as caught:
        find_lpips(alex.backbone.parent, "vgg")
    assert str(alex.backbone.parent) in str(caught.value) and isinstance(caught.value, FileNotFoundError)


def test_wrong_files(alex, tmp_path):
    with pytest.raises(CheckpointError, match="holds the alex backbone; expected vgg"):
        load_lpips(alex.backbone, alex.heads, "vgg")
    with pytest.raises(CheckpointError, match="neither AlexNet nor VGG16 .*absent"):
        load_lpips(alex.heads, alex.backbone)
    with pytest.raises(CheckpointError, match="does not hold the expected LPIPS heads"):
        load_lpips(alex.backbone, alex.backbone)
    short = tmp_path / "short.pth"
    torch.save({k: v for k, v in alex.state.items() if k != "features.8.bias"}, short)
    with pytest.raises(CheckpointError, match="LPIPS backbone alex; missing: 8.bias"):
        load_lpips(short, alex.heads)


def test_unlike_or_small_pictures_and_unknown_kinds(network):
    for a, b in ((torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 32, 32)), [torch.zeros(1, 3, 16, 16)] * 2):
        with pytest.raises(ValueError, match="at least 32 px"):
            network(a, b)
    for make in (LPIPS, lambda kind: find_lpips(".", kind)):
        with pytest.raises(ValueError, match="'squeeze' is unknown; expected one of alex, vgg"):
            make("squeeze")
