"""Generators of StyleGAN2-ADA under the published names: every value stays, everything else is refused."""

import pytest
import torch
from checkpoints.unpickling.ada import KWARGS, ada_state, flat

from sfe_models.checkpoints.ada_generator import ada_generator_to_rosinality
from sfe_models.checkpoints.errors import CheckpointError


def convert(change=None, **kwargs):
    state = flat(ada_state()) | (change or {})
    return ada_generator_to_rosinality(state, KWARGS | kwargs, "network.pkl")


def test_renaming_keeps_every_value():
    state, generator = flat(ada_state()), convert()
    sources = [t for key, t in state.items() if not key.endswith(("resample_filter", "w_avg"))]
    assert len(generator.state) == len(sources)
    left = sorted(tensor.flatten().tolist() for tensor in sources)
    assert sorted(tensor.flatten().tolist() for tensor in generator.state.values()) == left
    assert torch.equal(generator.latent_avg, state["mapping.w_avg"])
    assert generator.conv_clamp == 256
    assert convert(synthesis_kwargs={}).conv_clamp is None


@pytest.mark.parametrize(
    ("published", "nvlabs", "shape"),
    [
        ("style.1.weight", "mapping.fc0.weight", (4, 4)),
        ("style.2.bias", "mapping.fc1.bias", (4,)),
        ("input.input", "synthesis.b4.const", (1, 4, 4, 4)),
        ("conv1.conv.weight", "synthesis.b4.conv1.weight", (1, 4, 4, 3, 3)),
        ("conv1.conv.modulation.bias", "synthesis.b4.conv1.affine.bias", (4,)),
        ("conv1.noise.weight", "synthesis.b4.conv1.noise_strength", (1,)),
        ("convs.0.conv.weight", "synthesis.b8.conv0.weight", (1, 4, 4, 3, 3)),
        ("convs.1.activate.bias", "synthesis.b8.conv1.bias", (4,)),
        ("convs.2.conv.modulation.weight", "synthesis.b16.conv0.affine.weight", (4, 4)),
        ("to_rgb1.bias", "synthesis.b4.torgb.bias", (1, 3, 1, 1)),
        ("to_rgbs.1.conv.weight", "synthesis.b16.torgb.weight", (1, 3, 4, 1, 1)),
        ("noises.noise_0", "synthesis.b4.conv1.noise_const", (1, 1, 4, 4)),
        ("noises.noise_3", "synthesis.b16.conv0.noise_const", (1, 1, 16, 16)),
    ],
)
def test_renamed_tensors_are_the_same(published, nvlabs, shape):
    tensor = convert().state[published]
    assert tensor.shape == shape
    assert torch.equal(tensor.flatten(), flat(ada_state())[nvlabs].flatten())


@pytest.mark.parametrize(
    ("kwargs", "named"),
    [
        ({"c_dim": 10}, "conditional"),
        ({"img_channels": 1}, "1 image channels"),
        ({"synthesis_kwargs": {"architecture": "resnet"}}, "architecture resnet"),
        ({"synthesis_kwargs": {"activation": "relu"}}, "activation relu"),
        ({"synthesis_kwargs": {"conv_clamp": "x"}}, "conv_clamp x"),
        ({"synthesis_kwargs": None}, "synthesis_kwargs"),
        ({"mapping_kwargs": {"lr_multiplier": 0.1}}, "lr_multiplier 0.1"),
    ],
)
def test_other_settings_are_refused(kwargs, named):
    with pytest.raises(CheckpointError, match=f"^network.pkl holds .*{named}.*expected an unconditional"):
        convert(**kwargs)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"synthesis.L0_36_512.weight": torch.zeros(1)}, "StyleGAN3"),
        ({"mapping.embed.weight": torch.zeros(1)}, "conditional"),
        ({"synthesis.b8.conv0.resample_filter": torch.ones(2, 2) / 4}, "another filter"),
        ({"synthesis.b8.skip.weight": torch.zeros(1)}, "synthesis.b8.skip.weight"),
        ({"synthesis.b4.torgb.bias": torch.zeros([])}, "another shape"),
    ],
)
def test_other_networks_are_refused(change, named):
    with pytest.raises(CheckpointError, match=named):
        convert(change)


def test_a_missing_tensor_is_named():
    state = flat(ada_state())
    del state["synthesis.b8.conv1.noise_const"]
    with pytest.raises(CheckpointError, match="synthesis.b8.conv1.noise_const"):
        ada_generator_to_rosinality(state, KWARGS, "network.pkl")
