"""Crops out of photos and back."""

import pytest
import torch

from sfe_models.choices import BLENDS, HEAD, NO_HAIR, OVAL, PASTE_REGIONS, SQUARE
from sfe_models.faces.crop import spline
from sfe_models.faces.crop.alignment import FaceAlignment, align_face
from sfe_models.faces.crop.batch import AlignedFaces, crop_faces
from sfe_models.faces.crop.warp import crop_face
from sfe_models.faces.errors import FaceError
from sfe_models.faces.find.people import align_photos
from sfe_models.faces.paste.batch import paste_faces
from sfe_models.faces.paste.face import PasteOptions, paste_face, paste_weights
from sfe_models.faces.paste.membrane import membrane

PLAIN = PasteOptions(colour_match=False)


def test_identity_is_the_photo_bit_by_bit(photo):
    assert torch.equal(crop_face(photo, FaceAlignment.identity(tuple(photo.shape[1:]))), photo)


def test_halving_is_the_mean_of_four(photo):
    small = crop_face(photo, FaceAlignment.identity((140, 160), (70, 80)))
    assert torch.allclose(small, torch.nn.functional.avg_pool2d(photo, 2), atol=1e-5)


def test_linear_ramps_are_exact(alignment):
    ramp = torch.stack([torch.arange(160).expand(140, 160) + 0.5, (torch.arange(140)[:, None] + 0.5).expand(140, 160)])
    shifted = align_face(torch.tensor([[72.0, 62], [88, 60], [80, 70], [73, 78], [88, 77]]), (140, 160), (64, 64))
    crop = crop_face(ramp.float(), shifted)
    y, x = torch.meshgrid((torch.arange(64) + 0.5) / 64, (torch.arange(64) + 0.5) / 64, indexing="ij")
    expected = shifted.to_photo(torch.stack([x, y], dim=-1)).movedim(-1, 0)
    assert torch.allclose(crop, expected, atol=1e-3)


def test_outside_is_the_reflection():
    photo = torch.rand(3, 20, 20, generator=torch.Generator().manual_seed(0))
    wide = FaceAlignment((-10.0, 0.0), (40.0, 0.0), (0.0, 20.0), (20, 20), (20, 40))
    crop = crop_face(photo, wide)
    assert torch.allclose(crop[:, :, 10:30], photo, atol=1e-3)
    # It begins sharp and is blurred and faded outwards.
    errors = (crop[:, :, :10] - photo[:, :, :10].flip(2)).abs().mean(dim=(0, 1))
    assert errors[-1] < 0.1 < errors[0]


def test_align_then_paste_back_is_the_identity_outside_and_near_it_inside(photo, five):
    alignment = align_face(five, (140, 160), (256, 256))
    pasted, mask = paste_face(photo, crop_face(photo, alignment), alignment, options=PLAIN)
    assert torch.equal(pasted[:, mask == 0], photo[:, mask == 0])
    assert (mask == 0).any() and (mask == 1).any()
    assert (pasted - photo).abs().max() < 0.06


def test_another_crop_changes_the_inside_only(photo, alignment):
    pasted, mask = paste_face(photo, torch.ones(3, 64, 64), alignment, options=PLAIN)
    assert torch.equal(pasted[:, mask == 0], photo[:, mask == 0])
    assert torch.allclose(pasted[:, mask == 1], torch.ones(1), atol=1e-6)


def test_enlarged_crops_land_in_the_same_place(photo, alignment):
    crop = crop_face(photo, alignment)
    large = torch.nn.functional.interpolate(crop[None], scale_factor=2, mode="bilinear", align_corners=False)[0]
    a, b = (paste_face(photo, c, alignment, options=PLAIN)[0] for c in (crop, large))
    assert (a - b).abs().mean() < 0.01


def test_a_mask_of_zeros_changes_nothing(photo, alignment):
    pasted, mask = paste_face(photo, torch.ones(3, 64, 64), alignment, mask=torch.zeros(64, 64))
    assert torch.equal(pasted, photo) and not mask.any()


def test_colour_match_takes_a_tint_away(photo, five):
    alignment = align_face(five, (140, 160), (128, 128))
    tinted = crop_face(photo, alignment) * torch.tensor([1.2, 1.0, 0.8])[:, None, None] + 0.05
    matched, _ = paste_face(photo, tinted, alignment, options=PasteOptions(colour_match=True))
    plain, _ = paste_face(photo, tinted, alignment, options=PLAIN)
    assert (matched - photo).abs().mean() < 0.3 * (plain - photo).abs().mean()


def test_a_crop_beside_the_photo_changes_nothing(photo):
    beside = FaceAlignment((200.0, 200.0), (64.0, 0.0), (0.0, 64.0), (140, 160), (64, 64))
    pasted, mask = paste_face(photo, torch.ones(3, 64, 64), beside, options=PLAIN)
    assert torch.equal(pasted, photo) and not mask.any()


@pytest.mark.parametrize("feather", [-0.1, 0.6])
def test_bad_feather_is_refused(feather):
    with pytest.raises(FaceError, match="feather"):
        PasteOptions(feather)


def test_another_photo_is_refused(photo, alignment):
    with pytest.raises(FaceError, match="photo that was aligned"):
        paste_face(photo[:, 1:], torch.ones(3, 64, 64), alignment)


