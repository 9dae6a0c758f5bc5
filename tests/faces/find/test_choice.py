"""Which faces are taken, and which cannot be."""

import pytest
import torch
from faces.people import face

from sfe_models.choices import ORDERS, PASS
from sfe_models.faces.crop.alignment import FaceAlignment, align_face
from sfe_models.faces.crop.batch import crop_faces
from sfe_models.faces.errors import FaceError
from sfe_models.faces.find.choice import choose_faces, face_problem
from sfe_models.faces.find.people import align_photos
from sfe_models.faces.paste.batch import paste_faces
from sfe_models.faces.paste.face import PasteOptions

SIZE = (600, 800)


SMALL_LEFT, LARGE_MIDDLE, MEDIUM_RIGHT = face(150, 100, 2), face(420, 320, 4), face(650, 480, 3)
GIVEN = [MEDIUM_RIGHT, SMALL_LEFT, LARGE_MIDDLE]


EXPECTED = {
    "largest first": [2, 0, 1],
    "left to right": [1, 2, 0],
    "right to left": [0, 2, 1],
    "top to bottom": [1, 2, 0],
    "nearest to the middle": [2, 0, 1],
    "as given": [0, 1, 2],
}


@pytest.mark.parametrize("order", ORDERS)
def test_orders(order):
    expected = EXPECTED[order]
    aligned = [align_face(points, SIZE, (64, 64)) for points in GIVEN]
    assert choose_faces(aligned, order, -1) == [aligned[i] for i in expected]
    assert [choose_faces(aligned, order, i)[0] for i in range(3)] == [aligned[i] for i in expected]
    assert choose_faces(aligned, order, 3) == []


def test_equal_faces_keep_their_order():
    same = [align_face(face(200 + 100 * i, 300, 3), SIZE, (64, 64)) for i in range(3)]
    assert choose_faces(same, "largest first", -1) == same


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (face(400, 300, 0.9), "px wide"),
        (face(400, 300, 4) * torch.tensor([0.3, 1.0]) + torch.tensor([300.0, 0.0]), "from the side"),
        (face(10, 300, 4), "outside of the photo"),
        (face(4000, 300, 4), "outside of the photo"),
    ],
)
def test_unusable_faces_have_a_reason(points, reason):
    assert reason in face_problem(points, SIZE)
    with pytest.raises(FaceError, match=reason):
        align_photos([[points]], SIZE, (64, 64))


def test_an_unusable_face_does_not_hide_the_others(caplog):
    aligned = align_photos([[face(400, 300, 0.9), LARGE_MIDDLE]], SIZE, (64, 64), face=-1)
    assert aligned.faces == (align_face(LARGE_MIDDLE, SIZE, (64, 64)),)
    assert "left out" in caplog.text


def test_a_photo_without_a_face_passes_through_bit_by_bit():
    photos = torch.rand(3, 3, 120, 160, generator=torch.Generator().manual_seed(0))
    points = face(80, 60, 2)
    aligned = align_photos([[points], [], [points]], (120, 160), (64, 64), no_face=PASS)
    crops, _ = crop_faces(photos, aligned)
    assert len(crops) == 3 and [one.found for one in aligned.faces] == [True, False, True]
    pasted, used = paste_faces(photos, torch.zeros_like(crops), aligned, options=PasteOptions(colour_match=False))
    assert torch.equal(pasted[1], photos[1]) and not used[1].any()
    assert not torch.equal(pasted[0], photos[0])


@pytest.mark.parametrize("face", [3, 10])
def test_a_face_that_is_not_there_is_an_error(face):
    with pytest.raises(FaceError, match=f"Photo 1 has 3 faces; face number {face}"):
        align_photos([GIVEN], SIZE, (64, 64), face=face)


def test_bad_settings_are_refused():
    for settings, message in (
        ({"order": "tallest first"}, "Order"),
        ({"face": -2}, "number -2"),
        ({"no_face": "shrug"}, "policy"),
        ({"smoothing": -1.0}, "smoothing"),
    ):
        with pytest.raises(FaceError, match=message):
            align_photos([GIVEN], SIZE, (64, 64), **settings)


def test_a_stand_in_lies_within_the_photo():
    one = FaceAlignment.without_face((30, 80), (64, 64))
    assert not one.found and (one.quad() >= 0).all() and (one.quad() <= torch.tensor([80, 30])).all()


def test_points_that_are_shares_of_the_photo_are_told_so():
    shares = face(0.5, 0.5, 0.005)
    assert "within 0..1: give px of the photo" in face_problem(shares, (300, 400))
