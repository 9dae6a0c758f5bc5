"""The methods are what the table says, on a tiny model."""

import pytest
import torch
from evaluation import small

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.stylespace import StyleOffsetDirection
from sfe_models.evaluation.errors import EvaluationError
from sfe_models.evaluation.methods import (
    INVERTER_CODE,
    METHODS,
    ONE_CODE,
    invert,
    pipeline_methods,
    unavailable,
    with_inverter_code,
)
from sfe_models.networks import SFENetworks
from sfe_models.pipeline import Pipeline
from sfe_models.values import Features

ALL = (*METHODS, INVERTER_CODE, ONE_CODE)


@pytest.fixture(scope="module")
def people(small_pipeline):
    image = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return invert(small_pipeline, image)


@pytest.fixture(scope="module")
def methods(small_pipeline):
    return {method.name: method for method in pipeline_methods(small_pipeline, ALL)}


def test_all_are_there_but_the_unedited_picture(methods):
    assert list(methods) == ["e4e", "inverter", "f_minus_delta", "sfe", INVERTER_CODE, ONE_CODE]


@pytest.mark.parametrize("name", [name for name in ALL if name != "unedited"])
def test_strength_0_is_the_inversion_and_batch_equals_loop(name, methods, people):
    method, direction = methods[name], small.directions()[0]
    inverted = method.inverted(people)
    still = method.edited(people, [0, 1, 2], direction, [0.0, 0.0, 0.0])
    torch.testing.assert_close(still, inverted, rtol=1e-4, atol=1e-4)
    both = method.edited(people, [2, 0], direction, [2.0, -1.0])
    one = method.edited(people, [2], direction, [2.0])
    torch.testing.assert_close(both[:1], one, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(both[0], inverted[2], atol=1e-3)


def test_each_method_is_what_its_row_says(methods, people, small_pipeline):
    pipeline, inversion, direction = small_pipeline, people.inversion, small.directions()[1]
    edit = pipeline.apply_direction(inversion, direction, 1.5)
    one_code = inversion.w_e[:, :1].expand(-1, pipeline.spec.n_styles, -1)
    delta = pipeline.compute_delta(edit)
    want = {
        "e4e": pipeline.generate_from(edit.w_e),
        ONE_CODE: pipeline.generate_from(direction.move(one_code, torch.full((3,), 1.5))),
        "inverter": pipeline.synthesize(Features(edit, inversion.F_k, delta.carried)),
        "f_minus_delta": pipeline.synthesize(Features(edit, inversion.F_k - delta.delta, delta.carried)),
        "sfe": pipeline.edit(inversion, [(direction, 1.5)]),
    }
    for name, picture in want.items():
        got = methods[name].edited(people, [0, 1, 2], direction, [1.5] * 3)
        torch.testing.assert_close(got, picture, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(methods["sfe"].inverted(people), pipeline.edit(inversion))
    assert torch.equal(methods["inverter"].inverted(people), methods["f_minus_delta"].inverted(people))


def test_without_an_editor_the_pipeline_is_the_inverter_row(people, methods):
    networks = random_networks(small.SPEC)
    networks.feature_editor = None
    phase_1 = Pipeline(networks)
    direction = small.directions()[0]
    got = methods["inverter"].edited(people, [0, 1, 2], direction, [1.0] * 3)
    torch.testing.assert_close(got, phase_1.edit(people.image, [(direction, 1.0)]), rtol=1e-4, atol=1e-4)
    assert set(unavailable(phase_1)) == {"sfe", INVERTER_CODE}
    assert [m.name for m in pipeline_methods(phase_1)] == ["e4e", "inverter", "f_minus_delta"]


def test_the_inverters_code_takes_the_place_of_e4es(people, small_pipeline):
    replaced = with_inverter_code(small_pipeline, people.inversion)
    assert torch.equal(replaced.w_e, people.inversion.w)
    # The same as if e4e had found the Inverter's code.
    generator, k = small_pipeline.networks.generator, small.SPEC.feature_layer
    styles = generator.style_space(people.inversion.w)
    torch.testing.assert_close(replaced.F_w_e, generator.run(generator.start(3), styles, k).features)


def test_style_space_directions(people, methods, small_pipeline):
    spec = small.SPEC.generator
    random = torch.Generator().manual_seed(0)
    convs = tuple(torch.randn(spec.layer_channels(i), generator=random) for i in range(spec.n_layers))
    direction = StyleOffsetDirection(DirectionInfo("style", "test", small.SPEC.subject), convs)
    inversion = people.inversion
    styles = small_pipeline.networks.generator.style_space(inversion.w_e)
    moved = direction.move(styles, torch.ones(3))
    want = small_pipeline.networks.generator.synthesize(moved)
    torch.testing.assert_close(methods["e4e"].edited(people, [0, 1, 2], direction, [1.0] * 3), want)


def test_what_a_model_cannot_run_is_said():
    networks = SFENetworks(small.SPEC).eval().requires_grad_(False)
    networks.keep_e4e_styles(small.SPEC.delta_styles)
    assert "the first" in unavailable(Pipeline(networks))["e4e"]


def test_unknown_method(small_pipeline):
    with pytest.raises(EvaluationError, match="no method 'hyperstyle'; expected unedited, e4e"):
        pipeline_methods(small_pipeline, ["hyperstyle"])
