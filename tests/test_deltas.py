"""Laws of what is asked of a delta."""

import torch

from sfe_models.deltas import acts


def test_a_delta_acts_where_any_value_is_not_zero():
    delta = torch.zeros(5, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    delta[1, 2, 3, 3], delta[2, 0, 0, 0], delta[3, 1, 2, 0] = 1e-30, -1e-30, float("nan")
    delta[4] = -0.0
    assert acts(delta).tolist() == [False, True, True, True, False]
