"""People drawn in styles that training never saw."""

import pytest
import torch

from sfe_models.choices import LOOKS
from sfe_models.demo.attributes import sample_portraits
from sfe_models.demo.renderer import render

PEOPLE = sample_portraits([3, 4])


def test_the_first_look_is_the_renderers_own():
    assert torch.equal(render(PEOPLE, 64, LOOKS[0]).image, render(PEOPLE, 64).image)


@pytest.mark.parametrize("look", LOOKS[1:])
def test_a_look_is_in_range_and_batch_equals_single_and_what_is_known_stays(look):
    plain, drawn = render(PEOPLE, 64), render(PEOPLE, 64, look)
    assert -1 <= drawn.image.min() and drawn.image.max() <= 1 and not torch.allclose(drawn.image, plain.image, atol=0.1)
    assert torch.equal(render(PEOPLE[1:], 64, look).image, drawn.image[1:])
    for name in ("face_mask", "hair_mask", "feature_mask", "landmarks"):
        assert torch.equal(getattr(drawn, name), getattr(plain, name))


def test_another_palette_keeps_every_shade():
    plain, drawn = render(PEOPLE, 64).image, render(PEOPLE, 64, "palette").image
    torch.testing.assert_close(drawn.sum(dim=1), plain.sum(dim=1))
    assert torch.equal(drawn[:, [2, 0, 1]], plain)


def test_lines_have_no_colour_and_lie_where_colours_meet():
    drawn = render(PEOPLE, 64, "lines").image
    assert torch.equal(drawn[:, 0], drawn[:, 1]) and torch.equal(drawn[:, 0], drawn[:, 2])
    assert 0.03 < (drawn < 0).float().mean() < 0.5


def test_other_looks_are_refused():
    with pytest.raises(ValueError, match="look is 'oil'; expected one of plain, palette, lines"):
        render(PEOPLE, 64, "oil")
