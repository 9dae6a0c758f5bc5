"""Crops out of photos and back."""

import pytest
import torch

from sfe_models.faces.alignment import FaceAlignment, align_face
from sfe_models.faces.batch import AlignedFaces, choose_faces, crop_faces, paste_faces
from sfe_models.faces.landmarks import FaceError
from sfe_models.faces.paste import paste_face
from sfe_models.faces.warp import crop_face


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
    assert torch.allclose(crop[:, :, 10:30], photo, atol=1e-5)
    assert torch.allclose(crop[:, :, :10], photo[:, :, :10].flip(2), atol=1e-5)


def test_align_then_paste_back_is_the_identity_outside_and_near_it_inside(photo, five):
    alignment = align_face(five, (140, 160), (256, 256))
    pasted, mask = paste_face(photo, crop_face(photo, alignment), alignment, match=False)
    assert torch.equal(pasted[:, mask == 0], photo[:, mask == 0])
    assert (mask == 0).any() and (mask == 1).any()
    assert (pasted - photo).abs().max() < 0.06


def test_another_crop_changes_the_inside_only(photo, alignment):
    pasted, mask = paste_face(photo, torch.ones(3, 64, 64), alignment, match=False)
    assert torch.equal(pasted[:, mask == 0], photo[:, mask == 0])
    assert torch.allclose(pasted[:, mask == 1], torch.ones(1), atol=1e-6)


def test_enlarged_crops_land_in_the_same_place(photo, alignment):
    crop = crop_face(photo, alignment)
    large = torch.nn.functional.interpolate(crop[None], scale_factor=2, mode="bilinear", align_corners=False)[0]
    a, b = (paste_face(photo, c, alignment, match=False)[0] for c in (crop, large))
    assert (a - b).abs().mean() < 0.01


def test_a_mask_of_zeros_changes_nothing(photo, alignment):
    pasted, mask = paste_face(photo, torch.ones(3, 64, 64), alignment, mask=torch.zeros(64, 64))
    assert torch.equal(pasted, photo) and not mask.any()


def test_colour_match_takes_a_tint_away(photo, five):
    alignment = align_face(five, (140, 160), (128, 128))
    tinted = crop_face(photo, alignment) * torch.tensor([1.2, 1.0, 0.8])[:, None, None] + 0.05
    matched, _ = paste_face(photo, tinted, alignment, match=True)
    plain, _ = paste_face(photo, tinted, alignment, match=False)
    assert (matched - photo).abs().mean() < 0.3 * (plain - photo).abs().mean()


def test_a_crop_beside_the_photo_changes_nothing(photo):
    beside = FaceAlignment((200.0, 200.0), (64.0, 0.0), (0.0, 64.0), (140, 160), (64, 64))
    pasted, mask = paste_face(photo, torch.ones(3, 64, 64), beside, match=False)
    assert torch.equal(pasted, photo) and not mask.any()


@pytest.mark.parametrize("feather", [-0.1, 0.6])
def test_bad_feather_is_refused(photo, alignment, feather):
    with pytest.raises(FaceError, match="feather"):
        paste_face(photo, torch.ones(3, 64, 64), alignment, feather)


def test_another_photo_is_refused(photo, alignment):
    with pytest.raises(FaceError, match="photo that was aligned"):
        paste_face(photo[:, 1:], torch.ones(3, 64, 64), alignment)


def test_batch_equals_loop(photo, five):
    photos = torch.stack([photo, photo.flip(2)])
    found = [[align_face(five, (140, 160), (64, 64))], [align_face(five + 10, (140, 160), (64, 64))]]
    aligned = choose_faces(found, "as given", 0)
    crops, inside = crop_faces(photos, aligned)
    pasted, _ = paste_faces(photos, crops * 0.5, aligned)
    for i in range(2):
        assert torch.equal(crops[i], crop_face(photos[i], found[i][0]))
        assert torch.equal(pasted[i], paste_face(photos[i], crops[i] * 0.5, found[i][0])[0])
    assert inside.shape == (2, 64, 64) and set(inside.unique().tolist()) <= {0.0, 1.0}


def test_order_and_index_choose_faces(five):
    left, large = align_face(five * 0.4, (140, 160), (64, 64)), align_face(five, (140, 160), (64, 64))
    assert choose_faces([[left, large]], "largest first", 0).faces == (large,)
    assert choose_faces([[large, left]], "left to right", 0).faces == (left,)
    both = choose_faces([[large, left], [large]], "as given", -1)
    assert both.photos == (0, 0, 1) and len(both) == 3
    with pytest.raises(FaceError, match="Photo 1 has 2 faces"):
        choose_faces([[large, left]], "as given", 2)


def test_wrong_number_of_crops_is_refused(photo, alignment):
    with pytest.raises(FaceError, match="one crop for each face"):
        paste_faces(photo[None], torch.ones(2, 3, 64, 64), AlignedFaces((alignment,), (0,)))
