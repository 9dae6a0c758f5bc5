"""One person, followed: two people, gaps, cuts."""

import pytest
import torch
from faces.people import face

from sfe_models.film.following import BRIDGED, FADE, Looking, follow

SIZE = (240, 360)


def plan(frames, cut=None, **more):
    """Follow somebody through frames, each a list of landmarks; cut: a frame where the picture changes."""
    faces = iter(frames)
    looking = Looking(lambda picture: next(faces))
    for number in range(len(frames)):
        shot = cut is not None and number >= cut
        looking.see(torch.full((3, *SIZE), 200 if shot else 30, dtype=torch.uint8))  # nothing to follow but the points
    return follow(looking, [0.04 * i for i in range(len(frames))], (64, 64), **more)


def middles(places):
    """Where the crops' middles lie, None without a face."""
    return [None if place is None else tuple(place.alignment.quad().mean(dim=0).tolist()) for place in places]


def test_of_two_people_one_is_followed_whatever_the_order_in_which_they_are_found():
    left = [face(90 + 3 * i, 110, 1.2) for i in range(20)]
    right = [face(250 - 3 * i, 120, 1.1 + 0.02 * i) for i in range(20)]  # becomes the larger one, and crosses
    frames = [[a, b] if i % 2 else [b, a] for i, (a, b) in enumerate(zip(left, right, strict=True))]
    x = [middle[0] for middle in middles(plan(frames, face=0, order="left to right").places)]
    other = [middle[0] for middle in middles(plan(frames, face=1, order="left to right").places)]
    # In the middle of the time they are at 120 and 220: no frame jumps to the other person.
    for one in (x, other):
        steps = [b - a for a, b in zip(one, one[1:], strict=False)]
        assert all(abs(step) < 6 for step in steps)
        assert all(step > 0 for step in steps) or all(step < 0 for step in steps)
    assert x[0] != pytest.approx(other[0], abs=50)


def test_a_short_gap_is_bridged_in_a_straight_line():
    frames = [[face(100 + 2 * i, 110, 1.3)] for i in range(24)]
    whole = plan(frames)
    for i in range(8, 8 + BRIDGED):
        frames[i] = []
    bridged = plan(frames)
    assert bridged.edited == 24 and {place.run for place in bridged.places} == {0}
    for a, b in zip(middles(whole.places), middles(bridged.places), strict=True):
        assert a == pytest.approx(b, abs=0.5)


def test_a_face_that_goes_fades_out_and_in_and_is_passed_through_between():
    frames = [[face(100, 110, 1.3)] for _ in range(60)]
    for i in range(20, 20 + BRIDGED + 4):
        frames[i] = []
    made = plan(frames)
    weights = [0.0 if place is None else place.weight for place in made.places]
    assert weights[0] == weights[-1] == 1
    assert weights[20 : 20 + BRIDGED + 4] == [0.0] * (BRIDGED + 4)
    steps = [abs(b - a) for a, b in zip(weights, weights[1:], strict=False)]
    assert 0 < max(steps) < 2 / FADE
    assert made.places[0].run != made.places[-1].run


def test_who_is_seen_for_a_moment_is_nobody():
    frames = [[face(100, 110, 1.3)] for _ in range(30)]
    frames[12] = [*frames[12], face(260, 120, 2.0)]
    areas = [place.alignment.area for place in plan(frames).places]
    assert areas == pytest.approx([areas[0]] * 30)
    assert plan([[], *[[face(100, 110, 1.3)]] * 2, *[[]] * 10]).edited == 0


def test_nothing_reaches_across_a_cut():
    frames = [[face(100, 110, 1.3)]] * 15 + [[face(110, 112, 1.3)]] * 15
    made = plan(frames, cut=15)
    assert made.shots == (0, 15)
    assert {place.run for place in made.places[:15]}.isdisjoint(place.run for place in made.places[15:])
    x = [middle[0] for middle in middles(made.places)]
    assert x == pytest.approx([100.0] * 15 + [110.0] * 15)
    assert {place.weight for place in made.places} == {1.0}


def test_faces_that_cannot_be_edited_are_none():
    assert plan([[face(100, 110, 0.5)]] * 10).edited == 0
