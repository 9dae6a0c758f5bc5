"""Laws of style mixing, then bad input."""

import pytest
import torch

from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.stylespace import StyleChannelsDirection
from sfe_models.inputs import InputError

CHANNEL = StyleChannelsDirection(DirectionInfo("channel", "stylespace", "human faces"), ((2, 3), (3, 1)))
LEVELS = ("coarse", "middle", "fine", "all", "1, 3-5")


@pytest.fixture
def inversion(pipeline, image):
    return pipeline.invert(image)


def picture(pipeline, edit):
    return pipeline.synthesize(pipeline.feature_edit(pipeline.compute_delta(edit)))


def close(got, want):
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layers", LEVELS)
def test_mixing_with_itself_is_the_inversion(pipeline, inversion, layers):
    edit = pipeline.mix_styles(inversion, inversion, layers)
    assert torch.equal(edit.w, inversion.w) and torch.equal(edit.w_e, inversion.w_e)
    assert torch.equal(picture(pipeline, edit), pipeline.edit(inversion))


def test_alpha_zero_is_the_inversion_and_half_lies_between(pipeline, inversion):
    a, b = inversion[0], inversion[1]
    assert torch.equal(pipeline.mix_styles(a, b, "all", 0.0).w, a.w)
    close(pipeline.mix_styles(a, b, "all", 0.5).w, (a.w + b.w) / 2)


def test_all_layers_are_the_codes_of_the_other_and_F_k_stays(pipeline, inversion):
    a, b = inversion[0], inversion[1]
    edit = pipeline.mix_styles(a, b, "all")
    assert torch.equal(edit.w, b.w) and torch.equal(edit.w_e, b.w_e) and torch.equal(edit.inversion.F_k, a.F_k)
    delta = pipeline.compute_delta(edit)
    close(delta.delta, a.F_w_e - b.F_w_e)
    close(pipeline.feature_edit(delta).F_k, pipeline.networks.feature_editor(a.F_k, delta.delta))


def test_only_the_chosen_layers_are_the_other_s(pipeline, inversion):
    a, b = inversion[0], inversion[1]
    edit = pipeline.mix_styles(a, b, "middle")
    for own, its, got in ((a.w, b.w, edit.w), (a.w_e, b.w_e, edit.w_e)):
        for layer in range(own.shape[1]):
            assert torch.equal(got[:, layer], (its if 4 <= layer < 8 else own)[:, layer])


def test_parts_together_are_all(pipeline, inversion):
    a, b = inversion[0], inversion[1]
    edit = a
    for layers in ("fine", "coarse", "middle"):
        edit = pipeline.mix_styles(edit, b, layers)
    assert torch.equal(edit.w, b.w) and torch.equal(edit.w_e, b.w_e)


@pytest.mark.parametrize("layers", LEVELS)
def test_batch_equals_single(pipeline, inversion, layers):
    turned = inversion[[1, 0]]
    batch = picture(pipeline, pipeline.mix_styles(inversion, turned, layers))
    for i in range(2):
        close(picture(pipeline, pipeline.mix_styles(inversion[i], turned[i], layers)), batch[i : i + 1])
    for_all = pipeline.mix_styles(inversion, inversion[1], layers)
    close(picture(pipeline, for_all)[:1], batch[:1])


def test_directions_go_on_from_a_mix_in_any_order_with_style_space(pipeline, inversion, directions):
    a, b = inversion[0], inversion[1]
    mixed = pipeline.apply_direction(pipeline.mix_styles(a, b, "middle"), directions[0], 2.0)
    one = torch.tensor([2.0])
    assert torch.equal(mixed.w, directions[0].move(pipeline.mix_styles(a, b, "middle").w, one))
    late = pipeline.apply_direction(pipeline.mix_styles(a, b, "middle"), CHANNEL, 1.0)
    early = pipeline.mix_styles(pipeline.apply_direction(a, CHANNEL, 1.0), b, "middle")
    assert torch.equal(picture(pipeline, early), picture(pipeline, late))
    assert not torch.allclose(picture(pipeline, late), picture(pipeline, pipeline.mix_styles(a, b, "middle")))


def test_part_of_a_mixed_batch_takes_its_own_other(pipeline, inversion):
    edit = pipeline.mix_styles(inversion, inversion[[1, 0]], "middle")
    again = pipeline.apply_direction(pipeline.apply_direction(edit[1], CHANNEL, 1.0), CHANNEL, -1.0)
    step = again.steps[0]
    assert torch.equal(step.other.w, inversion[0].w) and repr(step) == "layers 4-7 of other pictures at 1"


def test_the_other_s_code_is_completed_where_it_is_needed(pipeline, image):
    few, every = pipeline.invert(image), pipeline.invert(image, all_styles=True)
    mixed = pipeline.mix_styles(every[0], few[1], "all")
    assert torch.equal(mixed.w_e, pipeline.with_all_styles(few[1]).w_e)
    assert torch.equal(pipeline.mix_styles(few[0], every[1], "all").w_e, few[1].w_e)


def test_what_cannot_be_mixed(pipeline, inversion):
    with pytest.raises(InputError, match="2 pictures to mix 1 with"):
        pipeline.mix_styles(inversion[0], inversion)
    for alpha in (-0.1, 1.5, float("nan")):
        with pytest.raises(InputError, match="from 0"):
            pipeline.mix_styles(inversion, inversion, "all", alpha)
    with pytest.raises(DirectionError, match="cannot be read at 'upper'"):
        pipeline.mix_styles(inversion, inversion, "upper")
    foreign = inversion.map(lambda t: t)
    object.__setattr__(foreign, "domain", "other")
    with pytest.raises(InputError, match="The inversion to mix with is of other"):
        pipeline.mix_styles(inversion, foreign)
