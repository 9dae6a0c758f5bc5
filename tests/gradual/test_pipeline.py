"""The pipeline of a gradual model: the verbs of Pipeline, and their laws."""

from dataclasses import replace

import pytest
import torch
from gradual import small

from sfe_models.choices import DELTA
from sfe_models.evaluation.speed import benchmark_directions
from sfe_models.gradual.pipeline import GradualPipeline
from sfe_models.inputs import InputError
from sfe_models.pipeline import Pipeline
from sfe_models.tuning.refine import refine
from sfe_models.values import GradualInversion


@pytest.fixture(scope="module")
def pipeline():
    return GradualPipeline(small.networks())


@pytest.fixture(scope="module")
def direction(pipeline):
    return benchmark_directions(pipeline.spec)[0]


@pytest.fixture(scope="module")
def inversion(pipeline):
    return pipeline.invert(small.pictures())


def test_without_steps_the_result_is_the_inversion(pipeline, inversion, direction):
    plain = pipeline.edit(inversion)
    assert torch.equal(plain, pipeline.edit(inversion, [(direction, 0.0)]))
    assert torch.equal(plain, pipeline.edit(small.pictures()))


def test_edits_are_continuous_in_strength(pipeline, inversion, direction):
    plain = pipeline.edit(inversion)
    steps = [(pipeline.edit(inversion, [(direction, strength)]) - plain).abs().mean() for strength in (1e-4, 1e-2, 1.0)]
    assert steps[0] < 0.1 * steps[1] < 0.1 * steps[2] and steps[2] > 0.01


def test_an_untrained_model_edits_as_e4e_does(direction):
    pipeline = GradualPipeline(small.networks(drawn=False))
    inversion = pipeline.invert(small.pictures())
    moved = direction.move(inversion.w, torch.full((2,), 2.0))
    assert torch.equal(pipeline.edit(inversion, [(direction, 2.0)]), pipeline.generate_from(moved))


def test_a_sweep_is_single_edits(pipeline, inversion, direction):
    swept = pipeline.sweep(inversion, direction, [-1.0, 0.0, 2.0])
    for i, strength in enumerate((-1.0, 0.0, 2.0)):
        assert torch.allclose(swept[:, i], pipeline.edit(inversion, [(direction, strength)]), atol=1e-4)


def test_steps_can_be_chained(pipeline, inversion, direction):
    once = pipeline.apply_direction(inversion, direction, 2.0)
    twice = pipeline.apply_direction(pipeline.apply_direction(inversion, direction, 0.5), direction, 1.5)
    assert torch.allclose(once.w, twice.w, atol=1e-6) and len(twice.steps) == 2


def test_outside_of_a_mask_the_picture_is_the_unedited_one(pipeline, inversion, direction):
    mask = torch.zeros(64, 64)
    mask[:32] = 1
    edited = pipeline.apply_direction(inversion, direction, 2.0)
    made, free, kept = (pipeline.synthesize(*one) for one in ((edited, None, mask), (edited,), (inversion_of(edited),)))
    assert torch.equal(made[:, :, 32:], kept[:, :, 32:])
    assert (made[:, :, :16] - kept[:, :, :16]).abs().mean() > 0.3 * (free - kept)[:, :, :16].abs().mean()


def inversion_of(edited):
    return replace(edited, steps=(), w=edited.inversion.w)


def test_a_mask_of_the_features_alone(pipeline, inversion, direction):
    """A whole mask changes nothing; an empty one leaves the styles of the edit alone to act."""
    edited = pipeline.apply_direction(inversion, direction, 2.0)
    free = pipeline.synthesize(edited)
    nowhere, everywhere = (
        pipeline.synthesize(edited, mask=torch.full((64, 64), v), mask_acts_on=DELTA) for v in (0.0, 1.0)
    )
    assert torch.allclose(everywhere, free, atol=1e-5)
    kept = pipeline.edit(inversion)
    assert 0 < (nowhere - kept).abs().mean() < (free - kept).abs().mean()


def test_a_sweep_takes_a_mask_for_each_picture(pipeline, inversion, direction):
    masks = torch.stack([torch.ones(64, 64), torch.zeros(64, 64)])
    swept = pipeline.sweep(inversion, direction, [0.0, 2.0], masks)
    assert torch.allclose(swept[1, 1], swept[1, 0], atol=1e-5)
    assert torch.allclose(swept[0, 1], pipeline.edit(inversion[:1], [(direction, 2.0)])[0], atol=1e-4)
    with pytest.raises(InputError, match="cannot act on 'pixels'"):
        pipeline.edit(inversion, [], masks, "pixels")


def test_aligners_can_be_left_out(inversion, direction):
    unaligned = GradualPipeline(small.networks(), aligned=False)
    edited = unaligned.apply_direction(inversion, direction, 2.0)
    assert not torch.allclose(unaligned.synthesize(edited), GradualPipeline(small.networks()).synthesize(edited))


def test_smaller_pictures(pipeline, inversion):
    edited = pipeline.start_edit(inversion)
    assert pipeline.preview_resolutions == (64,)
    assert torch.equal(pipeline.synthesize(edited, 64), pipeline.synthesize(edited))
    with pytest.raises(InputError, match="32 px; tiny-64 can be stopped at 64"):
        pipeline.synthesize(edited, 32)


def test_inversions_join_and_part(pipeline, inversion):
    joined = GradualInversion.cat([inversion[:1], inversion[1:]])
    assert all(torch.equal(a, b) for a, b in zip(joined.residuals, inversion.residuals, strict=True))
    assert joined.domain == "tiny-64" and len(joined) == 2 and "residuals" in repr(joined)


def test_values_of_other_models_are_refused(pipeline, networks, image, inversion):
    sfe = Pipeline(networks)
    with pytest.raises(InputError, match="StyleFeatureEditor"):
        pipeline.edit(sfe.invert(image))
    with pytest.raises(InputError, match="of a gradual model"):
        sfe.edit(inversion)
    with pytest.raises(InputError, match="Refinement moves F_k"):
        refine(pipeline, inversion, small.pictures(), 3)
    other = GradualPipeline(small.networks(small.DOMAINS["tiny-16"]))
    with pytest.raises(InputError, match="this model is tiny-16"):
        other.edit(inversion)
    for verb in (pipeline.compute_delta, pipeline.feature_edit):
        with pytest.raises(InputError, match="Synthesize"):
            verb(pipeline.start_edit(inversion))
