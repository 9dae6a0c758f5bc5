"""Several edits of one picture at once: laws of the weighted sum, then bad input."""

from dataclasses import replace

import pytest
import torch

from sfe_models.directions.base import DirectionInfo, WPlusDirection
from sfe_models.directions.families.stylespace import StyleChannelsDirection
from sfe_models.inputs import InputError

CHANNEL = StyleChannelsDirection(DirectionInfo("channel", "stylespace", "human faces"), ((2, 3), (3, 1), (8, 2)))


def close(got, want):
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


@pytest.fixture
def inversion(pipeline, image):
    return pipeline.invert(image)


@pytest.fixture
def delta(pipeline, inversion):
    def make(direction, strength, source=None):
        return pipeline.compute_delta(pipeline.apply_direction(source or inversion, direction, strength))

    return make


@pytest.fixture
def halves():
    """Masks of the left and the right half."""
    left = torch.zeros(64, 64)
    left[:, :32] = 1
    return left, 1 - left


def picture(pipeline, delta):
    return pipeline.synthesize(pipeline.feature_edit(delta))


def test_one_delta_is_itself(pipeline, delta, directions):
    for direction in (*directions, CHANNEL):
        one = delta(direction, 2.0)
        combined = pipeline.combine_deltas([one])
        assert torch.equal(combined.delta, one.delta)
        close(combined.carried, one.carried)
        close(combined.edit.w, one.edit.w)
        close(picture(pipeline, combined), picture(pipeline, one))


def test_weight_0_is_the_inversion(pipeline, inversion, delta, directions):
    for direction in (*directions, CHANNEL):
        combined = pipeline.combine_deltas([delta(direction, 2.0)], [0.0])
        assert not combined.delta.any()
        close(picture(pipeline, combined), pipeline.edit(inversion))


def test_two_halves_of_an_edit_move_the_codes_as_the_whole(pipeline, delta, directions):
    whole = delta(directions[0], 3.0)
    parts = [delta(directions[0], 1.5), delta(directions[0], 1.5)]
    combined = pipeline.combine_deltas(parts)
    close(combined.edit.w, whole.edit.w)
    close(combined.edit.w_e, whole.edit.w_e)
    close(combined.carried, whole.carried)
    close(combined.delta, parts[0].delta + parts[1].delta)


def test_a_weight_is_a_strength_of_a_linear_direction(pipeline, delta, directions):
    full, half = delta(directions[0], 3.0), delta(directions[0], 1.5)
    combined = pipeline.combine_deltas([full], [0.5])
    close(combined.edit.w, half.edit.w)
    close(combined.carried, half.carried)
    close(combined.delta, 0.5 * full.delta)


def test_opposite_weights_cancel(pipeline, inversion, delta, directions):
    one = delta(directions[0], 2.0)
    combined = pipeline.combine_deltas([one, one], [1.0, -1.0])
    assert not combined.delta.any()
    close(combined.edit.w, inversion.w)
    close(picture(pipeline, combined), pipeline.edit(inversion))


def test_order_does_not_matter(pipeline, delta, directions):
    deltas, weights = [delta(directions[0], 2.0), delta(directions[1], -1.0), delta(CHANNEL, 1.5)], [1.0, 0.5, 2.0]
    one = pipeline.combine_deltas(deltas, weights)
    other = pipeline.combine_deltas(deltas[::-1], weights[::-1])
    close(one.delta, other.delta)
    close(picture(pipeline, one), picture(pipeline, other))


def test_complementary_regions_of_one_edit_are_the_unmasked_edit(pipeline, delta, directions, halves):
    for direction in (directions[0], CHANNEL):
        whole = delta(direction, 2.0)
        masked = [pipeline.mask_delta(whole, mask) for mask in halves]
        assert not torch.equal(masked[0].delta, whole.delta)
        combined = pipeline.combine_deltas(masked, [1.0, 1.0])
        close(combined.delta, whole.delta)
        # The codes are not masked: here both move, in the unmasked edit once.
        close(pipeline.combine_deltas(masked, [0.5, 0.5]).edit.w, whole.edit.w)


def test_regions_keep_to_themselves(pipeline, delta, directions, halves):
    age, style = delta(directions[0], 2.0), delta(CHANNEL, 2.0)
    combined = pipeline.combine_deltas([pipeline.mask_delta(d, m) for d, m in zip((age, style), halves, strict=True)])
    side = combined.delta.shape[3] // 2
    close(combined.delta[..., : side - 1], age.delta[..., : side - 1])
    close(combined.delta[..., side + 1 :], style.delta[..., side + 1 :])


