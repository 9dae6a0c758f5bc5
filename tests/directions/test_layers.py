"""Layer masks touch only their layers, in W+ and in style space."""

import pytest
import torch

from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.ganspace import GANSpaceDirection
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.families.stylespace import StyleOffsetDirection
from sfe_models.directions.layers import LayerMaskedDirection, on_layers_only, parse_layers
from sfe_models.domain import FFHQ_1024, tiny_domain
from sfe_models.generators.base import StyleSpace
from sfe_models.generators.families import make_generator
from sfe_models.generators.mobilestylegan.spec import FFHQ_MOBILE, MobileStyleGANSpec

INFO = DirectionInfo("test", "test", "human faces")
SPEC, N, D = FFHQ_1024.generator, 18, 4
ONE = torch.ones(1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, range(18)),
        ("all", range(18)),
        ("coarse", range(4)),
        ("Medium", range(4, 8)),
        ("middle", range(4, 8)),
        ("fine", range(8, 18)),
        ("0-3,7", [0, 1, 2, 3, 7]),
        (" 7 , 5 - 6, 6", [5, 6, 7]),
        ("coarse, 17", [0, 1, 2, 3, 17]),
        ([3, 1], [1, 3]),
    ],
)
def test_layers_are_read(text, expected):
    assert parse_layers(text, SPEC) == tuple(expected)


def test_levels_end_with_the_generator():
    assert parse_layers("medium", tiny_domain(16).generator) == (4, 5)
    with pytest.raises(DirectionError, match="no fine layers in this generator of 16 px; its layers are 0 to 5"):
        parse_layers("fine", tiny_domain(16).generator)


def test_a_generator_of_23_latents_has_the_levels_where_it_has_the_same_pixels():
    named = {level: parse_layers(level, FFHQ_MOBILE) for level in ("coarse", "medium", "fine")}
    assert named == {"coarse": tuple(range(6)), "medium": tuple(range(6, 12)), "fine": tuple(range(12, 23))}
    assert parse_layers("coarse, 22", FFHQ_MOBILE) == (*range(6), 22)
    rows = torch.zeros(18, 1)
    rows[4:8] = 1
    assert FFHQ_MOBILE.fit_latents(rows)[:, 0].nonzero()[:, 0].tolist() == list(named["medium"])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "''"),
        ("top", "'top'"),
        ("3-1", "1-3"),
        ("0-18", "18"),
        ("-1", "'-1'"),
        ([], "No layer"),
        ([True], "True"),
    ],
)
def test_bad_layers_are_refused(text, word):
    with pytest.raises(DirectionError, match=word):
        parse_layers(text, SPEC)


def test_a_masked_w_plus_direction_moves_its_layers_and_no_other():
    plain = LinearDirection(INFO, torch.randn(N, D, generator=torch.Generator().manual_seed(0)))
    masked = on_layers_only(plain, "medium,17", SPEC)
    w = torch.randn(1, N, D, generator=torch.Generator().manual_seed(1))
    moved, full, inside = masked.move(w, 2 * ONE), plain.move(w, 2 * ONE), [4, 5, 6, 7, 17]
    outside = [i for i in range(N) if i not in inside]
    assert torch.equal(moved[:, inside], full[:, inside]) and torch.equal(moved[:, outside], w[:, outside])
    assert torch.equal(masked.move(w[:, :6], 2 * ONE), moved[:, :6])  # codes cut to the first layers
    assert torch.equal(masked.move(w, 0 * ONE), w)
    assert "layers 4-7, 17" in repr(masked) and masked.info is INFO


def test_a_mask_of_all_layers_is_the_direction_itself():
    plain = LinearDirection(INFO, torch.ones(1, D))
    assert on_layers_only(plain, "0-17", SPEC) is plain


def test_masks_work_for_directions_that_set():
    component = torch.eye(D)[0]
    plain = GANSpaceDirection(INFO, component, torch.zeros(D), 1.0, 0, 8)
    w = torch.randn(1, N, D, generator=torch.Generator().manual_seed(1))
    masked = on_layers_only(plain, "0-3", SPEC)
    assert torch.equal(masked.move(w, ONE)[:, 4:], w[:, 4:])
    assert torch.allclose(masked.move(w, plain.coordinate(w)), w, atol=1e-6)


def test_masks_add_up():
    plain = LinearDirection(INFO, torch.ones(1, D))
    parts = [on_layers_only(plain, layers, SPEC) for layers in ("coarse", "medium", "fine")]
    w = torch.zeros(1, N, D)
    for part in parts:
        w = part.move(w, ONE)
    assert torch.equal(w, plain.move(torch.zeros(1, N, D), ONE))
    assert not on_layers_only(LayerMaskedDirection(plain, (0,)), "1", SPEC).move(torch.zeros(1, N, D), ONE).any()


def test_a_masked_style_space_direction_moves_what_its_layers_drive():
    convs, rgbs = [3] * 17, [3] * 9
    plain = StyleOffsetDirection(INFO, tuple(torch.ones(c) for c in convs), tuple(torch.ones(c) for c in rgbs))
    masked = on_layers_only(plain, "1-2", SPEC)
    styles = StyleSpace(tuple(torch.zeros(1, c) for c in convs), tuple(torch.zeros(1, c) for c in rgbs))
    moved = masked.move(styles, ONE)
    assert [i for i, s in enumerate(moved.convs) if s.any()] == [1, 2]
    assert [i for i, s in enumerate(moved.rgbs) if s.any()] == [0]  # the 4 px RGB layer reads style 1
    last = on_layers_only(plain, "17", SPEC).move(styles, ONE)
    assert not any(s.any() for s in last.convs) and [i for i, s in enumerate(last.rgbs) if s.any()] == [8]
    short = StyleSpace(styles.convs[:9], styles.rgbs[:4])
    assert len(masked.move(short, ONE).convs) == 9


@pytest.mark.parametrize("layers", ["coarse", "medium", "fine", "1, 9"])
@pytest.mark.parametrize("spec", [tiny_domain(64).generator, MobileStyleGANSpec((8, 8, 8, 8), 8, 2)])
def test_masks_mean_the_same_in_w_plus_and_in_style_space(spec, layers):
    torch.manual_seed(0)
    generator = make_generator(spec).requires_grad_(False)
    w, step = torch.randn(2, 1, spec.n_styles, spec.style_dim)
    before, after = generator.style_space(w), generator.style_space(w + step)
    convs = tuple((b - a)[0] for a, b in zip(before.convs, after.convs, strict=True))
    rgbs = tuple((b - a)[0] for a, b in zip(before.rgbs, after.rgbs, strict=True))
    moved = on_layers_only(StyleOffsetDirection(INFO, convs, rgbs), layers, spec).move(before, ONE)
    wanted = generator.style_space(on_layers_only(LinearDirection(INFO, step[0]), layers, spec).move(w, ONE))
    for got, want in zip((*moved.convs, *moved.rgbs), (*wanted.convs, *wanted.rgbs), strict=True):
        torch.testing.assert_close(got, want)
