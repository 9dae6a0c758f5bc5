"""Landmark sets, and landmarks as text."""

import pytest
import torch

from sfe_models.faces.errors import FaceError
from sfe_models.faces.landmarks import LANDMARK_SETS, face_centres, format_landmarks, parse_landmarks


@pytest.mark.parametrize("count", LANDMARK_SETS)
def test_every_set_has_its_own_eyes_and_mouth(count):
    points = torch.full((count, 2), -1000.0)
    known = LANDMARK_SETS[count]
    for part, place in ((known.left_eye, (10, 20)), (known.right_eye, (30, 20)), (known.mouth_corners, (20, 40))):
        points[list(part)] = torch.tensor(place, dtype=torch.float32)
    centres = face_centres(points)
    assert centres.left_eye.tolist() == [10, 20]
    assert centres.right_eye.tolist() == [30, 20]
    assert centres.mouth.tolist() == [20, 40]


def test_text_and_points_are_the_same(five):
    photos = [[five, five + 7], [five * 2]]
    read = parse_landmarks(format_landmarks(photos))
    assert [len(faces) for faces in read] == [2, 1]
    assert all(
        torch.allclose(a.double(), b)
        for faces, found in zip(photos, read, strict=True)
        for a, b in zip(faces, found, strict=True)
    )


def test_brackets_and_commas_do_no_harm():
    assert parse_landmarks("[[1, 2], [3, 2], [2, 3], [1, 4], [3, 4]]")[0][0].shape == (5, 2)


@pytest.mark.parametrize("text", ["1 2 3 4", "1 2, 3 4, 5 6, 7 8, nine 10"])
def test_bad_text_is_refused(text):
    with pytest.raises(FaceError, match="expected"):
        parse_landmarks(text)


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (torch.zeros(7, 2), "expected"),
        (torch.zeros(5, 2), "one place"),
        (torch.full((5, 2), float("nan")), "not finite"),
    ],
)
def test_bad_points_are_refused(points, reason):
    with pytest.raises(FaceError, match=reason):
        face_centres(points)


def test_a_lone_semicolon_is_a_photo_without_a_face(five):
    read = parse_landmarks(format_landmarks([[five]]) + "\n;\n" + format_landmarks([[five, five]]))
    assert [len(faces) for faces in read] == [1, 0, 2]
