"""The benchmark against the true picture: its laws with methods whose edits are known."""

from dataclasses import dataclass

import pytest
import torch
from evaluation import small

from sfe_models.demo.attributes import ATTRIBUTES, NAMES, attribute_index, sample_portraits
from sfe_models.demo.renderer import render
from sfe_models.directions.library import DirectionLibrary
from sfe_models.evaluation.comparison import as_saved
from sfe_models.evaluation.errors import EvaluationError
from sfe_models.evaluation.methods import People
from sfe_models.evaluation.summary import true_edit_table
from sfe_models.evaluation.true_edits import (
    EditRule,
    TrueEditing,
    measure_edits,
    named_directions,
    true_edit,
    wanted_values,
)

SEEDS = list(range(6))
RULE = EditRule()


@pytest.fixture(scope="module")
def people():
    portraits = sample_portraits(SEEDS)
    return People(as_saved(render(portraits, 64).image), None, portraits)


class BrightnessJudge:
    """Reads the background's light and the light's brightness off the pictures' upper corners: monotone in both."""

    names = small.MOVES + (small.STILL,)

    def __call__(self, image):
        corner = image[:, :, :6, :6].mean(dim=(1, 2, 3)) / 2 + 0.5
        return torch.stack([corner, 3 * corner, torch.zeros_like(corner)], dim=1)

    def perceptual_distance(self, a, b):
        return (a - b).abs().mean(dim=(1, 2, 3))


@dataclass(frozen=True)
class Renderer:
    """A perfect pipeline: a strength of 1 moves the attribute by a tenth of its range, and nothing else."""

    name: str = "sfe"
    gain: float = 0.1

    def inverted(self, people):
        return people.image

    def edited(self, people, index, direction, strength):
        portraits = people.portraits[torch.as_tensor(index)]
        attribute = ATTRIBUTES[attribute_index(direction.info.name)]
        change = self.gain * (attribute.high - attribute.low) * torch.tensor(strength)
        value = (portraits.get(attribute.name) + change).clamp(attribute.low, attribute.high)
        return as_saved(render(portraits.changed(attribute.name, value), people.image.shape[-1]).image)


@dataclass(frozen=True)
class Oracle(Renderer):
    """Returns the true picture whatever the strength."""

    name: str = "oracle"

    def edited(self, people, index, direction, strength):
        truth = true_edit(people.portraits, SEEDS, direction.info.name, RULE, people.image.shape[-1])
        return truth[list(index)]


@dataclass(frozen=True)
class Deaf(Renderer):
    """Returns the portrait whatever the strength."""

    name: str = "deaf"
    gain: float = 0.0


def measure(people, methods, judge=None, names=small.MOVES[:1], seeds=SEEDS):
    directions = [d for d in small.directions() if d.info.name in names]
    inverted = {method.name: method.inverted(people) for method in methods}
    return measure_edits(people, seeds, directions, methods, inverted, judge or BrightnessJudge(), RULE)


def same(a, b):
    """Whether two people's rows agree, in all methods."""
    a, b = a[small.MOVES[0]]["methods"], b[small.MOVES[0]]["methods"]
    return a.keys() == b.keys() and all(a[name] == pytest.approx(b[name]) for name in a)


def table(rows, methods, names=small.MOVES[:1]):
    results = {str(i): {"editing": row} for i, row in enumerate(rows)}
    return true_edit_table(results, names, methods, RULE)


def test_the_true_picture_has_no_error_and_is_reached(people):
    rows = measure(people, [Oracle()])
    cells = table(rows, ("unedited", "oracle"))[0][small.MOVES[0]]
    assert cells["oracle"]["error"] == 0 and cells["oracle"]["reached"] == 1 and cells["oracle"]["people"] >= 2
    assert cells["oracle"]["attributes"] == 0
    assert cells["unedited"]["error"] > 1e-3 and cells["unedited"]["reached"] == 0


def test_a_perfect_pipeline_is_calibrated_to_the_true_change(people):
    rows = measure(people, [Renderer()], names=small.MOVES)
    cells, rejected = table(rows, ("unedited", "sfe"), small.MOVES)
    assert not rejected
    for name in small.MOVES:
        sfe, unedited = cells[name]["sfe"], cells[name]["unedited"]
        assert sfe["reached"] == 1 and sfe["error"] < 0.05 * unedited["error"]
    for row in rows:
        cell = row[small.MOVES[0]]
        if cell["methods"]:
            assert abs(cell["methods"]["sfe"]["score"] - cell["score"]) <= RULE.calibration.tolerance


