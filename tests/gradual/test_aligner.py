"""Selective Attention and the Aligner: what is looked at, and what follows from moving it."""

import pytest
import torch
from gradual import small

from sfe_models.gradual.aligner import Aligner, attention_weights, position_code, selective_attention
from sfe_models.gradual.spec import gradual_spec

DOMAIN = small.DOMAINS["tiny-64"]


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


KEPT = [("top", 4, 4), ("top", 0, 20), ("top", 30, 20), ("mean", 4, 19)]


@pytest.mark.parametrize(("selection", "keep", "most"), KEPT)
def test_rows_add_up_to_one_and_look_at_no_more_than_is_kept(selection, keep, most):
    weights = attention_weights(drawn(2, 12, 8), drawn(2, 20, 8, seed=1), selection, keep)
    looked_at = (weights > 0).sum(dim=2)
    assert torch.allclose(weights.sum(dim=2), torch.ones(2, 12))
    assert looked_at.max() <= most and (selection == "mean" or (looked_at == most).all())


def test_ties_do_not_widen_what_is_kept():
    weights = attention_weights(torch.ones(1, 3, 4), torch.ones(1, 10, 4), "top", 2)
    assert ((weights > 0).sum(dim=2) == 2).all()


def test_the_order_of_keys_does_not_matter():
    query, key, value = drawn(1, 16, 8), drawn(1, 16, 8, seed=1), drawn(1, 16, 5, seed=2)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    straight = selective_attention(query, key, value, keep=4)
    assert torch.allclose(selective_attention(query, key[:, order], value[:, order], keep=4), straight, atol=1e-6)


def test_orthogonal_keys_that_are_the_queries_return_the_values():
    value = drawn(1, 16, 5)
    key = torch.eye(16)[None]
    assert torch.allclose(selective_attention(60 * key, key, value, keep=3), value, atol=1e-5)


def test_places_are_unit_vectors_that_know_their_neighbours():
    code = position_code(8)
    near = (code @ code.T).unflatten(1, (8, 8))
    assert torch.allclose(code.norm(dim=1), torch.ones(64), atol=1e-6)
    assert near[27].argmax() == 27 and near[27, 3, 4] > near[27, 3, 6] > near[27, 7, 7]


def aligner(side=16, **settings):
    torch.manual_seed(0)
    made = Aligner(16, 8, side, gradual_spec(DOMAIN, **settings)).requires_grad_(False)
    made.out.weight.normal_(0, 0.1)
    return made


@pytest.mark.parametrize("key", ["residual", "residual+features"])
def test_patches_of_one_cell_are_full_attention(key):
    inputs = drawn(1, 16, 16, 16), drawn(1, 8, 16, 16, seed=1), drawn(1, 16, 16, 16, seed=2)
    whole, patched = (aligner(key=key, attention_side=side)(*inputs) for side in (32, 16))
    assert torch.equal(whole[0], patched[0]) and torch.equal(whole[1], patched[1])


def test_patches_move_as_a_whole():
    """Without position and with sharp scores, content that has moved by a patch is found there."""
    made = aligner(attention_side=8, key="residual+features", keep=1)
    made.position.zero_()
    made.out.weight.zero_()
    made.stay[1] = -60
    made.key.weight.zero_()
    made.key.weight[:, 8:] = made.query.weight
    made.key.bias.copy_(made.query.bias)
    features, residual = drawn(1, 16, 16, 16), drawn(1, 8, 16, 16, seed=1)
    shifted = [torch.roll(x, (2, 4), (2, 3)) for x in (residual, features)]
    found, confidence = made(features, *shifted)
    inner = slice(4, -4)  # the convolutions of queries and keys see zeros beyond the edges
    assert torch.allclose(found[..., inner, inner], residual[..., inner, inner], atol=1e-5)
    assert found.shape == residual.shape and confidence.shape == (1, 1, 16, 16)
    assert 0 <= confidence.min() and confidence.max() <= 1


def test_what_has_not_moved_stays_as_it_lies():
    made = aligner(attention_side=8, key="residual+features")
    features, residual = drawn(1, 16, 16, 16), drawn(1, 8, 16, 16, seed=1)

    def off(stay):
        made.stay[1] = stay
        return (made(features, residual, features)[0] - residual).abs().mean()

    assert off(3) < 0.1 * off(-60) and off(60) == 0


def test_what_has_moved_is_not_left_behind():
    made = aligner(attention_side=16, key="residual+features", keep=1)
    made.position.zero_()
    features, residual = drawn(1, 16, 16, 16), drawn(1, 8, 16, 16, seed=1)
    shifted = [torch.roll(x, (2, 4), (2, 3)) for x in (residual, features)]
    with_place = made(features, *shifted)[0]
    made.stay[1] = -60
    assert (with_place - made(features, *shifted)[0]).abs().mean() < 0.05 * residual.abs().mean()


def test_no_gradient_goes_into_the_edited_feature():
    made = aligner().requires_grad_(True)
    edited, residual = drawn(1, 16, 16, 16).requires_grad_(), drawn(1, 8, 16, 16, seed=1).requires_grad_()
    made(edited, residual, drawn(1, 16, 16, 16, seed=2))[0].square().sum().backward()
    assert edited.grad is None and residual.grad.abs().sum() > 0


def test_a_known_shift_is_learnt():
    """A toy training: details shifted by whole cells are brought back by the features that moved with them."""
    torch.manual_seed(0)
    made = Aligner(16, 8, 8, gradual_spec(DOMAIN, key="residual+features", keep=4))
    optimizer = torch.optim.Adam(made.parameters(), 1e-2)
    torch.manual_seed(1)

    def step():
        features, residual = torch.randn(4, 16, 8, 8), torch.randn(4, 8, 8, 8)
        down, across = (int(torch.randint(-2, 3, ())) for _ in range(2))
        moved = [torch.roll(x, (down, across), (2, 3)) for x in (residual, features)]
        return (made(features, *moved)[0] - residual).abs().mean()

    before = step().item()
    for _ in range(60):
        loss = step()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5 * before
