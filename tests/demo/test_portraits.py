"""The rendered portraits: laws of the attributes, of the renderer and of the details."""

import pytest
import torch
import torch.nn.functional as F

from sfe_models.demo.attributes import ATTRIBUTES, NAMES, Portraits, attributes_from_latent, latents, sample_portraits
from sfe_models.demo.details import FEWEST, MOST, draw_details
from sfe_models.demo.renderer import Rendering, render

FIELDS = ("image", "face_mask", "hair_mask", "feature_mask", "landmarks")


def portrait(**values: float) -> Portraits:
    """One plain portrait in the middle of all ranges, except for the values given."""
    middle = torch.tensor([[0.5 * (a.low + a.high) for a in ATTRIBUTES]])
    person = Portraits(middle, torch.tensor([-1]))
    for name, value in {"glasses": 0.0, "beard": 0.0, "makeup": 0.0, "hair_redness": 0.0, **values}.items():
        person = person.changed(name, value)
    return person


def changed_rows_and_columns(before: Portraits, after: Portraits) -> tuple[float, float, float, float]:
    """Top, bottom, left and right of what differs between two pictures, as shares of the picture; it must differ."""
    different = (render(before).image - render(after).image).abs().amax(dim=(0, 1)) > 1e-3
    assert different.any()
    rows, columns = different.any(dim=1).nonzero().flatten(), different.any(dim=0).nonzero().flatten()
    return rows[0] / 128, (rows[-1] + 1) / 128, columns[0] / 128, (columns[-1] + 1) / 128


def same(one: Rendering, other: Rendering) -> bool:
    """All fields bit-identical."""
    return all(torch.equal(getattr(one, field), getattr(other, field)) for field in FIELDS)


def test_a_batch_equals_a_loop():
    people = sample_portraits(range(11))
    whole = render(people, 64)
    for index in range(len(people)):
        alone = render(people[index : index + 1], 64)
        for field in FIELDS:
            assert torch.equal(getattr(whole, field)[index], getattr(alone, field)[0]), (index, field)


def test_people_do_not_depend_on_the_batch_and_rendering_is_deterministic():
    one, other = sample_portraits([3, 7, 9]), sample_portraits([7])
    assert torch.equal(one.values[1], other.values[0])
    assert same(render(one, 64), render(one, 64))


def test_shapes_and_ranges():
    people = sample_portraits(range(16))
    rendering = render(people)
    assert rendering.image.shape == (16, 3, 128, 128) and rendering.image.dtype == torch.float32
    assert rendering.image.min() >= -1 and rendering.image.max() <= 1
    for mask in (rendering.face_mask, rendering.hair_mask, rendering.feature_mask):
        assert mask.shape == (16, 1, 128, 128)
        assert mask.min() >= 0 and mask.max() <= 1
    assert (rendering.face_mask + rendering.hair_mask).max() <= 1 + 1e-5
    assert ((0.12 < rendering.face_mask.mean((1, 2, 3))) & (rendering.face_mask.mean((1, 2, 3)) < 0.45)).all()
    assert (rendering.feature_mask.mean((1, 2, 3)) > 0.03).all()


def test_nobody_renders_to_empty_tensors():
    rendering = render(sample_portraits([]), 64)
    assert rendering.image.shape == (0, 3, 64, 64) and rendering.landmarks.shape == (0, 5, 2)


def test_sizes_agree():
    people = sample_portraits(range(6))
    large, middle, small = (render(people, size) for size in (256, 128, 64))
    assert (F.avg_pool2d(large.image, 2) - middle.image).abs().mean() < 0.02
    assert (F.avg_pool2d(middle.image, 2) - small.image).abs().mean() < 0.03
    torch.testing.assert_close(large.landmarks, 2 * middle.landmarks)


def test_eyes_are_level_and_near_the_middle():
    people = sample_portraits(range(64), details=False)
    eyes = render(people).landmarks[:, :2] / 128
    middle = eyes.mean(dim=1)
    assert (middle[:, 0] - 0.5).abs().max() < 0.1
    assert ((middle[:, 1] > 0.36) & (middle[:, 1] < 0.54)).all()
    assert (eyes[:, 1, 0] - eyes[:, 0, 0] > 0.15).all()
    frontal = render(portrait()).landmarks[0]
    torch.testing.assert_close(frontal[0, 0] + frontal[1, 0], torch.tensor(128.0))


def test_landmarks_lie_where_the_masks_say():
    people = portrait(fringe=0.2)
    for yaw in (-0.7, 0.0, 0.7):
        rendering = render(people.changed("yaw", yaw))
        column, row = rendering.landmarks[0].floor().long().unbind(dim=1)
        assert (rendering.face_mask[0, 0, row, column] > 0.5).all()
        assert (rendering.feature_mask[0, 0, row[[0, 1, 3, 4]], column[[0, 1, 3, 4]]] > 0.3).all()