def test_fine_edits_add_nothing_to_delta(pipeline, delta, directions):
    coarse, fine = delta(directions[0], 2.0), delta(directions[1], 2.0)
    combined = pipeline.combine_deltas([coarse, fine])
    assert torch.equal(combined.delta, coarse.delta)
    chained = delta(directions[1], 2.0, source=coarse.edit)
    close(picture(pipeline, combined), picture(pipeline, chained))


def test_w_plus_and_style_space_edits_combine(pipeline, inversion, delta, directions):
    """The style vectors move by the sum of both moves."""
    age, style = delta(directions[0], 2.0), delta(CHANNEL, 1.5)
    combined = pipeline.combine_deltas([age, style], [1.0, 2.0])
    close(combined.delta, age.delta + 2 * style.delta)
    generator = pipeline.networks.generator
    start, moved = generator.style_space(inversion.w), generator.style_space(age.edit.w)
    for i, got in enumerate(combined.edit.styles.convs):
        close(got, moved.convs[i] + 2 * (style.edit.styles.convs[i] - start.convs[i]))
    for got, want in zip(combined.edit.styles.rgbs, moved.rgbs, strict=True):
        close(got, want)
    assert [step.direction for step in combined.edit.steps] == [directions[0], CHANNEL]
    assert picture(pipeline, combined).isfinite().all()


def test_a_code_with_all_styles_combines_with_a_shorter_one(pipeline, inversion, image, delta, directions):
    class Mean(WPlusDirection):
        info, reads_all_layers = DirectionInfo("mean", "test", "human faces"), True

        def move(self, w_plus, strength):
            return w_plus + strength[:, None, None] * w_plus.mean(dim=1, keepdim=True)

    long, short = delta(Mean(), 0.5), delta(directions[0], 2.0)
    assert long.edit.w_e.shape[1] > short.edit.w_e.shape[1]
    for deltas in ([long, short], [short, long]):
        combined = pipeline.combine_deltas(deltas)
        assert combined.edit.w_e.shape == long.edit.w_e.shape
        close(combined.delta, long.delta + short.delta)
        close(combined.edit.w, long.edit.w + short.edit.w - inversion.w)


def test_a_combination_can_be_combined_and_edited_further(pipeline, delta, directions):
    one, two = delta(directions[0], 1.0), delta(CHANNEL, 1.0)
    combined = pipeline.combine_deltas([one, two])
    again = pipeline.combine_deltas([combined, one])
    close(again.delta, combined.delta + one.delta)
    close(again.edit.w, pipeline.combine_deltas([one, two, one]).edit.w)


def test_batch_equals_loop(pipeline, delta, directions):
    deltas = [delta(directions[0], 2.0), delta(CHANNEL, 1.0)]
    together = picture(pipeline, pipeline.combine_deltas(deltas, [1.0, 0.5]))
    for i in range(2):
        one = pipeline.combine_deltas([d[i : i + 1] for d in deltas], [1.0, 0.5])
        close(picture(pipeline, one), together[i : i + 1])


def test_different_pictures_are_refused(pipeline, image, delta, directions):
    other = pipeline.invert(-image)
    for second in (delta(directions[0], 1.0, source=other), delta(directions[0], 1.0)[:1]):
        with pytest.raises(InputError, match="different pictures; start both edits from one inversion"):
            pipeline.combine_deltas([delta(directions[0], 1.0), second])


def test_another_model_is_refused(pipeline, inversion, delta, directions):
    other = delta(directions[0], 1.0)
    foreign = replace(other, edit=replace(other.edit, inversion=replace(inversion, domain="tiny-32")))
    with pytest.raises(InputError, match="different pictures"):
        pipeline.combine_deltas([delta(directions[0], 1.0), foreign])


def test_equal_inversions_of_one_picture_combine(pipeline, image, delta, directions):
    again = delta(directions[0], 1.0, source=pipeline.invert(image))
    one = delta(directions[0], 1.0)
    close(pipeline.combine_deltas([one, again]).delta, 2 * one.delta)


@pytest.mark.parametrize("weights", [[], [1.0], [1.0, 1.0, 1.0], [1.0, float("nan")], [float("inf"), 1.0]])
def test_wrong_weights_are_refused(pipeline, delta, directions, weights):
    one = delta(directions[0], 1.0)
    with pytest.raises(InputError, match="2 deltas with the weights .*; expected one finite number for each"):
        pipeline.combine_deltas([one, one], weights)


def test_no_delta_at_all(pipeline):
    with pytest.raises(InputError, match="0 deltas"):
        pipeline.combine_deltas([])
