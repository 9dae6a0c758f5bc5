"""Strengths over time."""

import pytest

from sfe_models.film.key_frames import KeyFrames, parse_key_frames


def test_strength_is_linear_between_key_frames_and_constant_outside():
    keys = parse_key_frames("0@0s,5@4s,-1@1:00")
    assert [keys.at(t) for t in (-1, 0, 1, 4, 32, 60, 99)] == [0, 0, 1.25, 5, 2, -1, -1]


def test_one_number_holds_throughout():
    keys = parse_key_frames("-1.5")
    assert keys == KeyFrames.constant(-1.5) and keys.at(0) == keys.at(1e6) == -1.5


def test_two_key_frames_at_one_time_are_a_jump():
    keys = parse_key_frames("0@2,5@2,5@3")
    assert [keys.at(t) for t in (1.9, 2, 2.5)] == [0, 5, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no strength"),
        ("a@1s", "'a' is no strength"),
        ("nan", "no strength"),
        ("1@", "is no time"),
        ("1@-2s", "is no time"),
        ("1@2h", "is no time"),
        ("1@2s,3", "has no time"),
        ("1@2s,", "has no time"),
        ("1@2s,3@1s", "before the key frame on its left"),
    ],
)
def test_what_cannot_be_read_is_said(text, message):
    with pytest.raises(ValueError, match=message):
        parse_key_frames(text)
