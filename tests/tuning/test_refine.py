"""Refinement: closer than the encoders, never worse, and edits go on from there."""

import pytest
import torch

from sfe_models.inputs import InputError
from sfe_models.tuning.refine import refine


@pytest.fixture
def inversion(pipeline, image):
    return pipeline.invert(image)


def error(pipeline, inversion, image):
    made = pipeline.edit(inversion)
    size = min(made.shape[2], image.shape[2])
    made, image = (torch.nn.functional.adaptive_avg_pool2d(x, size) for x in (made, image))
    return (made - image).square().flatten(1).mean(dim=1)


@pytest.mark.parametrize("codes", [False, True])
def test_every_picture_comes_closer(pipeline, inversion, image, codes):
    refined = refine(pipeline, inversion, image, 12, codes)
    assert (error(pipeline, refined, image) < 0.97 * error(pipeline, inversion, image)).all()
    assert torch.equal(refined.w, inversion.w) != codes
    assert torch.equal(refined.w_e, inversion.w_e) and torch.equal(refined.F_w_e, inversion.F_w_e)
    assert not refined.F_k.requires_grad and not refined.w.requires_grad


def test_what_is_carried_belongs_to_the_refined_code(pipeline, inversion, image):
    refined = refine(pipeline, inversion, image, 4, codes=True)
    generator = pipeline.networks.generator
    state = generator.run(generator.start(2), generator.style_space(refined.w), pipeline.spec.feature_layer)
    torch.testing.assert_close(refined.carried, state.carried)
    assert not torch.equal(refined.carried[0], inversion.carried[0])


def test_no_step_changes_nothing(pipeline, inversion, image):
    assert refine(pipeline, inversion, image, 0) is inversion


def test_pictures_do_not_touch_each_other(pipeline, inversion, image):
    both = refine(pipeline, inversion, image, 5)
    one = refine(pipeline, inversion[:1], image[:1], 5)
    torch.testing.assert_close(both.F_k[:1], one.F_k, rtol=1e-3, atol=1e-4)


def test_the_best_is_kept_when_interrupted(pipeline, inversion, image):
    losses = []

    def stop(refining):
        losses.append(refining.loss)
        assert refining.steps == 30 and refining.done == len(losses) and refining.image.shape == (2, 3, 64, 64)
        if refining.done == 3:
            raise KeyboardInterrupt

    refined = refine(pipeline, inversion, image, 30, progress=stop)
    assert len(losses) == 3
    assert (error(pipeline, refined, image) <= error(pipeline, inversion, image)).all()


def test_other_exceptions_of_the_caller_pass_through(pipeline, inversion, image):
    def stop(refining):
        raise RuntimeError("interrupted by the server")

    with pytest.raises(RuntimeError, match="by the server"):
        refine(pipeline, inversion, image, 3, progress=stop)


def test_the_model_is_left_as_it_was(pipeline, inversion, image):
    before = {name: tensor.clone() for name, tensor in pipeline.networks.state_dict().items()}
    refine(pipeline, inversion, image, 2, codes=True)
    assert all(torch.equal(before[name], tensor) for name, tensor in pipeline.networks.state_dict().items())
    assert not any(p.requires_grad or p.grad is not None for p in pipeline.networks.parameters())


def test_works_inside_inference_mode(pipeline, image):
    with torch.inference_mode():
        inversion = pipeline.invert(image)
        refined = refine(pipeline, inversion, image, 2)
        assert not torch.equal(refined.F_k, inversion.F_k)


def test_an_edit_goes_on_from_there(pipeline, inversion, image, directions):
    refined = refine(pipeline, inversion, image, 8)
    edits = [
        pipeline.compute_delta(pipeline.apply_direction(i, directions[0], 2.0)).delta for i in (inversion, refined)
    ]
    assert torch.equal(*edits)
    assert torch.equal(pipeline.edit(refined, [(directions[0], 0.0)]), pipeline.edit(refined))


@pytest.mark.parametrize("batch", [1, 3])
def test_as_many_pictures_as_inversions(pipeline, inversion, image, batch):
    with pytest.raises(InputError, match=f"{batch} pictures"):
        refine(pipeline, inversion, image[:1].expand(batch, -1, -1, -1), 2)
