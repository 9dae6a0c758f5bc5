"""Laws of the discriminator's augmentation, one by one, and of the probability that drives it."""

import math

import pytest
import torch
import torch.nn.functional as F

from sfe_models.training.augment import AdaptiveProbability, AugmentPipe, AugmentSpec
from sfe_models.training.augment_transforms import blit, reflect, rotation_matrix, scale_matrix, warp

TRANSFORMS = (
    "x_flip",
    "rotation_90",
    "integer_translation",
    "scale",
    "rotation",
    "anisotropic_scale",
    "fractional_translation",
    "brightness",
    "contrast",
    "luma_flip",
    "hue",
    "saturation",
)
NO_FLIP, NO_TURN, NO_SHIFT = torch.tensor([False]), torch.tensor([0]), torch.zeros(1, 2, dtype=torch.long)
IDENTITY = torch.eye(3, dtype=torch.float64)[None]


def pipe(p=1.0, **multipliers):
    augment = AugmentPipe(AugmentSpec.none(**multipliers))
    augment.p.fill_(p)
    return augment


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*size, dtype=torch.float32):
    return torch.rand(*size, generator=seeded(5), dtype=dtype) * 2 - 1


def smooth(side=32):
    """A picture without detail: what resampling must not change."""
    return F.interpolate(noise(1, 3, 4, 4, dtype=torch.float64), size=side, mode="bicubic", align_corners=True)


def angle(degrees):
    return torch.tensor([math.radians(degrees)], dtype=torch.float64)


def ones(value):
    return torch.tensor([value], dtype=torch.float64)


# The pipe as a whole


def test_p_0_is_the_picture_itself():
    image = noise(2, 3, 16, 16)
    assert AugmentPipe()(image) is image


def test_p_1_changes_every_picture_and_keeps_its_shape():
    image = noise(8, 3, 16, 16)
    augment = AugmentPipe()
    augment.p.fill_(1)
    result = augment(image, seeded())
    assert result.shape == image.shape and result.dtype == image.dtype and result.isfinite().all()
    assert ((result - image).flatten(1).abs().amax(dim=1) > 0.05).all()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_transform_alone_works_and_can_be_switched_off(name):
    image = noise(8, 3, 16, 16)
    assert not torch.equal(pipe(**{name: 1})(image, seeded()), image)
    assert torch.equal(pipe(**{name: 0})(image, seeded()), image)


def test_multiplier_times_p_is_how_often_it_happens():
    image = torch.zeros(4000, 3, 2, 2)
    changed = (pipe(0.5, brightness=0.6)(image, seeded()) != 0).any(dim=(1, 2, 3)).double().mean().item()
    assert changed == pytest.approx(0.3, abs=0.03)
    turned = noise(1, 3, 2, 2).expand(4000, -1, -1, -1)
    moved = (pipe(0.4, rotation=1)(turned, seeded()) - turned).abs().amax(dim=(1, 2, 3)) > 1e-5
    assert not moved.all() and moved.any()
    flipped = (pipe(0.5, x_flip=1)(turned, seeded()) != turned).any(dim=(1, 2, 3)).double().mean().item()
    assert flipped == pytest.approx(0.25, abs=0.03)  # half of the draws say "as it was"


def test_same_generator_same_result():
    image = noise(4, 3, 16, 16)
    augment = AugmentPipe()
    augment.p.fill_(0.7)
    assert torch.equal(augment(image, seeded(1)), augment(image, seeded(1)))
    assert not torch.equal(augment(image, seeded(1)), augment(image, seeded(2)))


def test_half_precision_comes_back_as_it_went_in():
    assert pipe(scale=1, hue=1)(noise(2, 3, 8, 8).bfloat16(), seeded()).dtype == torch.bfloat16


def test_odd_pictures_are_refused():
    for shape in ((1, 3, 8, 16), (1, 1, 8, 8), (3, 8, 8)):
        with pytest.raises(ValueError, match=r"expected \[B,3,S,S\]"):
            AugmentPipe()(torch.zeros(shape))


def test_unusable_specs_are_refused():
    with pytest.raises(ValueError, match="AugmentSpec.hue is 1.5; expected 0 to 1"):
        AugmentSpec(hue=1.5)
    with pytest.raises(ValueError, match="AugmentSpec.scale_std is -0.1; expected 0 or more"):
        AugmentSpec(scale_std=-0.1)


def test_state_dict_carries_p():
    other = AugmentPipe()
    other.load_state_dict(pipe(0.25).state_dict())
    assert other.p == 0.25


# Pixel blitting