def test_the_head_turns_where_the_attributes_say():
    centre, right, up = (render(p).landmarks[0] for p in (portrait(), portrait(yaw=0.8), portrait(pitch=0.8)))
    assert right[2, 0] - right[:2, 0].mean() > centre[2, 0] - centre[:2, 0].mean() + 1
    assert up[2, 1] - up[:2, 1].mean() < centre[2, 1] - centre[:2, 1].mean() - 1


@pytest.mark.parametrize(
    ("name", "value", "box"),
    [
        ("smile", 1.0, (0.52, 0.84, 0.2, 0.8)),
        ("mouth_open", 1.0, (0.60, 0.90, 0.25, 0.75)),
        ("lip_fullness", 1.0, (0.60, 0.85, 0.25, 0.75)),
        ("glasses", 1.0, (0.28, 0.62, 0.12, 0.88)),
        ("eyes_open", 0.0, (0.30, 0.58, 0.15, 0.85)),
        ("eye_colour", 1.0, (0.36, 0.56, 0.2, 0.8)),
        ("gaze", 1.0, (0.36, 0.56, 0.2, 0.8)),
        ("brows", 1.0, (0.25, 0.46, 0.15, 0.85)),
        ("nose_size", 1.0, (0.30, 0.75, 0.3, 0.7)),
        ("beard", 1.0, (0.45, 0.95, 0.15, 0.85)),
        ("clothes_hue", 0.1, (0.80, 1.0, 0.0, 1.0)),
    ],
)
def test_an_attribute_changes_its_own_region_only(name, value, box):
    top, bottom, left, right = changed_rows_and_columns(portrait(), portrait(**{name: value}))
    assert top >= box[0] and bottom <= box[1] and left >= box[2] and right <= box[3], (top, bottom, left, right)


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=NAMES)
def test_every_attribute_is_visible_and_smooth(attribute):
    person = portrait(hair_length=0.3, background_light=0.6)
    span = attribute.high - attribute.low
    at = attribute.low + 0.6 * span
    start, near, far = (
        render(person.changed(attribute.name, value)).image for value in (at, at + 0.01 * span, attribute.low)
    )
    assert (start - far).abs().amax() > 0.05
    assert (start - near).abs().mean() < 0.02


def test_details_stay_when_an_attribute_changes():
    people = sample_portraits(range(12)).changed("glasses", 0.0)
    plain = sample_portraits(range(12), details=False).changed("glasses", 0.0)
    smiling = people.changed("smile", 0.9)
    # Above the mouth, where smiling changes nothing, the details are the same to the bit.
    assert torch.equal(render(people).image[:, :, :60], render(smiling).image[:, :, :60])
    assert ((render(people).image - render(plain).image).abs().amax(dim=(1, 2, 3)) > 0.05).all()
    turned = people.changed("yaw", 0.5)
    assert torch.equal(draw_details(people).numbers, draw_details(turned).numbers)


def test_everybody_has_two_to_five_details():
    count = draw_details(sample_portraits(range(200))).present.sum(dim=1)
    assert count.min() == FEWEST and count.max() == MOST
    assert not draw_details(sample_portraits(range(8), details=False)).present.any()


def test_shares_of_glasses_beards_and_makeup():
    values = attributes_from_latent(torch.randn(20000, 64, generator=torch.Generator().manual_seed(0)))
    people = Portraits(values, torch.full((20000,), -1))
    for name, share in (("glasses", 0.30), ("beard", 0.25), ("makeup", 0.35)):
        assert abs((people.get(name) > 0.5).float().mean() - share) < 0.02
        assert ((people.get(name) > 0.1) & (people.get(name) < 0.9)).float().mean() < 0.12
    bearded = people.get("beard") > 0.5
    assert people.get("makeup")[bearded].mean() < 0.5 * people.get("makeup")[~bearded].mean()


def test_the_map_from_latents_ignores_their_length_and_is_smooth():
    z = latents(range(20))
    torch.testing.assert_close(attributes_from_latent(3 * z), attributes_from_latent(z))
    assert (attributes_from_latent(z + 1e-4) - attributes_from_latent(z)).abs().max() < 1e-2


def test_values_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"'smile' of person 0 is 1.5; it must lie in \[-1, 1\]"):
        portrait().changed("smile", 1.5)
    with pytest.raises(ValueError, match="'age' of person 1"):
        sample_portraits([1, 2]).changed("age", torch.tensor([0.5, float("nan")]))


def test_unknown_attributes_are_refused():
    with pytest.raises(ValueError, match="There is no attribute 'ears'"):
        portrait().get("ears")


def test_latents_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="Latents must be"):
        attributes_from_latent(torch.zeros(2, 8))


def test_pictures_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="32 pixels or more"):
        render(portrait(), 16)
