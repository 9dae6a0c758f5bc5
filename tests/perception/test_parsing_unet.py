"""The parsing loss: its file in the published layout, its laws, and that it can be tuned with."""

import pytest
import torch
import torch.nn.functional as F
from perception.measuring_files import seeded
from torch import nn

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.perception.face_classes import FaceClasses
from sfe_models.perception.parsing_unet import (
    WIDTHS,
    ContractingPath,
    ParsingDistance,
    TwoConvolutions,
    find_parsing_unet,
    load_parsing_unet,
)

SMALL = (2, 3, 4, 5, 6)


def whole_file(widths=SMALL) -> dict[str, torch.Tensor]:
    """All tensors of the published U-Net, at other widths: the half that the loss does not look at too."""
    parts = {"path": seeded(ContractingPath(widths))}
    for level in range(4, 0, -1):
        out, before = widths[level - 1], widths[level]
        parts[f"up_concat{level}"] = nn.ModuleDict(
            {"conv": TwoConvolutions(before, out), "up": nn.ConvTranspose2d(before, out, 2, 2)}
        )
    parts["final"] = nn.Conv2d(widths[0], 19, 1)
    state = {f"{name}.{key}": t for name, part in parts.items() for key, t in part.state_dict().items()}
    return {key.removeprefix("path."): tensor for key, tensor in state.items()}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "parsing.pth"
    torch.save(whole_file(), path)
    return path


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(2, 2, 3, 64, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_five_levels_by_hand(file, pictures):
    network, state, x = load_parsing_unet(find_parsing_unet(file.parent)), whole_file(), pictures[0]
    assert WIDTHS == (16, 32, 64, 128, 256)
    levels = network.levels(x)
    for name, level in zip(("conv1", "conv2", "conv3", "conv4", "center"), levels, strict=True):
        for half in ("conv1", "conv2"):
            key = f"{name}.{half}"
            x = F.conv2d(x, state[f"{key}.0.weight"], state[f"{key}.0.bias"], padding=1)
            norm = [state[f"{key}.1.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
            x = F.batch_norm(x, *norm).relu()
        x = x if name == "center" else F.max_pool2d(x, 2)
        torch.testing.assert_close(level, x)
    assert [tuple(level.shape[1:]) for level in levels] == [(2, 32, 24), (3, 16, 12), (4, 8, 6), (5, 4, 3), (6, 4, 3)]


@pytest.mark.parametrize("parser", ["unet", "small"])
def test_a_distance_that_pulls(file, pictures, parser):
    network = load_parsing_unet(file) if parser == "unet" else seeded(FaceClasses((2, 3, 4)))
    distance, (a, b) = ParsingDistance(network), pictures.clone()
    apart = distance(a, b)
    levels = list(zip(network.levels(a), network.levels(b), strict=True))
    cosines = [sum((x[i] * y[i]).sum() / (x[i].norm() * y[i].norm()) for x, y in levels) for i in range(2)]
    torch.testing.assert_close(apart, len(levels) - torch.stack(cosines))
    torch.testing.assert_close(distance(a, a), torch.zeros(2), rtol=0, atol=1e-5)
    torch.testing.assert_close(distance(a[:1], b[:1]), apart[:1])
    made = a.requires_grad_()
    distance(made, b).sum().backward()
    with torch.no_grad():
        assert distance(a - 1e-2 * a.grad / a.grad.norm(), b).sum() < apart.sum()
    assert not any(p.requires_grad for p in distance.parameters())


def test_another_file_is_refused(tmp_path):
    torch.save({"conv1.conv1.0.weight": torch.zeros(2, 3, 3, 3)}, tmp_path / "parsing.pth")
    with pytest.raises(CheckpointError, match="no conv2.conv1.0.weight of CelebAMask-HQ's U-Net"):
        load_parsing_unet(find_parsing_unet(tmp_path))
    torch.save({k: t for k, t in whole_file().items() if "conv3.conv2.1.bias" not in k}, tmp_path / "parsing.pth")
    with pytest.raises(CheckpointError, match="missing: conv3.conv2.1.bias"):
        load_parsing_unet(tmp_path / "parsing.pth")


def test_where_to_get_it_is_said(tmp_path):
    with pytest.raises(MissingWeightsError, match="put parsing.pth of switchablenorms/CelebAMask-HQ"):
        find_parsing_unet(tmp_path)


def test_pictures_of_two_sizes_are_refused(file, pictures):
    with pytest.raises(ValueError, match="of the shapes"):
        ParsingDistance(load_parsing_unet(file))(pictures[0], pictures[1][:, :, :32])
