"""A bundle's description with odd values, in files of versions before checksums: one sentence, never a traceback."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from sfe_models.checkpoints.bundle import load_bundle, save_bundle
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.checksums import KEY
from sfe_models.domain import tiny_domain


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return save_bundle(random_networks(tiny_domain(16, 16)), tmp_path_factory.mktemp("whole") / "b.safetensors")


def changed(whole, path, entries=(), domain=(), tensors=()):
    with safe_open(whole, framework="pt") as file:
        metadata = {key: value for key, value in file.metadata().items() if key != KEY}
        state = {name: file.get_tensor(name).clone() for name in file.keys()}
    described = json.loads(metadata["domain"])
    for place, value in dict(domain).items():
        *outer, last = place.split(".")
        part = described
        for name in outer:
            part = part[name]
        part[last] = value
    metadata |= {"domain": json.dumps(described), **dict(entries)}
    save_file(state | dict(tensors), path, metadata)
    return path


@pytest.mark.parametrize(
    "entries",
    [
        {"dtype": "nonsense"},
        {"dtype": ""},
        {"e4e_styles": "-5"},
        {"e4e_styles": "many"},
        {"e4e_styles": "1000000000"},
        {"feature_editor": "maybe"},
        {"domain": "{}"},
        {"domain": "[1]"},
        {"domain": "[" * 100_000},
        {"domain": "nan"},
        {"version": "2"},
        {"generator": "0123456789abcdef"},
    ],
    ids=lambda entries: str(entries)[:40],
)
def test_entries(whole, tmp_path, entries):
    with pytest.raises(CheckpointError, match="b.safetensors"):
        load_bundle(changed(whole, tmp_path / "b.safetensors", entries))


@pytest.mark.parametrize("value", [-1, 0, 1.5, "x", None, True, [], 2**40, float("nan"), float("inf")], ids=str)
@pytest.mark.parametrize(
    "place",
    ["generator.style_dim", "generator.resolution", "feature_layer", "e4e.stem", "inverter.pooled"],
)
def test_sizes(whole, tmp_path, place, value):
    with pytest.raises(CheckpointError, match="b.safetensors"):
        load_bundle(changed(whole, tmp_path / "b.safetensors", domain={place: value}))


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=str)
def test_weights(whole, tmp_path, value):
    name = "generator.latent_avg"
    tensor = torch.full((16,), value)
    with pytest.raises(CheckpointError, match="not finite"):
        load_bundle(changed(whole, tmp_path / "b.safetensors", tensors={name: tensor}))
