"""Every picture with every strength, in the order of pictures."""

import pytest
import torch

from sfe_models.directions.base import DirectionError
from sfe_models.domain import tiny_domain
from sfe_models.inputs import InputError
from sfe_models.sweeps import spread
from sfe_models.values import GradualInversion

SPEC = tiny_domain(64)


def found(batch):
    w = torch.arange(batch).float()[:, None, None]
    return GradualInversion(w, (w,), (w,), w, "tiny", "")


def test_pictures_stay_together_and_strengths_take_turns():
    repeated, values, mask = spread(found(3), (1.0, -2.0), None, SPEC)
    assert repeated.w.flatten().tolist() == [0, 0, 1, 1, 2, 2] and values.tolist() == [1, -2] * 3 and mask is None


def test_masks_go_with_their_pictures():
    masks = torch.stack([torch.zeros(SPEC.picture_size), torch.ones(SPEC.picture_size)])
    assert spread(found(2), [0.5] * 3, masks, SPEC)[2].mean(dim=(1, 2)).tolist() == [0, 0, 0, 1, 1, 1]
    assert len(spread(found(2), [0.5] * 3, masks[:1], SPEC)[2]) == 1


@pytest.mark.parametrize("strengths", [(), [[1.0]], torch.tensor(1.0)])
def test_strengths_are_a_list(strengths):
    with pytest.raises(DirectionError, match=r"Strengths of shape .* expected a list of numbers"):
        spread(found(1), strengths, None, SPEC)


def test_a_mask_is_never_one_for_each_strength():
    with pytest.raises(InputError, match="for 2 pictures"):
        spread(found(2), [1.0, 2.0, 3.0], torch.ones(6, *SPEC.picture_size), SPEC)
