"""A bundle brings its directions, bit for bit."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sfe_models.checkpoints.bundle import bundle_spec, load_bundle, save_bundle
from sfe_models.checkpoints.convert import convert
from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.checksums import KEY
from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.families.stylespace import StyleChannelsDirection, StyleOffsetDirection
from sfe_models.directions.files import attached, bundle_directions, save_own_file
from sfe_models.directions.layers import on_layers_only
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
    LinearDirection(
        DirectionInfo("every layer", "ganspace", SPEC.subject, generator=random_networks(SPEC).generator.fingerprint()),
        normal(6, 16, seed=1),
    ),
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
    return save_bundle(networks, tmp_path / "model.safetensors", "tests", attached(MADE))


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
    path = save_bundle(half, tmp_path / "half.safetensors", directions=attached(MADE[:1]))
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
    path = save_bundle(networks, tmp_path / "model.safetensors", directions=attached([own]))
    library = DirectionLibrary(SPEC, bundled=bundle_directions(path))
    assert torch.equal(library.get("age").vector, own.vector)
    assert [entry.info.family for entry in library.entries if entry.info.name == "age"] == ["boundary"]


def test_a_file_of_the_same_name_goes_by_the_name_of_the_file(bundle, tmp_path, caplog):
    (tmp_path / "directions").mkdir()
    path = tmp_path / "directions/curls.safetensors"
    save_file({"vector": normal(1, 16)}, path)
    library = DirectionLibrary(SPEC, [tmp_path], bundle_directions(bundle))
    with pytest.raises(
        DirectionError, match=f"'curls' is the name of the model's own.*and of {path}. Ask for"
    ) as error:
        library.get("curls")
    assert "'curls.safetensors'" in str(error.value)
    assert "'curls (style_offset)'" in str(error.value)
    assert [record.levelname for record in caplog.records] == ["WARNING"] and str(path) in caplog.text
    assert isinstance(library.get("curls.safetensors"), LinearDirection)
    assert isinstance(library.get("curls (style_offset)"), StyleOffsetDirection)
    assert library.get("smile more").info.name == "smile more"
    names = [entry.info.name for entry in library.entries]
    assert "curls" not in names and {"curls.safetensors", "curls (style_offset)"} <= set(names)


def test_the_file_that_a_direction_was_assembled_from_is_no_other(bundle, tmp_path, caplog):
    (tmp_path / "directions").mkdir()
    for direction in MADE[:3]:
        save_own_file(direction, tmp_path / "directions" / f"{direction.info.name}.safetensors")
    library = DirectionLibrary(SPEC, [tmp_path], bundle_directions(bundle))
    assert [library.get(direction.info.name).info for direction in MADE[:3]] == [d.info for d in MADE[:3]]
    assert not caplog.records


def test_a_file_that_does_not_fit_takes_no_name(bundle, tmp_path, caplog):
    (tmp_path / "directions").mkdir()
    save_file({"vector": normal(1, 99)}, tmp_path / "directions/curls.safetensors")
    library = DirectionLibrary(SPEC, [tmp_path], bundle_directions(bundle))
    assert isinstance(library.get("curls"), StyleOffsetDirection)
    with pytest.raises(DirectionError, match=r"\[1, 99\]"):
        library.get("curls.safetensors")
    assert len(caplog.records) == 1


def test_bundles_of_earlier_versions_are_read(bundle):
    """They said `strength_range` for `range`, and named everything."""
    changed(
        bundle,
        lambda rows: json.dumps([
            {"name": row["name"], "family": row["family"], "subject": row["subject"], "scale": row["scale"],
             "strength_range": row.get("range"), "effect": row["effect"], "source": row["source"]}
            for row in rows
        ]),
    )  # fmt: skip
    wanted = [replace(direction.info, generator=None) for direction in MADE]
    assert [direction.info for direction in bundle_directions(bundle)] == wanted


def test_a_vector_on_some_layers_stays_there(networks, tmp_path):
    masked = on_layers_only(MADE[0], "1, 4", SPEC.generator)
    path = save_bundle(networks, tmp_path / "model.safetensors", directions=attached([masked]))
    (read,) = bundle_directions(path)
    w_plus, strength = normal(2, 6, 16), torch.tensor([1.0, -2.0])
    assert torch.equal(read.move(w_plus, strength), masked.move(w_plus, strength))


def test_a_bundle_without_directions(networks, tmp_path):
    assert bundle_directions(save_bundle(networks, tmp_path / "model.safetensors")) == []


def test_what_is_no_vector_is_refused(networks, tmp_path):
    channel = StyleChannelsDirection(DirectionInfo("channel", "stylespace", SPEC.subject), ((1, 2),))
    with pytest.raises(DirectionError, match="is no vector"):
        save_bundle(networks, tmp_path / "model.safetensors", directions=attached([channel]))
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
        (lambda rows: json.dumps([{**rows[0], "range": 3}]), ()),
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


def test_a_converted_bundle_keeps_its_directions_and_may_say_what_it_shows(bundle, tmp_path):
    path = convert(bundle, tmp_path / "half.safetensors", torch.float16, subject="dots")
    assert [direction.info for direction in bundle_directions(path)] == [direction.info for direction in MADE]
    assert torch.equal(bundle_directions(path)[0].vector, MADE[0].vector)
    assert (bundle_spec(bundle).subject, bundle_spec(path).subject) == ("human faces", "dots")
    assert bundle_spec(convert(bundle, tmp_path / "same.safetensors", torch.float32)).subject == "human faces"
