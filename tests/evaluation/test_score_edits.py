"""Edits of photographs at matched change: on methods that paint, and as a table."""

from dataclasses import dataclass

import pytest
import torch

from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.evaluation.errors import EvaluationError
from sfe_models.evaluation.methods import People
from sfe_models.evaluation.metrics import Metrics
from sfe_models.evaluation.score_edits import ScoreEdit, ScoreEditing, score_edit_table
from sfe_models.perception.scores import Score, ScoreError, Scorer

DIRECTION = LinearDirection(DirectionInfo("paler", "test", "human faces", (-2.0, 2.0)), torch.zeros(1, 4))
# Mean brightness in levels of 255; a range of 100.
BRIGHTNESS = Score("brightness", "", "itself", lambda image, _: (image.mean(dim=(1, 2, 3)) + 1) * 127.5, 50.0, 150.0)


@dataclass
class Painter:
    """Make a picture brighter by `gain` levels for each unit of strength, and spoil its first rows by `harm`."""

    name: str
    gain: float
    harm: float = 0.0

    def inverted(self, people):
        return self.edited(people, range(len(people)), DIRECTION, [0.0] * len(people))

    def edited(self, people, index, direction, strength):
        pictures = people.image[list(index)] + torch.tensor(strength)[:, None, None, None] * self.gain / 127.5
        pictures[:, :, :8] += self.harm
        return pictures


def editing(change=10.0):
    scorer = Scorer((BRIGHTNESS,), {"itself": torch.nn.Identity()})
    metrics = Metrics(
        {
            "l2": lambda a, b: (a - b).square().mean(dim=(1, 2, 3)),
            "dlib": lambda a, b: ((a - b)[:, :, :8].mean(dim=(1, 2, 3)) - (a - b)[:, :, 8:].mean(dim=(1, 2, 3))).abs(),
        }
    )
    return ScoreEditing((ScoreEdit(BRIGHTNESS, DIRECTION, change),), scorer, metrics)


@pytest.fixture(scope="module")
def people():
    return People(torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1)) - 0.5)


METHODS = (Painter("e4e", 6.0, 0.1), Painter("sfe", 9.0), Painter("weak", 0.1))


def measured(people, change=10.0):
    edits = editing(change)
    inverted = {method.name: method.inverted(people) for method in METHODS}
    return edits, edits.measure(people, ["a", "b", "c"], METHODS, inverted)


@pytest.mark.parametrize("change", [10.0, -8.0])
def test_every_method_is_brought_to_the_same_change(people, change):
    edits, rows = measured(people, change)
    for results, features in rows:
        cells = results[edits.edits[0].label]
        assert features == {} and set(results) == set(edits.wanted("a"))
        for name in ("e4e", "sfe"):
            assert cells["methods"][name]["reached"]
            assert cells["methods"][name]["score"] - cells["score"] == pytest.approx(change, abs=5.0)
        assert not cells["methods"]["weak"]["reached"]
        assert cells["methods"]["sfe"]["dlib"] < cells["methods"]["e4e"]["dlib"]
        assert "l2" not in cells["methods"]["sfe"]


def test_the_table_is_of_those_whom_all_methods_that_bring_anybody_there_brought_there(people):
    edits, rows = measured(people)
    results = [{"editing": results} for results, _ in rows]
    table = score_edit_table(results, edits, ("unedited", "e4e", "sfe"))[edits.edits[0].label]
    assert table["sfe"]["people"] == 3 and table["sfe"]["reached"] == 1 and table["unedited"]["reached"] is None
    assert table["sfe"]["nearer"] == 1 and table["e4e"]["nearer"] is None
    cells = [row["editing"][edits.edits[0].label]["methods"]["sfe"]["dlib"] for row in results]
    assert table["sfe"]["dlib"] == pytest.approx(sum(cells) / 3) and table["sfe"]["mobile"] is None
    with_weak = score_edit_table(results, edits, ("e4e", "sfe", "weak"))[edits.edits[0].label]
    # Who brings nobody there has no say.
    assert with_weak["sfe"]["people"] == 3 and with_weak["sfe"]["dlib"] == table["sfe"]["dlib"]
    assert with_weak["weak"]["reached"] == 0 and with_weak["weak"]["dlib"] is None
    assert with_weak["sfe"]["nearer"] == 1 and with_weak["weak"]["nearer"] is None
    assert with_weak["sfe"]["dlib_where_reached"] == table["sfe"]["dlib"]


class Library:
    def __init__(self, span=(-3.0, 3.0)):
        self.span = span

    def get(self, name):
        if name != "older":
            raise DirectionError(f"There is no direction {name!r}.")
        return LinearDirection(DirectionInfo(name, "test", "human faces", self.span), torch.zeros(1, 4))


def test_an_edit_is_read_from_its_text():
    edit = ScoreEdit.parse("age=older:15", Library())
    assert (edit.score.name, edit.direction.info.name, edit.change) == ("age", "older", 15)
    assert edit.label == "age+15 by older"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("age", EvaluationError),
        ("age=older", EvaluationError),
        ("age=older:much", EvaluationError),
        ("age=older:0", EvaluationError),
        ("wealth=older:3", ScoreError),
        ("age=younger:3", DirectionError),
    ],
)
def test_what_cannot_be_read_is_refused(text, error):
    with pytest.raises(error):
        ScoreEdit.parse(text, Library())


def test_a_direction_without_a_range_around_0_is_refused():
    with pytest.raises(EvaluationError, match="expected one around 0"):
        ScoreEdit.parse("age=older:3", Library((0.0, 3.0)))
