"""Files that were changed by accident, some bytes at a time: one clean sentence or the same result, nothing else.

Mutations are seeded; each file is small, so that hundreds of them take seconds.
"""

import logging
import random

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from sfe_models.checkpoints.bundle import bundle_spec, load_bundle, save_bundle
from sfe_models.checkpoints.found import find_models
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.checksums import KEY
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.files import (
    attached,
    bundle_directions,
    describe_own_file,
    described_in_bundle,
    read_own_file,
    save_own_file,
)
from sfe_models.directions.recipe import Recipe, RecipeStep, load_recipe, save_recipe
from sfe_models.domain import tiny_domain
from sfe_models.faces.landmarks import parse_landmarks
from sfe_models.inversion_file import load_inversion, save_inversion
from sfe_models.pictures.image_io import load_mask
from sfe_models.pipeline import Pipeline

SPEC = tiny_domain(16, 16)
SEEDS = range(100)


def mutated(content: bytes, seed: int) -> bytes:
    """Change a file as a bad disk, a broken download or a text editor does."""
    drawn, content = random.Random(seed), bytearray(content)
    header = min(len(content), 8 + int.from_bytes(content[:8], "little")) if seed % 2 else len(content)
    place = drawn.randrange(header)
    length = drawn.choice((1, 1, 2, 8, 64))
    kind = drawn.choice(("flip", "flip", "overwrite", "zero", "cut", "lose", "repeat", "digit"))
    if kind == "flip":
        content[place] ^= 1 << drawn.randrange(8)
    elif kind == "overwrite":
        content[place : place + length] = drawn.randbytes(len(content[place : place + length]))
    elif kind == "zero":
        content[place : place + length] = bytes(len(content[place : place + length]))
    elif kind == "cut":
        del content[place:]
    elif kind == "lose":
        del content[place : place + length]
    elif kind == "repeat":
        content[place:place] = content[place : place + length]
    else:
        digits = [i for i, byte in enumerate(content[:header]) if chr(byte).isdigit()] or [place]
        content[drawn.choice(digits)] = drawn.choice(b"0123456789-e")
    return bytes(content)


def said_or_same(read, path, whole):
    """Read a file; True for the same result, False for one clean sentence; anything else is a failure."""
    try:
        found = read(path)
    except (ValueError, OSError) as error:
        said = str(error)
        assert str(path) in said or path.name in said, said
        assert "\n" not in said and len(said) < 1500 and "Traceback" not in said, said
        return False
    assert same(found, whole), f"{path} was read as something else"
    return True


