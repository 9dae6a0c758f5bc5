"""A bundle brings its directions, bit for bit."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sfe_models.checkpoints.bundle import bundle_directions, load_bundle, save_bundle
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.checksums import KEY
from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.families.style_offset import StyleOffsetDirection
from sfe_models.directions.families.stylespace import StyleChannelsDirection
from sfe_models.directions.library import DirectionLibrary
from sfe_models.domain import tiny_domain
from sfe_models.pipeline import Pipeline

SPEC = tiny_domain(16, 16)


def normal(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


MADE = [
    LinearDirection(
        DirectionInfo("smile more", "boundary", SPEC.subject, (-2.5, 4.0), "smiles", "4000 samples, äöü"),
        normal(1, 16),
        0.5,
    ),
    LinearDirection(DirectionInfo("every layer", "ganspace", SPEC.subject), normal(6, 16, seed=1)),
    StyleOffsetDirection(
        DirectionInfo("curls", "style_offset", SPEC.subject, (0.0, 1.0)),
        tuple(normal(16, seed=i) for i in range(5)),
        tuple(normal(16, seed=10 + i) for i in range(3)),
        2.0,
    ),
    StyleOffsetDirection(DirectionInfo("no colours", "style_offset", "dots"), tuple(torch.zeros(16) for _ in range(5))),
]


@pytest.fixture(scope="module")
def networks():
    return random_networks(SPEC)


@pytest.fixture
def bundle(networks, tmp_path):
    return save_bundle(networks, tmp_path / "model.safetensors", "tests", MADE)


def test_directions_come_back_bit_identical(bundle):
    read = bundle_directions(bundle)
    assert [direction.info for direction in read] == [direction.info for direction in MADE]
    for got, want in zip(read, MADE, strict=True):
        assert type(got) is type(want) and got.scale == want.scale
        if isinstance(want, LinearDirection):
            assert torch.equal(got.vector, want.vector)
        else:
            assert len(got.convs) == len(want.convs) and len(got.rgbs) == len(want.rgbs)
            assert all(torch.equal(a, b) for a, b in zip(got.convs + got.rgbs, want.convs + want.rgbs, strict=True))


def test_networks_load_as_without_directions(bundle, networks):
    for dtype in (None, torch.bfloat16):  # mapped, and converted
        state = load_bundle(bundle, dtype).state_dict()
        want = networks.state_dict()
        assert state.keys() == want.keys()
        assert all(torch.equal(state[key], want[key].to(state[key].dtype)) for key in want)


def test_directions_stay_float32_in_a_half_precision_bundle(networks, tmp_path):
    half = random_networks(SPEC).cast(torch.bfloat16)
    path = save_bundle(half, tmp_path / "half.safetensors", directions=MADE[:1])
    (direction,) = bundle_directions(path)
    assert direction.vector.dtype == torch.float32 and torch.equal(direction.vector, MADE[0].vector)


def test_the_library_finds_them(bundle):
    library = DirectionLibrary(SPEC, bundled=bundle_directions(bundle))
    names = [entry.info.name for entry in library.entries]
    assert {"smile more", "every layer", "curls"} <= set(names) and "no colours" not in names
    entry = next(e for e in library.entries if e.info.name == "curls")
    assert library.available(entry) and library.get("curls").info == MADE[2].info
    with pytest.raises(DirectionError, match="is for dots"):
        library.get("no colours")


def test_edits_are_the_same(bundle, networks):
    pipeline, library = Pipeline(networks), DirectionLibrary(SPEC, bundled=bundle_directions(bundle))
    image = normal(1, 3, 16, 16).clamp(-1, 1)
    for direction in MADE[:3]:
        want = pipeline.edit(image, [(direction, 0.7)])
        assert torch.equal(pipeline.edit(image, [(library.get(direction.info.name), 0.7)]), want)


def test_a_model_may_bring_one_of_a_published_name(networks, tmp_path):
    own = LinearDirection(DirectionInfo("age", "boundary", SPEC.subject, (-1.0, 1.0)), normal(1, 16))
    path = save_bundle(networks, tmp_path / "model.safetensors", directions=[own])
    library = DirectionLibrary(SPEC, bundled=bundle_directions(path))
    assert torch.equal(library.get("age").vector, own.vector)
    assert [entry.info.family for entry in library.entries if entry.info.name == "age"] == ["boundary"]


def test_a_file_of_the_same_name_is_refused(bundle, tmp_path):
    (tmp_path / "directions").mkdir()
    save_file({"vector": normal(1, 16)}, tmp_path / "directions/curls.safetensors")
    library = DirectionLibrary(SPEC, [tmp_path], bundle_directions(bundle))
    with pytest.raises(DirectionError, match="named 'curls', as is the model's style_offset"):
        library.get("curls")


def test_a_bundle_without_directions(networks, tmp_path):
    assert bundle_directions(save_bundle(networks, tmp_path / "model.safetensors")) == []


def test_what_is_no_vector_is_refused(networks, tmp_path):
    channel = StyleChannelsDirection(DirectionInfo("channel", "stylespace", SPEC.subject), ((1, 2),))
    with pytest.raises(DirectionError, match="is no vector"):
        save_bundle(networks, tmp_path / "model.safetensors", directions=[channel])
    assert not list(tmp_path.iterdir())


def changed(path, text, without=()):
    """The bundle with another description of its directions, or without some tensors."""
    with safe_open(path, "pt") as file:
        metadata = {key: value for key, value in file.metadata().items() if key != KEY}
    metadata["directions"] = text(json.loads(metadata["directions"]))
    save_file({name: tensor for name, tensor in load_file(path).items() if name not in without}, path, metadata)


@pytest.mark.parametrize(
    "text, without",
    [
        (lambda rows: "[{", ()),
        (lambda rows: "5", ()),
        (lambda rows: json.dumps([{**rows[0], "colour": 1}]), ()),
        (lambda rows: json.dumps([{k: v for k, v in rows[0].items() if k != "name"}]), ()),
        (lambda rows: json.dumps([{k: v for k, v in rows[0].items() if k != "scale"}]), ()),
        (lambda rows: json.dumps([{**rows[0], "strength_range": 3}]), ()),
        (json.dumps, ("directions.0.vector",)),
        (json.dumps, ("directions.2.convs.3",)),
    ],
)
def test_damaged_descriptions(bundle, text, without):
    changed(bundle, text, without)
    with pytest.raises(CheckpointError, match=f"{bundle} has a damaged description of its directions"):
        bundle_directions(bundle)


def test_other_files_bring_no_directions(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="no SFE bundle"):
        bundle_directions(tmp_path / "other.safetensors")
