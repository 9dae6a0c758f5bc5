"""ArcFace and MoCo: files in the public layouts, the pictures' preparation, wrong files."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.perception.identity import (
    ArcFace,
    MoCo,
    find_arcface,
    find_moco,
    identity_similarity,
    load_arcface,
    load_moco,
)


def batch_norm(name, width):
    return {f"{name}.{part}": torch.rand(width) + 0.5 for part in ("weight", "bias", "running_mean", "running_var")}


def conv(out_channels, in_channels, kernel):
    return torch.randn(out_channels, in_channels, kernel, kernel) * (2 / (in_channels * kernel**2)) ** 0.5


def irse50_state():
    """The keys and shapes of model_ir_se50.pth, written down from InsightFace_Pytorch's tables."""
    state = {"input_layer.0.weight": conv(64, 3, 3), "input_layer.2.weight": torch.full((64,), 0.25)}
    state |= batch_norm("input_layer.1", 64)
    before, number = 64, 0
    for width, depth in ((64, 3), (128, 4), (256, 14), (512, 3)):
        for _ in range(depth):
            block = f"body.{number}"
            if before != width:
                state[f"{block}.shortcut_layer.0.weight"] = conv(width, before, 1)
                state |= batch_norm(f"{block}.shortcut_layer.1", width)
            state |= batch_norm(f"{block}.res_layer.0", before)
            state[f"{block}.res_layer.1.weight"] = conv(width, before, 3)
            state[f"{block}.res_layer.2.weight"] = torch.full((width,), 0.25)
            state[f"{block}.res_layer.3.weight"] = conv(width, width, 3) * 0.1
            state |= batch_norm(f"{block}.res_layer.4", width)
            state[f"{block}.res_layer.5.fc1.weight"] = conv(width // 16, width, 1)
            state[f"{block}.res_layer.5.fc2.weight"] = conv(width, width // 16, 1)
            before, number = width, number + 1
    state |= batch_norm("output_layer.0", 512)
    state |= {"output_layer.3.weight": torch.randn(512, 25088) / 158, "output_layer.3.bias": torch.zeros(512)}
    return state | batch_norm("output_layer.4", 512)


def resnet50_state():
    """The keys and shapes of torchvision's ResNet-50 without its last layer."""
    state = {"conv1.weight": conv(64, 3, 7)} | batch_norm("bn1", 64)
    before = 64
    for layer, (width, depth) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
        for i in range(depth):
            block = f"layer{layer}.{i}"
            state[f"{block}.conv1.weight"] = conv(width, before, 1)
            state[f"{block}.conv2.weight"] = conv(width, width, 3)
            state[f"{block}.conv3.weight"] = conv(width * 4, width, 1) * 0.1
            for n, channels in ((1, width), (2, width), (3, width * 4)):
                state |= batch_norm(f"{block}.bn{n}", channels)
            if i == 0:
                state[f"{block}.downsample.0.weight"] = conv(width * 4, before, 1)
                state |= batch_norm(f"{block}.downsample.1", width * 4)
            before = width * 4
    return state


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Stand-ins for the public files."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("identity")
    torch.save(irse50_state(), folder / "model_ir_se50.pth")
    resnet = resnet50_state()
    resnet |= {f"{k.rsplit('.', 1)[0]}.num_batches_tracked": torch.tensor(5) for k in resnet if "running_mean" in k}
    state = {f"module.encoder_q.{k}": v for k, v in resnet.items()}
    state |= {f"module.encoder_q.fc.{i}.{part}": torch.zeros(2) for i in (0, 2) for part in ("weight", "bias")}
    state |= {f"module.encoder_k.{k}": v + 1 for k, v in list(resnet.items())[:3]} | {"module.queue": torch.zeros(9)}
    content = {"epoch": 800, "arch": "resnet50", "state_dict": state, "optimizer": {"param_groups": [{"lr": 0.03}]}}
    torch.save(content, folder / "moco_v2_800ep_pretrain.pt")
    return folder


@pytest.fixture(scope="module")
def arcface(folder):
    return load_arcface(find_arcface(folder))


@pytest.fixture(scope="module")
def moco(folder):
    return load_moco(find_moco(folder))


@pytest.fixture(scope="module")
def faces():
    return torch.rand(2, 3, 256, 256, generator=torch.Generator().manual_seed(4)) * 2 - 1


@pytest.mark.parametrize(("name", "width"), [("arcface", 512), ("moco", 2048)])
def test_embedding(name, width, request, faces):
    network = request.getfixturevalue(name)
    both = network.embed(faces)
    assert both.shape == (2, width)
    torch.testing.assert_close(both.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(network.embed(faces[1:]), both[1:], rtol=1e-3, atol=1e-5)  # batch equals loop
    similarity = network.similarity(faces, faces[:1].expand(2, -1, -1, -1))
    torch.testing.assert_close(similarity, both @ both[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(similarity[0], torch.tensor(1.0))
    assert similarity[1] < 0.9999
    assert not any(p.requires_grad for p in network.parameters())


def test_stays_in_eval_mode_inside_of_a_network_that_trains(arcface):
    assert not nn.Sequential(arcface).train()[0].output_layer[4].training


def test_arcface_reads_the_published_crop_only(arcface, faces):
    outside = faces[:1].clone()
    outside[:, :, :35], outside[:, :, 223:] = 0, 0
    outside[..., :32], outside[..., 220:] = 0, 0
    assert torch.equal(arcface.embed(outside), arcface.embed(faces[:1]))
    larger = F.interpolate(faces[:1], scale_factor=2, mode="nearest")  # whose mean pooling gives the 256 px
    torch.testing.assert_close(arcface.embed(larger), arcface.embed(faces[:1]), rtol=1e-3, atol=1e-5)


def test_moco_takes_the_nearest_pixels_and_the_query_encoder(moco, folder, faces):
    small = F.interpolate(faces[:1], size=224)
    assert torch.equal(moco.embed(small), moco.embed(faces[:1]))
    state = torch.load(folder / "moco_v2_800ep_pretrain.pt", weights_only=True)["state_dict"]
    assert torch.equal(moco.conv1.weight, state["module.encoder_q.conv1.weight"])
    assert moco.bn1.num_batches_tracked == 5


def test_any_network_that_embeds_is_an_identity_network(faces):
    class Means:
        def embed(self, image):
            return F.normalize(image.mean(dim=(2, 3)), dim=1)

    torch.testing.assert_close(identity_similarity(Means(), faces, faces), torch.ones(2))


def test_gradient_reaches_the_picture(moco):
    image = torch.rand(1, 3, 64, 64, requires_grad=True)
    moco.similarity(image, image.detach().flip(3)).sum().backward()
    assert image.grad.isfinite().all() and image.grad.any()


@pytest.mark.parametrize(
    ("find", "name"), [(find_arcface, "model_ir_se50.pth"), (find_moco, "moco_v2_800ep_pretrain.pt")]
)
def test_missing_files_are_named(find, name, tmp_path):
    with pytest.raises(MissingWeightsError, match=f"put {name}.* into {tmp_path}"):
        find(tmp_path)


def test_wrong_files(folder, tmp_path):
    moco_file = folder / "moco_v2_800ep_pretrain.pt"
    with pytest.raises(CheckpointError, match="expected a state dict"):
        load_arcface(moco_file)
    with pytest.raises(CheckpointError, match="has no module.encoder_q"):
        load_moco(folder / "model_ir_se50.pth")
    other = tmp_path / "other.pt"
    torch.save({"state_dict": {"module.encoder_q.conv1.weight": torch.zeros(64, 3, 3, 3)}}, other)
    with pytest.raises(CheckpointError, match=r"MoCo v2 query encoder .*; missing: bn1.bias.*conv1.weight has shape"):
        load_moco(other)
    torch.save({"input_layer.0.weight": torch.zeros(64, 3, 3, 3)}, other)
    with pytest.raises(CheckpointError, match=r"expected ArcFace network \(IR-SE50\); missing: body"):
        load_arcface(other)


def test_parameter_counts_are_the_published_ones():
    with torch.device("meta"):
        arcface, moco = ArcFace(), MoCo()
    assert sum(p.numel() for p in arcface.parameters()) == sum(
        v.numel() for k, v in irse50_state().items() if "running" not in k
    )
    assert sum(p.numel() for p in moco.parameters()) == 25_557_032 - 2_049_000  # torchvision's ResNet-50 less fc