def test_x_flip_is_flip():
    image = noise(1, 3, 6, 6)
    assert torch.equal(blit(image, torch.tensor([True]), NO_TURN, NO_SHIFT), image.flip(3))


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turn_is_rot90(turns):
    image = noise(1, 3, 6, 6)
    assert torch.equal(blit(image, NO_FLIP, torch.tensor([turns]), NO_SHIFT), torch.rot90(image, turns, (2, 3)))


def test_integer_translation_reflects_what_comes_in():
    image = noise(1, 3, 6, 6)
    padded = F.pad(image, (2, 0, 0, 1), mode="reflect")
    assert torch.equal(blit(image, NO_FLIP, NO_TURN, torch.tensor([[2, -1]])), padded[:, :, 1:, :6])


def test_blitting_goes_flip_turn_shift():
    image = noise(1, 3, 6, 6)
    expected = F.pad(torch.rot90(image.flip(3), 1, (2, 3)), (1, 0, 0, 0), mode="reflect")[..., :6]
    assert torch.equal(blit(image, torch.tensor([True]), torch.tensor([1]), torch.tensor([[1, 0]])), expected)


def test_each_picture_has_its_own_blit():
    image = noise(2, 3, 6, 6)
    result = blit(image, torch.tensor([True, False]), torch.tensor([0, 2]), NO_SHIFT.expand(2, -1))
    assert torch.equal(result, torch.stack([image[0].flip(2), torch.rot90(image[1], 2, (1, 2))]))


