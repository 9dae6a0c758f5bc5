"""Strengths."""

import pytest

from sfe_models.directions.base import evenly_spaced


@pytest.mark.parametrize(("first", "last", "steps"), [(-3.0, 3.0, 7), (0.1, -2.0, 4), (1.0, 1.0, 3)])
def test_strengths_between_two_ends_are_as_far_from_each_other(first, last, steps):
    strengths = evenly_spaced(first, last, steps)
    assert len(strengths) == steps and (strengths[0], strengths[-1]) == (first, last)
    assert [a + (last - first) / (steps - 1) for a in strengths[:-1]] == pytest.approx(strengths[1:], abs=2e-6)


def test_what_is_written_of_them_is_short():
    assert [f"{s:+g}" for s in evenly_spaced(-0.3, 0.3, 3)] == ["-0.3", "+0", "+0.3"]
    assert [repr(s) for s in evenly_spaced(0, 1, 11)][3] == "0.3"
    assert repr(evenly_spaced(-1e-9, 1, 2)[0]) == "0.0"
