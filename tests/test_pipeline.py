"""Laws of the pipeline, then bad input."""

import copy
from dataclasses import replace

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError, DirectionInfo, WPlusDirection
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.families.stylespace import StyleChannelsDirection
from sfe_models.domain import CARS_512, InverterSpec, tiny_domain
from sfe_models.inputs import InputError
from sfe_models.nn import convolution
from sfe_models.pipeline import Pipeline
from sfe_models.values import repeat_each

CHANNEL = StyleChannelsDirection(DirectionInfo("channel", "stylespace", "human faces"), ((2, 3), (3, 1)))


@pytest.fixture
def inversion(pipeline, image):
    return pipeline.invert(image)


def close(got, want):
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


class Calls:
    """Count the calls of a network."""

    def __init__(self, network, monkeypatch):
        self.count, forward = 0, network.forward

        def counted(*args, **kwargs):
            self.count += 1
            return forward(*args, **kwargs)

        monkeypatch.setattr(network, "forward", counted)


def test_strength_zero_is_the_inversion(pipeline, inversion, directions):
    want = pipeline.edit(inversion)
    for direction in (*directions, CHANNEL):
        assert torch.equal(pipeline.edit(inversion, [(direction, 0.0)]), want)


def test_an_edit_changes_the_picture(pipeline, inversion, directions):
    for direction in (*directions, CHANNEL):
        assert not torch.allclose(pipeline.edit(inversion, [(direction, 3.0)]), pipeline.edit(inversion), atol=1e-2)


def test_stages_are_the_equations(pipeline, inversion, directions):
    networks, k = pipeline.networks, pipeline.spec.feature_layer
    generator = networks.generator

    def features(w):
        w = torch.cat([w, w[:, :1]], dim=1) if w.shape[1] == k else w
        return generator.run(generator.start(len(w)), generator.style_space(w[:, : k + 1], k), k)

    w, predicted = networks.inverter(inversion.picture)
    close(inversion.w, w + generator.latent_avg)
    close(inversion.F_k, networks.inverter.fuse(predicted, features(inversion.w).features))
    edit = pipeline.apply_direction(inversion, directions[0], 2.0)
    delta = pipeline.compute_delta(edit)
    close(delta.delta, features(inversion.w_e).features - features(edit.w_e).features)
    edited = pipeline.feature_edit(delta)
    close(edited.F_k, networks.feature_editor(inversion.F_k, delta.delta))
    state = replace(features(edit.w), features=edited.F_k)
    close(pipeline.synthesize(edited), generator.picture(generator.run(state, generator.style_space(edit.w))))


def test_first_e4e_styles_are_enough(pipeline, image, directions):
    few, all_styles = pipeline.invert(image), pipeline.invert(image, all_styles=True)
    assert few.w_e.shape[1] == pipeline.spec.delta_styles and all_styles.w_e.shape[1] == pipeline.spec.n_styles
    assert torch.equal(few.w_e, all_styles.w_e[:, : few.w_e.shape[1]])
    steps = [(directions[0], 2.0), (CHANNEL, 1.0)]
    assert torch.equal(pipeline.edit(few, steps), pipeline.edit(all_styles, steps))
    assert torch.equal(pipeline.with_all_styles(few).w_e, all_styles.w_e)


def test_fine_layers_leave_delta_at_zero_and_keep_the_features(pipeline, inversion, directions, monkeypatch):
    calls = Calls(pipeline.networks.feature_editor, monkeypatch)
    generator = Calls(pipeline.networks.generator.conv1, monkeypatch)
    fine = pipeline.apply_direction(inversion, directions[1], 3.0)
    delta = pipeline.compute_delta(fine)
    assert not delta.delta.any() and torch.equal(delta.carried[0], inversion.carried[0])
    images = [pipeline.edit(inversion, [(directions[1], s)]) for s in (1.0, 2.0, 3.0)]
    assert calls.count == 1 and generator.count == 0
    # The kept result is that of computing everything.
    full = pipeline.networks.feature_editor(inversion.F_k, torch.zeros_like(inversion.F_w_e))
    assert torch.equal(pipeline.feature_edit(delta).F_k, full)
    close(images[2], pipeline.synthesize(replace(pipeline.feature_edit(delta), F_k=full)))


def test_batch_equals_loop(pipeline, image, directions):
    steps = [(directions[0], 2.0), (CHANNEL, -1.0)]
    batch = pipeline.edit(image, steps)
    for i in range(2):
        close(pipeline.edit(image[i : i + 1], steps), batch[i : i + 1])


def test_strength_per_picture(pipeline, inversion, directions):
    mixed = pipeline.edit(inversion, [(directions[0], torch.tensor([0.0, 2.0]))])
    close(mixed[0], pipeline.edit(inversion)[0])
    close(mixed[1], pipeline.edit(inversion, [(directions[0], 2.0)])[1])


