"""The rows of one picture at a time: what is found inverts and edits, and the model stays as it was."""

import pytest
import torch

from sfe_models.evaluation.methods import People
from sfe_models.evaluation.one_picture import drift, find


@pytest.mark.parametrize("name", ["w_plus", "optimise", "sfe_refine", "sfe_layers", "pti", "gani"])
def test_a_row_inverts_and_edits(pipeline, image, directions, name):
    before = {key: tensor.clone() for key, tensor in pipeline.networks.state_dict().items()}
    one = image[:1]
    method = find(name, pipeline, one, 2)
    made, edited = (
        method.inverted(People(one)),
        method.edited(People(one), [0, 0], directions[0], [0.0, 3.0]),
    )
    torch.testing.assert_close(edited[:1], made, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(edited[1:], made, atol=1e-3) and method.seconds > 0
    assert all(torch.equal(before[key], tensor) for key, tensor in pipeline.networks.state_dict().items())


def test_tuning_layers_after_k_leaves_delta_as_it_was(pipeline, image, directions):
    method = find("sfe_layers", pipeline, image[:1], 2)
    deltas = [
        model.compute_delta(model.apply_direction(method.inversion, directions[0], 2.0)).delta
        for model in (pipeline, method.pipeline)
    ]
    assert torch.equal(*deltas)
    assert not torch.equal(method.pipeline.edit(method.inversion), pipeline.edit(method.inversion))


def test_a_generator_has_not_drifted_from_itself_but_a_tuned_one_has(pipeline, image):
    assert drift(pipeline, pipeline) == (0.0, 0.0)
    near, far = drift(pipeline, find("pti", pipeline, image[:1], 2).pipeline)
    assert near > 0 and far > 0
