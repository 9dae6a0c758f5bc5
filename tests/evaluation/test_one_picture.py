"""The rows of one picture at a time: what is found inverts and edits, and the model stays as it was."""

import pytest
import torch
from generators.families import SPECS, make

from sfe_models.domain import BareGenerator
from sfe_models.evaluation import one_picture
from sfe_models.evaluation.methods import People, invert
from sfe_models.evaluation.one_picture import OnePictureMethod, drift, find, one_picture_methods
from sfe_models.networks import SFENetworks
from sfe_models.pipeline import Pipeline


@pytest.mark.parametrize("name", ["w_plus", "s", "optimise", "sfe_refine", "sfe_layers", "pti", "gani"])
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


def test_style_vectors_come_closer_and_are_moved_by_as_much_as_their_code_is(pipeline, image, directions):
    one = image[:1]
    target = torch.nn.functional.adaptive_avg_pool2d(one, pipeline.spec.picture_size)
    start, found = (find("s", pipeline, one, steps) for steps in (0, 12))
    errors = [(way.inverted(People(one)) - target).square().mean().item() for way in (start, found)]
    assert errors[1] < errors[0]
    e4e = pipeline.generate_from(pipeline.invert(one, all_styles=True).w_e)
    torch.testing.assert_close(start.inverted(People(one)), e4e, rtol=1e-4, atol=1e-4)
    moved = directions[0].move(start.code, torch.tensor([2.0]))
    edited = start.edited(People(one), [0], directions[0], [2.0])
    torch.testing.assert_close(edited, pipeline.generate_from(moved), rtol=1e-4, atol=1e-4)


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


def test_a_row_finds_each_picture_once_and_does_as_it_does(pipeline, image, directions, monkeypatch):
    ways = [find("pti", pipeline, one, 2) for one in image.split(1)]
    calls, left = [], iter(ways)
    monkeypatch.setattr(one_picture, "find", lambda *given: calls.append(given[3]) or next(left))
    row, people = OnePictureMethod("pti", pipeline, 7), invert(pipeline, image)
    assert torch.equal(row.inverted(people), torch.cat([way.inverted(people) for way in ways]))
    edited = row.edited(people, [1, 0], directions[0], [2.0, 1.0])
    wanted = [ways[i].edited(people, [i], directions[0], [strength]) for i, strength in ((1, 2.0), (0, 1.0))]
    assert torch.equal(edited, torch.cat(wanted)) and calls == [7, 7] and len(row.taken) == 2


def test_what_all_steps_take_is_told_by_the_first(pipeline, image, monkeypatch):
    tried = []

    def clock():
        return float(len(tried)) ** 2

    def steps(name, pipeline, image, count, progress):
        tried.extend([None] * 10)  # what comes before the first step
        for _ in range(count):
            tried.append(None)
            progress(None)

    monkeypatch.setattr(one_picture, "find", steps)
    monkeypatch.setattr(one_picture.time, "perf_counter", clock)
    each = (14**2 - 11**2) / 3
    assert OnePictureMethod("gani", pipeline, 10).expected_seconds(image) == pytest.approx(14**2 + 6 * each)


def test_rows_of_sfe_need_a_feature_editor(pipeline):
    about = BareGenerator("own", SPECS["mobilestylegan"])
    alone = Pipeline(SFENetworks.alone(make(about.generator), about.domain()))
    names = ["e4e", "gani", "sfe_refine"]
    assert [row.name for row in one_picture_methods(pipeline, names)] == ["gani", "sfe_refine"]
    assert [row.name for row in one_picture_methods(alone, names)] == ["gani"]