def test_sweep_equals_single_edits(pipeline, inversion, directions):
    mask = torch.zeros(2, 64, 64)
    mask[0, :, :32] = 1
    for direction in (*directions, CHANNEL):
        swept = pipeline.sweep(inversion, direction, [-2.0, 0.0, 2.0], mask)
        assert swept.shape == (2, 3, 3, 64, 64)
        for j, strength in enumerate([-2.0, 0.0, 2.0]):
            close(swept[:, j], pipeline.edit(inversion, [(direction, strength)], mask))


def test_masks_of_a_sweep_are_for_pictures_and_never_dealt_out_to_strengths(pipeline, inversion, directions):
    masks = torch.ones(len(inversion) + 1, *pipeline.spec.picture_size)
    with pytest.raises(InputError, match="Mask of shape"):
        pipeline.sweep(inversion, directions[0], torch.arange(len(masks)).float(), masks)


def test_fine_sweep_runs_the_editor_once(pipeline, inversion, directions, monkeypatch):
    calls = Calls(pipeline.networks.feature_editor, monkeypatch)
    pipeline.sweep(inversion, directions[1], [1.0, 2.0, 3.0, 4.0])
    assert calls.count == 1


def test_chained_linear_steps_add_up_in_any_order(pipeline, inversion, directions):
    first, second = directions
    one = pipeline.apply_direction(pipeline.apply_direction(inversion, first, 1.0), second, 2.0)
    two = pipeline.apply_direction(pipeline.apply_direction(inversion, second, 2.0), first, 1.0)
    close(one.w, two.w)
    close(one.w, inversion.w + first.vector + 2 * second.vector)
    back = pipeline.apply_direction(pipeline.apply_direction(inversion, first, 1.0), first, -1.0)
    close(back.w, inversion.w)


def test_style_steps_come_after_w_steps(pipeline, inversion, directions):
    right = pipeline.apply_direction(pipeline.apply_direction(inversion, directions[0], 1.0), CHANNEL, 2.0)
    mixed = pipeline.apply_direction(pipeline.apply_direction(inversion, CHANNEL, 2.0), directions[0], 1.0)
    assert [s.direction for s in mixed.steps] == [directions[0], CHANNEL]
    assert torch.equal(pipeline.compute_delta(right).delta, pipeline.compute_delta(mixed).delta)


def test_mask(pipeline, inversion, directions):
    delta = pipeline.compute_delta(pipeline.apply_direction(inversion, directions[0], 2.0))
    assert torch.equal(pipeline.mask_delta(delta, torch.ones(64, 64)).delta, delta.delta)
    assert not pipeline.mask_delta(delta, torch.zeros(2, 50, 50)).delta.any()
    left = torch.zeros(1, 64, 64)
    left[..., :32] = 1
    masked = pipeline.mask_delta(delta, left).delta
    assert torch.equal(masked[..., :8], delta.delta[..., :8]) and not masked[..., 8:].any()


def test_direction_that_reads_all_layers_completes_the_code(pipeline, inversion, image):
    class Mean(WPlusDirection):
        info, reads_all_layers = DirectionInfo("mean", "test", "human faces"), True

        def move(self, w_plus, strength):
            return w_plus + strength[:, None, None] * w_plus.mean(dim=1, keepdim=True)

    edit = pipeline.apply_direction(inversion, Mean(), 1.0)
    assert edit.w_e.shape == edit.w.shape
    want = pipeline.apply_direction(pipeline.invert(image, all_styles=True), Mean(), 1.0)
    assert torch.equal(edit.w_e, want.w_e)


def test_without_feature_editor_the_fused_features_are_synthesized(networks, image, directions):
    networks = copy.deepcopy(networks)
    networks.feature_editor = None
    pipeline = Pipeline(networks)
    inversion = pipeline.invert(image)
    features = pipeline.feature_edit(pipeline.compute_delta(pipeline.apply_direction(inversion, directions[0], 2.0)))
    assert torch.equal(features.F_k, inversion.F_k)


@pytest.mark.parametrize("dtype, floor", [(torch.bfloat16, 40.0), (torch.float16, 50.0)])
def test_half_precision(networks, image, directions, dtype, floor, monkeypatch):
    monkeypatch.setattr(convolution, "_cpu_has_float16", lambda: True)  # compute in float16, however slowly
    steps = [(directions[0], 2.0)]
    want = Pipeline(networks).edit(image, steps).clamp(-1, 1)
    got = Pipeline(copy.deepcopy(networks).cast(dtype)).edit(image, steps).clamp(-1, 1)
    assert 10 * torch.log10(4 / (got - want).square().mean()) >= floor


def test_float16_does_not_overflow_where_the_picture_does_not(networks, monkeypatch):
    """Styles of several thousand: without care their products with activations pass float16's 65504."""
    monkeypatch.setattr(convolution, "_cpu_has_float16", lambda: True)
    networks = copy.deepcopy(networks)
    for name, module in networks.generator.named_modules():
        if name.endswith("modulation"):
            module.bias.mul_(30000.0)
            module.weight.mul_(30000.0)
    w = torch.randn(1, 10, 16, generator=torch.Generator().manual_seed(0))
    want = networks.generator(w)
    got = copy.deepcopy(networks).cast(torch.float16).generator(w)
    assert got.isfinite().all()
    assert (got - want).norm() <= 0.01 * want.norm()