def test_reflection_goes_on():
    assert reflect(torch.arange(-5, 9), 4).tolist() == [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert reflect(torch.arange(-2, 3), 1).tolist() == [0] * 5


# Geometry


def test_identity_gives_the_picture_back():
    image = noise(1, 3, 9, 9, dtype=torch.float64)
    torch.testing.assert_close(warp(image, IDENTITY), image, rtol=0, atol=1e-9)


def test_constant_pictures_stay_constant_under_any_warp():
    image = torch.full((1, 3, 16, 16), 0.4, dtype=torch.float64)
    matrix = rotation_matrix(angle(33)) @ scale_matrix(ones(1.7), ones(0.6))
    torch.testing.assert_close(warp(image, matrix), image, rtol=0, atol=0.01)


def test_warp_by_whole_pixels_is_a_shift():
    image = noise(1, 3, 16, 16, dtype=torch.float64)
    matrix = IDENTITY.clone()
    matrix[:, 0, 2], matrix[:, 1, 2] = 3, -2
    torch.testing.assert_close(warp(image, matrix)[:, :, 4:, :11], image[:, :, 2:-2, 3:14], rtol=0, atol=1e-9)


def test_warp_by_a_quarter_turn_is_rot90():
    image = smooth()
    torch.testing.assert_close(
        warp(image, rotation_matrix(angle(90))), torch.rot90(image, 1, (2, 3)), rtol=0, atol=0.02
    )


def test_warps_compose():
    image = smooth(48)
    twice = warp(warp(image, rotation_matrix(angle(20))), rotation_matrix(angle(-20)))
    torch.testing.assert_close(twice[..., 12:-12, 12:-12], image[..., 12:-12, 12:-12], rtol=0, atol=0.02)


def test_scale_enlarges_about_the_middle():
    """A linear ramp about the middle becomes half as steep when the picture is enlarged twice."""
    ramp = (torch.arange(32, dtype=torch.float64) - 15.5).expand(1, 1, 32, 32)
    larger = warp(ramp, scale_matrix(ones(0.5), ones(0.5)))
    torch.testing.assert_close(larger[..., 4:-4, 4:-4], ramp[..., 4:-4, 4:-4] / 2, rtol=0, atol=0.1)


def test_downscaling_is_antialiased():
    checkers = ((torch.arange(32)[:, None] + torch.arange(32)) % 2 * 2.0 - 1)[None, None]
    assert warp(checkers, scale_matrix(ones(1.5), ones(1.5))).abs().max() < 0.3


def test_gradients_of_first_and_second_order():
    image = noise(1, 2, 4, 4, dtype=torch.float64).requires_grad_()
    matrix = rotation_matrix(angle(17)) @ scale_matrix(ones(1.2), ones(0.8))
    assert torch.autograd.gradcheck(lambda x: warp(x, matrix), image)
    assert torch.autograd.gradgradcheck(lambda x: warp(x, matrix), image)
    turn = torch.tensor([1]), torch.tensor([[1, -2]])
    assert torch.autograd.gradgradcheck(lambda x: blit(x, torch.tensor([True]), *turn), image)


def test_r1_through_the_whole_pipe_equals_differences():
    """The gradient of |grad f(augment(x))|^2 with respect to f's weight, f being nonlinear."""
    augment = AugmentPipe()
    augment.p.fill_(1)
    image = noise(2, 3, 4, 4, dtype=torch.float64).requires_grad_()

    def penalty(weight):
        logits = (augment(image, seeded(3)) * weight).tanh().sum()
        (gradient,) = torch.autograd.grad(logits, image, create_graph=True)
        return gradient.square().sum()

    weight = noise(3, 4, 4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(penalty, weight)


# Colour


def test_brightness_shifts_constant_pictures():
    image = torch.full((4000, 3, 1, 1), 0.25)
    shift = pipe(brightness=1)(image, seeded()) - 0.25
    torch.testing.assert_close(shift, shift[:, :1].expand(-1, 3, -1, -1))
    assert shift.mean().item() == pytest.approx(0, abs=0.015)
    assert shift[:, 0].std().item() == pytest.approx(0.2, rel=0.05)


def test_contrast_scales_about_0():
    factor = (pipe(contrast=1)(torch.full((4000, 3, 1, 1), 0.25), seeded()) / 0.25).log2()
    assert factor.mean().item() == pytest.approx(0, abs=0.03)
    assert factor[:, 0].std().item() == pytest.approx(0.5, rel=0.05)


def test_luma_flip_negates_grey_and_keeps_the_colour():
    image = noise(16, 3, 4, 4)
    grey = image.mean(dim=1, keepdim=True)
    result = pipe(luma_flip=1)(image, seeded())
    flipped = ((result - image).abs().amax(dim=(1, 2, 3)) > 1e-6)[:, None, None, None]
    assert 0 < flipped.sum() < 16
    torch.testing.assert_close(result, torch.where(flipped, image - 2 * grey, image))


def test_hue_keeps_grey_and_how_strong_a_colour_is():
    image = noise(8, 3, 4, 4)
    result = pipe(hue=1)(image, seeded())
    torch.testing.assert_close(result.mean(dim=1), image.mean(dim=1))
    torch.testing.assert_close(result.norm(dim=1), image.norm(dim=1))
    third = AugmentPipe(AugmentSpec.none(hue=1, hue_max=2 / 3))  # up to 120 degrees, where red becomes green
    third.p.fill_(1)
    red = torch.tensor([1.0, 0, 0])[None, :, None, None].expand(2000, -1, -1, -1)
    assert third(red, seeded())[:, 1].max().item() == pytest.approx(1, abs=0.01)


def test_saturation_keeps_grey_and_scales_the_rest():
    image = noise(8, 3, 4, 4)
    result = pipe(saturation=1)(image, seeded())
    grey = image.mean(dim=1, keepdim=True)
    torch.testing.assert_close(result.mean(dim=1, keepdim=True), grey)
    ratio = (result - grey).flatten(1).norm(dim=1) / (image - grey).flatten(1).norm(dim=1)
    torch.testing.assert_close(result - grey, (image - grey) * ratio[:, None, None, None])


# The probability


def test_p_rises_while_the_discriminator_is_sure_of_real_pictures():
    adaptive = AdaptiveProbability(pictures=1000, interval=4)
    values = [adaptive.update(torch.ones(10, 1)) for _ in range(8)]
    assert values == pytest.approx([0, 0, 0, 0.04, 0.04, 0.04, 0.04, 0.08])
    assert adaptive.r_t == 1


def test_p_falls_when_it_is_not_and_ends_at_0_and_the_maximum():
    adaptive = AdaptiveProbability(pictures=10, interval=1, p=0.8, maximum=0.9)
    mixed = torch.tensor([1.0, 1, 1, -1])  # r_t = 0.5, below 0.6
    assert [adaptive.update(mixed) for _ in range(3)] == pytest.approx([0.4, 0, 0])
    assert [adaptive.update(torch.ones(5)) for _ in range(3)] == pytest.approx([0.5, 0.9, 0.9])


def test_probability_goes_on_after_saving():
    one, other = AdaptiveProbability(pictures=100), AdaptiveProbability(pictures=100)
    for _ in range(6):
        one.update(torch.ones(4))
    other.load_state_dict(one.state_dict())
    assert [one.update(torch.ones(4)) for _ in range(3)] == [other.update(torch.ones(4)) for _ in range(3)]


def test_unusable_probabilities_are_refused():
    with pytest.raises(ValueError, match="expected 0 <= p <= maximum <= 1"):
        AdaptiveProbability(p=0.9, maximum=0.8)