def test_batch_equals_loop(photo, five):
    photos = torch.stack([photo, photo.flip(2)])
    found = [[five], [five + 10]]
    aligned = align_photos(found, (140, 160), (64, 64))
    crops, inside = crop_faces(photos, aligned)
    pasted, _ = paste_faces(photos, crops * 0.5, aligned)
    for i in range(2):
        one = align_face(found[i][0], (140, 160), (64, 64))
        assert torch.equal(crops[i], crop_face(photos[i], one))
        assert torch.equal(pasted[i], paste_face(photos[i], crops[i] * 0.5, one)[0])
    assert inside.shape == (2, 64, 64) and set(inside.unique().tolist()) <= {0.0, 1.0}


def test_wrong_number_of_crops_is_refused(photo, alignment):
    with pytest.raises(FaceError, match="one crop for each face"):
        paste_faces(photo[None], torch.ones(2, 3, 64, 64), AlignedFaces((alignment,), (0,)))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64, torch.float16])
def test_every_kind_of_number_comes_back(photo, five, dtype):
    top = 255 if dtype == torch.uint8 else 1
    stored = (photo * top).round().to(dtype) if top == 255 else photo.to(dtype)
    one = align_face(five, (140, 160), (128, 128))
    pasted, mask = paste_face(stored, crop_face(stored, one), one, options=PLAIN)
    assert pasted.dtype == dtype and torch.equal(pasted[:, mask == 0], stored[:, mask == 0])
    assert (pasted.double() - stored.double()).abs().max() < 0.06 * top


def test_pieces_do_not_show(photo, five, monkeypatch):
    one = align_face(five, (140, 160), (96, 96))
    whole = crop_face(photo, one)
    monkeypatch.setattr("sfe_models.faces.crop.warp._CPU_SAMPLES", 16 * 16)
    assert torch.allclose(crop_face(photo, one), whole, atol=1e-5)


def test_a_spline_goes_through_its_values():
    picture = torch.rand(2, 40, 30, generator=torch.Generator().manual_seed(0))
    y, x = torch.meshgrid(torch.arange(40) + 0.5, torch.arange(30) + 0.5, indexing="ij")
    assert torch.allclose(spline.sample(spline.prefiltered(picture), x, y), picture, atol=1e-3)


def test_plain_channels_keep_within_their_values():
    mask = torch.zeros(1, 40, 40)
    mask[:, 10:30, 10:30] = 1
    y, x = torch.meshgrid(torch.linspace(0, 40, 97), torch.linspace(0, 40, 97), indexing="ij")
    found = spline.sample(spline.prefiltered(mask, plain=0), x, y)
    kept = spline.sample(spline.prefiltered(torch.cat([mask, mask]), plain=1), x, y)[1:]
    assert found.max() > 1.01 and kept.max() <= 1 + 1e-6 and kept.min() >= 0
    assert not kept[:, y < 7].any()


def test_gathered_points_are_bilinear_ones(photo):
    x, y = (
        torch.rand(2, 50, 60, generator=torch.Generator().manual_seed(0)) * torch.tensor([160.0, 140.0])[:, None, None]
    )
    assert torch.allclose(spline.gathered(photo, x, y), spline.bilinear(photo, x, y), atol=1e-4)


def test_the_mask_follows_the_face_and_not_the_square(photo, five):
    one = align_face(five, (140, 160), (128, 128))
    weights = {region: paste_weights(one, None, PasteOptions(region=region)) for region in PASTE_REGIONS}
    for region in (HEAD, OVAL, NO_HAIR):
        assert weights[region].sum() < weights[SQUARE].sum()
    assert weights[OVAL].sum() < weights[HEAD].sum() and weights[NO_HAIR].sum() < weights[OVAL].sum()
    assert all(w[0].max() < 0.01 and w[:, -1].max() < 0.01 for w in weights.values())
    middle = tuple(int(v * 128) for v in one.to_crop(five[2:3].double())[0].flip(0))
    assert all(w[middle] == 1 for w in weights.values())


@pytest.mark.parametrize("blend", BLENDS)
def test_a_crop_that_is_the_photo_changes_little_however_it_is_blended(photo, five, blend):
    one = align_face(five, (140, 160), (256, 256))
    pasted, _ = paste_face(photo, crop_face(photo, one), one, options=PasteOptions(blend=blend))
    assert (pasted - photo).abs().mean() < 0.002


def test_a_membrane_is_as_smooth_as_its_rim():
    weights = torch.zeros(96, 96)
    weights[24:72, 24:72] = 1
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    ramp = torch.stack([x / 96, y / 96, torch.full_like(x, 0.3)])  # harmonic, so the solution itself
    spoiled = torch.where(weights > 0, torch.rand(3, 96, 96, generator=torch.Generator().manual_seed(0)), ramp)
    assert torch.allclose(membrane(spoiled, weights), ramp, atol=1e-4)


@pytest.mark.parametrize(("name", "value"), [("region", "hat"), ("blend", "glue")])
def test_unknown_ways_are_refused(name, value):
    with pytest.raises(FaceError, match=value):
        PasteOptions(**{name: value})