def same(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.fixture(scope="module")
def networks():
    return random_networks(SPEC)


@pytest.fixture(scope="module")
def direction():
    vector = torch.randn(SPEC.n_styles, 16, generator=torch.Generator().manual_seed(0))
    return LinearDirection(DirectionInfo("mine", "own", None, (-3.0, 3.0), "does something", "a test"), vector)


def read_bundle(path):
    loaded = load_bundle(path)
    vectors = [(one.info, one.vector, one.scale) for one in bundle_directions(path)]
    return loaded.state_dict(), loaded.spec, bundle_spec(path), vectors


def read_inversion(path):
    return vars(load_inversion(path))


def read_direction(path):
    made = read_own_file(describe_own_file(path, None), SPEC.generator)
    return made.vector, made.scale


def without_checksums(path):
    """Write a file as versions before checksums did."""
    with safe_open(path, framework="pt") as file:
        metadata = {key: value for key, value in file.metadata().items() if key != KEY}
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    save_file(tensors, path, metadata)


@pytest.fixture(scope="module")
def files(tmp_path_factory, networks, direction):
    folder = tmp_path_factory.mktemp("whole")
    inversion = Pipeline(networks).invert(torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1)
    return {
        read_bundle: save_bundle(networks, folder / "b.safetensors", "a test", attached([direction])),
        read_inversion: save_inversion(inversion, folder / "i.safetensors"),
        read_direction: save_own_file(direction, folder / "d.safetensors"),
    }


@pytest.mark.parametrize("read", [read_bundle, read_inversion, read_direction])
def test_a_changed_file_of_ours_is_said_or_read_the_same(files, tmp_path, read):
    whole, path = read(files[read]), tmp_path / "changed.safetensors"
    outcomes = set()
    for seed in SEEDS:
        path.write_bytes(mutated(files[read].read_bytes(), seed))
        outcomes.add(said_or_same(read, path, whole))
    assert False in outcomes


@pytest.mark.parametrize("read", [read_bundle, read_inversion])
def test_a_changed_file_of_an_older_version_never_ends_in_a_traceback(files, tmp_path, read):
    older, path = tmp_path / "older.safetensors", tmp_path / "changed.safetensors"
    older.write_bytes(files[read].read_bytes())
    whole = read(older)
    without_checksums(older)
    assert same(read(older), whole)
    for seed in SEEDS:
        path.write_bytes(mutated(older.read_bytes(), seed))
        try:
            read(path)
        except (ValueError, OSError) as error:
            assert str(path) in str(error), error


def test_the_menu_survives_changed_bundles(files, tmp_path, caplog):
    caplog.set_level(logging.CRITICAL)
    for seed in SEEDS:
        path = tmp_path / f"{seed}.safetensors"
        path.write_bytes(mutated(files[read_bundle].read_bytes(), seed))
        try:
            described_in_bundle(path)
        except ValueError as error:
            assert str(path) in str(error)
    found = find_models([tmp_path])
    assert len(found.models) + len(found.others) + len(found.damaged) >= len(SEEDS)


@pytest.mark.parametrize("suffix", [".npy", ".safetensors"])
def test_a_changed_description_or_vector_is_said_or_read_the_same(tmp_path, direction, suffix):
    path = save_own_file(direction, tmp_path / f"mine{suffix}")
    whole, beside = read_direction(path), path.with_suffix(".json")
    content, about = path.read_bytes(), beside.read_bytes()
    for seed in SEEDS:
        path.write_bytes(mutated(content, seed))
        said_or_same(read_direction, path, whole)
    path.write_bytes(content)
    for seed in SEEDS:  # a description may be written by hand: another valid one is none that is damaged
        beside.write_bytes(mutated(about, seed))
        try:
            describe_own_file(path, None)
        except ValueError as error:
            assert str(beside) in str(error)


@pytest.mark.parametrize("write", [torch.save, lambda content, path: np.save(path, content["vector"].numpy())])
def test_a_changed_vector_of_others_never_ends_in_a_traceback(tmp_path, direction, write):
    whole, path = tmp_path / "whole.npy", tmp_path / "changed.npy"
    write({"vector": direction.vector}, whole)
    for seed in SEEDS:
        path.write_bytes(mutated(whole.read_bytes(), seed))
        try:
            read_direction(path)
        except ValueError as error:
            assert str(path) in str(error)


def test_a_changed_recipe_is_said_or_a_recipe(tmp_path):
    steps = RecipeStep("smile", 2.0), RecipeStep(("age", "hair"), -1.5, (1, 2))
    path = save_recipe(Recipe("human faces", steps), tmp_path / "r.json")
    content = path.read_bytes()
    for seed in SEEDS:
        path.write_bytes(mutated(content, seed))
        try:
            recipe = load_recipe(path)
        except (ValueError, OSError) as error:
            assert str(path) in str(error) and "\n" not in str(error)
        else:
            assert all(isinstance(step.strength, int | float) and step.names for step in recipe.steps)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1"])
def test_a_changed_mask_is_said_or_read_the_same(tmp_path, mode, caplog):
    caplog.set_level(logging.CRITICAL)
    path = tmp_path / "mask.png"
    values = np.random.default_rng(0).integers(0, 256, (24, 24), dtype=np.uint8)
    Image.fromarray(values).convert(mode).save(path)
    whole, content = load_mask(path), path.read_bytes()
    for seed in SEEDS:
        path.write_bytes(mutated(content, seed))
        said_or_same(load_mask, path, whole)


@pytest.mark.parametrize("seed", SEEDS)
def test_changed_landmarks_are_said_or_landmarks(seed):
    text = mutated(b"310 402, 512 398, 409 520, 331 640, 495 636; 1 2 3 4 5 6 7 8 9 0\n", seed)
    try:
        parse_landmarks(text.decode("utf-8", errors="replace"))
    except ValueError as error:
        assert "expected" in str(error)