def test_errors_are_of_the_people_whom_all_methods_reached(people):
    rows = measure(people, [Renderer(), Deaf()])
    cells, _ = table(rows, ("unedited", "e4e", "sfe", "deaf"))
    cells = cells[small.MOVES[0]]
    assert cells["deaf"]["reached"] == 0 and cells["sfe"]["reached"] == 1
    assert cells["sfe"]["error"] is None and cells["sfe"]["people"] == 0
    assert cells["sfe"]["error_where_reached"] is not None
    assert cells["e4e"] == {"error": None, "reached": None}  # was not run


def test_a_direction_that_does_not_move_its_attribute_is_rejected(people):
    names = (small.MOVES[0], small.STILL)
    moves, still = table(measure(people, [Renderer("e4e")], names=names), ("e4e",), names)
    assert list(moves) == [small.MOVES[0]] and list(still) == [small.STILL]
    assert "moves the attribute by 0.000 of its range; at least 0.1" in still[small.STILL]


def test_a_change_that_the_judge_does_not_see_is_left_out(people):
    rows = measure(people, [Renderer()], names=(small.STILL,))
    assert all(row[small.STILL]["methods"] == {} for row in rows)


def test_people_do_not_meet(people):
    together = measure(people, [Renderer()])
    for i in (4, 1):
        alone = measure(people[[i]], [Renderer()], seeds=[SEEDS[i]])
        assert same(alone[0], together[i])


@pytest.mark.parametrize("name", NAMES)
def test_wanted_values_are_seeded_at_the_stated_distance_and_in_range(name):
    seeds = list(range(40))
    portraits = sample_portraits(seeds)
    values = wanted_values(portraits, seeds, name, RULE)
    portraits.changed(name, values)  # refuses values out of range
    attribute = ATTRIBUTES[attribute_index(name)]
    moved = (values - portraits.get(name)).abs() / (attribute.high - attribute.low)
    if attribute.prior.value == "switch":
        assert moved.min() > 0.49 and set(values.tolist()) <= {attribute.low, attribute.high}
    else:
        torch.testing.assert_close(moved, torch.full_like(moved, RULE.change), rtol=0, atol=1e-5)
        assert (values > portraits.get(name)).float().mean().item() == pytest.approx(0.5, abs=0.35)
    assert torch.equal(wanted_values(portraits[3:4], [3], name, RULE), values[3:4])  # a function of the seed alone


def test_the_true_edit_changes_one_attribute_and_keeps_the_details(people):
    true = true_edit(people.portraits, SEEDS, "background_light", RULE, 64)
    values = wanted_values(people.portraits, SEEDS, "background_light", RULE)
    again = render(people.portraits.changed("background_light", values), 64).image
    assert torch.equal(true, as_saved(again)) and not torch.equal(true, people.image)


def test_only_the_chosen_people_are_edited(people):
    editing = TrueEditing(tuple(small.directions()[:1]), BrightnessJudge(), RULE, frozenset({"1", "3"}))
    assert editing.wanted("1") == small.MOVES[:1] and editing.wanted("2") == ()
    keys = [str(seed) for seed in SEEDS]
    done = editing.measure(people, keys, [Renderer()], {"sfe": people.image})
    assert [bool(row) for row, _ in done] == [key in ("1", "3") for key in keys]
    assert same(done[3][0], measure(people, [Renderer()])[3])


def test_directions_of_attributes(judge):
    library = DirectionLibrary(small.SPEC, bundled=small.directions())
    found = named_directions(library, judge, None)
    assert [d.info.name for d in found] == [*small.MOVES, small.STILL]
    assert [d.info.name for d in named_directions(library, judge, ["brightness"])] == ["brightness"]
    with pytest.raises(ValueError, match="no attribute 'nose'"):
        named_directions(library, judge, ["nose"])
    with pytest.raises(EvaluationError, match="judge does not know 'smile'"):
        named_directions(library, judge, ["smile"])
    onesided = DirectionLibrary(small.SPEC, bundled=small.directions((0.0, 3.0)))
    with pytest.raises(EvaluationError, match=r"useful range \(0.0, 3.0\)"):
        named_directions(onesided, judge, ["brightness"])


def test_a_change_beyond_the_range_is_refused():
    with pytest.raises(EvaluationError, match="wanted change is 0.6"):
        EditRule(0.6)