def test_without_a_fuser_the_predicted_features_are_taken():
    spec = tiny_domain()
    spec = replace(spec, inverter=replace(spec.inverter, fuser=False))
    networks = random_networks(spec)
    inversion = Pipeline(networks).invert(torch.rand(1, 3, 32, 32) * 2 - 1)
    close(inversion.F_k, networks.inverter(inversion.picture)[1])
    assert not any("fuser" in key for key in networks.inverter.state_dict())


def test_domain_with_a_later_delta_layer_and_a_wide_picture(directions):
    spec = replace(
        CARS_512,
        generator=tiny_domain(256).generator,
        e4e=tiny_domain(256).e4e,
        inverter=InverterSpec(8, (8, 8, 16, 16), (1, 1, 1, 1), fuser_blocks=1),
        feature_layer=9,
        delta_layer=11,
        editor_blocks=1,
    )
    pipeline = Pipeline(random_networks(spec))
    image = torch.rand(1, 3, 192, 256) * 2 - 1
    inversion = pipeline.invert(image)
    assert inversion.F_w_e.shape[2:] == (128, 128) and inversion.w_e.shape[1] == 11
    vector = torch.randn(14, 16)
    direction = LinearDirection(DirectionInfo("any", "test", "cars"), vector)
    edited = pipeline.edit(inversion, [(direction, 1.0)], torch.ones(192, 256))
    assert edited.shape == (1, 3, 192, 256)
    masked = pipeline.mask_delta(
        pipeline.compute_delta(pipeline.apply_direction(inversion, direction, 1.0)), torch.ones(192, 256)
    ).delta
    assert masked[:, :, 16:112].any() and not masked[:, :, :16].any()
    with pytest.raises(InputError, match="256:192"):
        pipeline.invert(torch.zeros(1, 3, 256, 256))


def test_values_are_short_in_print_and_can_be_cut(pipeline, inversion, directions):
    edit = pipeline.apply_direction(inversion, directions[0], 2.0)
    features = pipeline.feature_edit(pipeline.compute_delta(edit))
    assert len(repr(features)) < 1000
    one = features[1:]
    assert len(one) == 1 and len(one.edit.steps[0].strength) == 1
    close(pipeline.synthesize(one), pipeline.synthesize(features)[1:])
    assert torch.equal(repeat_each(inversion, 2).w, inversion.w.repeat_interleave(2, dim=0))


@pytest.mark.parametrize(
    "bad, message",
    [
        (torch.zeros(1, 1, 64, 64), "RGB"),
        (torch.zeros(1, 4, 64, 64), "RGB"),
        (torch.zeros(3, 64, 64), "RGB"),
        (torch.zeros(1, 3, 64, 80), "square aligned crop"),
        (torch.zeros(1, 3, 1, 1), "1 x 1 px"),
        (torch.full((1, 3, 64, 64), float("nan")), "not finite"),
    ],
)
def test_bad_pictures(pipeline, bad, message):
    with pytest.raises(InputError, match=message):
        pipeline.invert(bad)


def test_a_list_of_pictures_is_a_batch_if_they_have_one_size(pipeline, image):
    assert torch.equal(pipeline.invert(list(image)).w, pipeline.invert(image).w)
    with pytest.raises(InputError, match=r"\(3, 64, 64\), \(3, 80, 80\); expected one size"):
        pipeline.invert([image[0], torch.zeros(3, 64, 64)])
    with pytest.raises(InputError, match="no picture in the batch"):
        pipeline.invert([])


@pytest.mark.parametrize(
    "bad, message",
    [
        (torch.zeros(3, 64, 64), "for 2 pictures"),
        (torch.zeros(0, 64), "for 2 pictures"),
        (torch.zeros(64, 90), "square"),
        (torch.full((64, 64), 2.0), r"outside \[0,1\]"),
        (torch.full((64, 64), float("nan")), r"outside \[0,1\]"),
    ],
)
def test_bad_masks(pipeline, inversion, directions, bad, message):
    delta = pipeline.compute_delta(pipeline.apply_direction(inversion, directions[0], 2.0))
    with pytest.raises(InputError, match=message):
        pipeline.mask_delta(delta, bad)


@pytest.mark.parametrize("bad", ["5", None, float("nan"), float("inf"), torch.zeros(3), True])
def test_bad_strengths(pipeline, inversion, directions, bad):
    with pytest.raises(DirectionError):
        pipeline.apply_direction(inversion, directions[0], bad)


def test_what_belongs_to_another_model_is_refused(pipeline, inversion, directions):
    cars = LinearDirection(DirectionInfo("grass", "ganspace", "cars"), directions[0].vector)
    with pytest.raises(DirectionError, match="for cars.*human faces"):
        pipeline.apply_direction(inversion, cars, 1.0)
    other = LinearDirection(directions[0].info, torch.zeros(1, 512))
    with pytest.raises(DirectionError, match="1 x 512"):
        pipeline.apply_direction(inversion, other, 1.0)
    with pytest.raises(InputError, match="tiny-32"):
        pipeline.edit(replace(inversion, domain="tiny-32"))
