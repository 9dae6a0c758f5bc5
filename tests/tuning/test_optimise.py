"""Inversion by optimisation: a generator alone inverts, edits by F_k - delta, and is left as it was."""

import pytest
import torch

from sfe_models.directions.finding.pca import component_direction, w_components
from sfe_models.directions.finding.sefa import sefa
from sfe_models.inputs import InputError
from sfe_models.tuning.latent_space import LatentSpace, inversion_of_code
from sfe_models.tuning.looks import Look
from sfe_models.tuning.optimise import Steps, optimise
from sfe_models.tuning.steps import copied


def error(pipeline, inversion, image):
    return (pipeline.edit(inversion) - image).square().mean()


@pytest.fixture
def start(alone, person):
    generator = alone.networks.generator
    mean = LatentSpace.of(generator).mean
    return inversion_of_code(alone, generator.broadcast(mean[None]), person)


def test_every_space_comes_closer_than_the_one_before(alone, person, start):
    errors = [error(alone, start, person)]
    errors += [error(alone, optimise(alone, person, Steps(*n)), person) for n in ((8, 0, 0), (8, 8, 0), (8, 8, 8))]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.7 * errors[0]


def test_w_is_one_latent_and_w_plus_many(alone, person):
    w, w_plus = (optimise(alone, person, Steps(2, n, 0)).w[0] for n in (0, 2))
    assert torch.equal(w, w[:1].expand_as(w)) and not torch.equal(w_plus, w_plus[:1].expand_as(w_plus))


def test_an_edit_of_a_code_is_the_generators_own_picture(alone, start):
    direction = sefa(alone.networks.generator, "human faces", count=1)[0]
    moved = direction.move(start.w, torch.tensor([1.5]))
    assert torch.equal(alone.edit(start), alone.generate_from(start.w))
    torch.testing.assert_close(alone.edit(start, [(direction, 1.5)]), alone.generate_from(moved), rtol=1e-4, atol=1e-4)


def test_found_directions_edit_what_was_found(alone, person):
    inversion = optimise(alone, person, Steps(3, 3, 3))
    generator = alone.networks.generator
    components = w_components(generator, 2, 100)
    direction = component_direction(components, 0, alone.spec.n_styles, "human faces")
    assert torch.equal(alone.edit(inversion, [(direction, 0.0)]), alone.edit(inversion))
    assert not torch.equal(alone.edit(inversion, [(direction, 2.0)]), alone.edit(inversion))


def test_a_mask_of_nothing_leaves_the_features(alone, start):
    direction = sefa(alone.networks.generator, "human faces", count=1)[0]
    delta = alone.mask_delta(alone.compute_delta(alone.apply_direction(start, direction, 2.0)), torch.zeros(32, 32))
    assert torch.equal(alone.feature_edit(delta).F_k, start.F_k)


def test_a_start_is_kept_by_no_step_and_bettered_by_some(alone, person, start):
    assert torch.allclose(optimise(alone, person, Steps(0, 0, 0), start.w).w, start.w, atol=1e-4)
    assert error(alone, optimise(alone, person, Steps(0, 8, 0), start.w), person) < error(alone, start, person)


def test_pictures_do_not_touch_each_other(alone, person):
    both = optimise(alone, torch.cat([person, -person]), Steps(4, 4, 0))
    torch.testing.assert_close(both.w[:1], optimise(alone, person, Steps(4, 4, 0)).w, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("at", [2, 6, 10])
def test_the_best_is_kept_when_interrupted(alone, person, start, at):
    seen = []

    def stop(now):
        seen.append(now.done)
        assert now.steps == 12 and now.loss.shape == (1,)
        if now.done == at:
            raise KeyboardInterrupt

    found = optimise(alone, person, Steps(4, 4, 4), progress=stop)
    assert seen == list(range(1, at + 1))
    assert error(alone, found, person) < error(alone, start, person)


def test_the_generator_is_left_as_it_was_even_in_inference_mode(alone, person):
    before = {name: tensor.clone() for name, tensor in alone.networks.state_dict().items()}
    with torch.inference_mode():
        optimise(alone, person + 0, Steps(2, 2, 2))
    assert all(torch.equal(before[name], tensor) for name, tensor in alone.networks.state_dict().items())
    assert not any(p.requires_grad for p in alone.networks.parameters())


def test_what_inference_left_behind_takes_gradients(alone, person):
    fresh = alone.with_generator(copied(alone.networks.generator), "")
    with torch.inference_mode():
        fresh.generate_from(optimise(alone, person, Steps(0, 0, 0)).w)
        optimise(fresh, person + 0, Steps(1, 1, 1))


def test_a_model_with_encoders_can_be_optimised_too(pipeline, image):
    found = optimise(pipeline, image, Steps(1, 1, 1), pipeline.invert(image, all_styles=True).w_e)
    assert found.domain == pipeline.spec.name and torch.equal(found.w, found.w_e)
    assert pipeline.edit(found).shape == (2, 3, 64, 64)


def test_a_look_is_the_picture_made_small(alone, start):
    generator, spec = alone.networks.generator, alone.spec
    styles = generator.style_space(start.w)
    full = Look(generator, spec, 32)(styles)
    torch.testing.assert_close(full, alone.generate_from(start.w), rtol=1e-4, atol=1e-4)
    assert Look(generator, spec, 8)(styles).shape == (1, 3, 8, 8)


def test_coordinates_come_back(alone):
    space = LatentSpace.of(alone.networks.generator)
    x = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(space.code(space.coordinates(space.code(x))), space.code(x), rtol=1e-3, atol=1e-2)


def test_steps_are_shared_and_add_up():
    for space in ("w", "w+", "f"):
        assert Steps.shared(37, space).total == 37
    assert Steps.shared(10, "w") == Steps(10, 0, 0) and Steps.shared(40, "f").features == 10


@pytest.mark.parametrize(("steps", "space", "message"), [(-1, "f", "-1 steps"), (3, "z", "space is 'z'.*w, w\\+, f")])
def test_steps_that_cannot_be_are_refused(steps, space, message):
    with pytest.raises(InputError, match=message):
        Steps.shared(steps, space)


def test_encoders_are_asked_for_in_vain(alone, person):
    with pytest.raises(InputError, match="alone is a generator alone.*--optimise"):
        alone.invert(person)
