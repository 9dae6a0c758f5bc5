"""Recipes: written and read they give the same codes bit by bit, whatever stands in them."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.stylespace import StyleOffsetDirection
from sfe_models.directions.library import DirectionLibrary
from sfe_models.directions.recipe import Recipe, RecipeStep, load_recipe, resolve, save_recipe
from sfe_models.domain import tiny_domain
from sfe_models.pipeline import Pipeline

SPEC = tiny_domain(32, width=8)


@pytest.fixture(scope="module")
def pipeline():
    return Pipeline(random_networks(SPEC))


@pytest.fixture(scope="module")
def inversion(pipeline):
    return pipeline.invert(torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1)


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "directions"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name, shape in (("curly", (8, 8)), ("tall", (8,))):
        np.save(folder / f"{name}.npy", random.standard_normal(shape).astype("float32"))
    np.save(tmp_path / "loose.npy", random.standard_normal((1, 8)).astype("float32"))
    random = torch.Generator().manual_seed(1)
    info = DirectionInfo("a text", "styleclip_global", SPEC.subject)
    text = StyleOffsetDirection(info, tuple(torch.randn(8, generator=random) for _ in range(7)))
    return DirectionLibrary(SPEC, [tmp_path], [text])


@pytest.fixture
def recipe(tmp_path):
    return Recipe(
        SPEC.subject,
        (
            RecipeStep("a text", 0.1 + 0.2, "0-4"),
            RecipeStep("curly", 1 / 3, "coarse"),
            RecipeStep(str(tmp_path / "loose.npy"), -2, (1, 5)),
            RecipeStep(("tall", "curly"), 1e-3),
        ),
    )


def applied(pipeline, source, recipe, library):
    for direction, strength in resolve(recipe, library):
        source = pipeline.apply_direction(source, direction, strength)
    return source


def codes(edit):
    return [edit.w, edit.w_e, *edit.styles.convs, *edit.styles.rgbs, *edit.styles_e.convs]


def test_written_and_read_a_recipe_gives_the_same_codes_bit_by_bit(tmp_path, pipeline, inversion, library, recipe):
    again = load_recipe(save_recipe(recipe, tmp_path / "recipes" / "one.json"))
    assert again == recipe
    first, second = (applied(pipeline, inversion, r, library) for r in (recipe, again))
    assert all(map(torch.equal, codes(first), codes(second)))
    assert not torch.equal(first.w, inversion.w)
    assert [p.name for p in (tmp_path / "recipes").iterdir()] == ["one.json"]


def test_vector_files_below_the_recipe_move_with_it(tmp_path, recipe, library):
    path = save_recipe(recipe, tmp_path / "one.json")
    steps = json.loads(path.read_text())["steps"]
    assert steps[2] == {"direction": "loose.npy", "strength": -2, "layers": [1, 5]}
    (tmp_path / "elsewhere").mkdir()
    for name in ("one.json", "loose.npy"):
        (tmp_path / name).rename(tmp_path / "elsewhere" / name)
    assert len(resolve(load_recipe(tmp_path / "elsewhere" / "one.json"), library)) == 4


def test_w_plus_steps_come_first(pipeline, inversion, library, recipe):
    steps = resolve(recipe, library)
    assert [d.info.name for d, _ in steps] == ["curly", "loose", "average of tall, curly", "a text"]
    edit = applied(pipeline, inversion, recipe, library)
    by_hand = pipeline.start_edit(inversion)
    for step in recipe.steps:  # the pipeline reorders by itself
        single = Recipe(SPEC.subject, (step,))
        by_hand = applied(pipeline, by_hand, single, library)
    assert all(map(torch.equal, codes(edit), codes(by_hand)))


def test_an_empty_recipe_and_strength_0_are_the_inversion(pipeline, inversion, library, recipe):
    assert torch.equal(applied(pipeline, inversion, Recipe(SPEC.subject, ()), library).w, inversion.w)
    still = Recipe(SPEC.subject, (RecipeStep("curly", 0.0), RecipeStep(("tall", "curly"), 0)))
    edit = applied(pipeline, inversion, still, library)
    assert torch.equal(edit.w, inversion.w) and torch.equal(edit.w_e, inversion.w_e)


def test_a_step_and_its_negative_cancel(pipeline, inversion, library):
    steps = (RecipeStep("curly", 1.5, "coarse"), RecipeStep("curly", -1.5, "coarse"))
    edit = applied(pipeline, inversion, Recipe(SPEC.subject, steps), library)
    assert torch.allclose(edit.w, inversion.w, atol=1e-5)


def test_an_unknown_name_lists_the_nearest(library):
    with pytest.raises(DirectionError, match="'curlz'.*Did you mean 'curly'"):
        resolve(Recipe(SPEC.subject, (RecipeStep("curlz", 1.0),)), library)


def test_another_subject_is_refused_with_both_named(library):
    with pytest.raises(DirectionError, match="for cars; tiny-32 shows human faces"):
        resolve(Recipe("cars", ()), library)


def test_layers_that_the_generator_lacks_are_refused(library):
    with pytest.raises(DirectionError, match="Layer 8 "):
        resolve(Recipe(SPEC.subject, (RecipeStep("curly", 1.0, "7-8"),)), library)


def test_a_missing_vector_file_is_named(tmp_path, library):
    with pytest.raises(ValueError, match="gone.npy does not exist"):
        resolve(Recipe(SPEC.subject, (RecipeStep(str(tmp_path / "gone.npy"), 1.0),)), library)


GOOD = {"format": "sfe-recipe", "version": 1, "subject": "human faces", "steps": []}
STEP = {"direction": "age", "strength": 1}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "no recipe"),
        ({"version": 2}, "version 2; this library reads version 1"),
        ({"subject": 5}, "expected format"),
        ({"steps": {}}, "expected format"),
        ({"extra": 1}, "extra"),
        ({"steps": [STEP, 5]}, "step 2: it has 5"),
        ({"steps": [{"direction": "age"}]}, "step 1: it has \\['direction'\\]"),
        ({"steps": [STEP | {"mask": 1}]}, "mask"),
        ({"steps": [STEP | {"strength": "big"}]}, "'big'"),
        ({"steps": [STEP | {"strength": float("inf")}]}, "inf"),
        ({"steps": [STEP | {"strength": True}]}, "True"),
        ({"steps": [STEP | {"direction": []}]}, "expected a name"),
        ({"steps": [STEP | {"direction": [1]}]}, "expected a name"),
        ({"steps": [STEP | {"layers": 3}]}, "layers of step 'age' are 3"),
        ({"steps": [STEP | {"layers": [1, "a"]}]}, "layers of step 'age' are"),
    ],
)
def test_a_bad_recipe_is_refused(tmp_path, change, words):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(GOOD | change))
    with pytest.raises(DirectionError, match=words) as error:
        load_recipe(path)
    assert str(path) in str(error.value)


def test_the_subject_may_be_unknown(tmp_path, library):
    """Neither a recipe nor a model that does not say what it shows excludes the other."""
    unknown = load_recipe(save_recipe(Recipe(None, (RecipeStep("curly", 1.0),)), tmp_path / "unknown.json"))
    assert unknown.subject is None and len(resolve(unknown, library)) == 1
    (tmp_path / "without.json").write_text(json.dumps({key: value for key, value in GOOD.items() if key != "subject"}))
    assert load_recipe(tmp_path / "without.json").subject is None
    nobody = DirectionLibrary(replace(SPEC, subject=None), [tmp_path])
    assert len(resolve(Recipe("human faces", (RecipeStep("curly", 1.0),)), nobody)) == 1


def test_a_byte_order_mark_is_no_fault(tmp_path):
    (tmp_path / "bom.json").write_text(json.dumps(GOOD), encoding="utf-8-sig")
    assert load_recipe(tmp_path / "bom.json") == Recipe("human faces", ())


def test_a_file_that_is_no_json_is_refused(tmp_path):
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(DirectionError, match="bad.json cannot be read"):
        load_recipe(tmp_path / "bad.json")
    with pytest.raises(DirectionError, match="none.json cannot be read"):
        load_recipe(tmp_path / "none.json")
