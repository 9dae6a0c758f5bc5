"""Batches are cut and joined, and what a value goes back to stays what it is."""

from dataclasses import fields

import pytest
import torch

from sfe_models.values import Delta, Edit, Features, Inversion, repeat_each, same_pictures


@pytest.fixture
def stages(pipeline, image, directions):
    """One value of each kind, of the same two pictures."""
    inversion = pipeline.invert(image)
    edit = pipeline.apply_direction(inversion, directions[0], torch.tensor([1.0, -2.0]))
    delta = pipeline.compute_delta(edit)
    return {type(value): value for value in (inversion, edit, delta, pipeline.feature_edit(delta))}


def tensors(value):
    """Every tensor inside, in order."""
    found = []
    value.map(lambda tensor: found.append(tensor) or tensor)
    return found


KINDS = (Inversion, Edit, Delta, Features)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_joined_are_the_whole(stages, kind):
    whole = stages[kind]
    joined = kind.cat([whole[:1], whole[1:]])
    assert len(joined) == len(whole) == 2 and len(tensors(whole)) > 4
    assert all(torch.equal(a, b) for a, b in zip(tensors(joined), tensors(whole), strict=True))


@pytest.mark.parametrize("kind", (Edit, Delta, Features))
def test_what_is_there_already_is_not_joined_anew(stages, kind):
    whole = stages[kind]
    behind = fields(kind)[0].name
    joined = kind.cat([whole[:1], whole[1:]], **{behind: getattr(whole, behind)})
    assert getattr(joined, behind) is getattr(whole, behind)
    assert all(torch.equal(a, b) for a, b in zip(tensors(joined), tensors(whole), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_for_its_own_tensors_leaves_what_it_goes_back_to(stages, kind):
    whole = stages[kind]
    moved = whole.map_own(lambda tensor: tensor.double())
    for field in fields(kind):
        before, after = getattr(whole, field.name), getattr(moved, field.name)
        if isinstance(before, torch.Tensor):
            assert after.dtype == torch.float64 and torch.equal(after, before.double())
        if isinstance(before, KINDS):
            assert after is before


def test_the_same_pictures(stages):
    inversion = stages[Inversion]
    assert same_pictures(inversion, inversion) and same_pictures(inversion, inversion[[0, 1]])
    assert same_pictures(inversion[:1], repeat_each(inversion[:1], 3))
    assert not same_pictures(inversion, inversion[[1, 0]])
    assert not same_pictures(inversion, inversion[:1]) and not same_pictures(inversion[:1], inversion)
