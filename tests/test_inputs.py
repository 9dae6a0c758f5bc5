"""What stages accept: values a little outside of their range, and those of another range."""

import logging

import pytest
import torch

from sfe_models.domain import tiny_domain
from sfe_models.inputs import InputError, in_range, picture_batch

SPEC = tiny_domain(64)
PICTURE = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("factor", [0.3, 1.0, 1.001])
def test_a_picture_in_its_range_is_taken_without_a_word(caplog, factor):
    with caplog.at_level(logging.WARNING):
        taken = picture_batch(PICTURE * factor, SPEC)
    assert torch.equal(taken, (PICTURE * factor).clamp(-1, 1)) and not caplog.records


def test_a_little_outside_is_clamped_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        assert torch.equal(picture_batch(PICTURE * 1.2, SPEC), (PICTURE * 1.2).clamp(-1, 1))
    assert "The picture has values from -1.19981 to 1.19986" in caplog.text and "clamped to [-1,1]" in caplog.text


@pytest.mark.parametrize(
    "far",
    [((PICTURE + 1) * 127.5).to(torch.uint8), (PICTURE + 1) * 127.5, PICTURE * 4 + 1, PICTURE.half() * 100],
    ids=["uint8", "0 to 255", "high dynamic range", "half"],
)
def test_far_outside_is_refused(pipeline, far):
    with pytest.raises(InputError, match=r"values from .*; expected \[-1,1\]. Scale it"):
        pipeline.invert(far)


@pytest.mark.parametrize("none", [PICTURE[:0], []], ids=["tensor", "list"])
def test_a_batch_of_no_pictures_is_refused(pipeline, none):
    with pytest.raises(InputError, match="There is no picture in the batch"):
        pipeline.invert(none)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_none_are_refused(bad):
    values = torch.rand(1, 4, 4)
    values[0, 1, 2] = bad
    with pytest.raises(InputError, match="The mask has values that are not finite"):
        in_range(values, "The mask", 0, 1)
