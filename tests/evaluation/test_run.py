"""Whole evaluations: resumed, shared among processes, of folders with broken files, with FID."""

import json
import math
from dataclasses import dataclass, replace

import pytest
import torch
from evaluation import small
from PIL import Image

from sfe_models.directions.base import DirectionError
from sfe_models.directions.library import DirectionLibrary
from sfe_models.evaluation.attribute_tables import AttributeTable
from sfe_models.evaluation.comparison import as_saved, l2
from sfe_models.evaluation.editing_fid import FidEdit, FidEditing
from sfe_models.evaluation.errors import EvaluationError
from sfe_models.evaluation.fid import FeatureStatistics, frechet_distance
from sfe_models.evaluation.grid import save_grid
from sfe_models.evaluation.methods import METHODS, invert, pipeline_methods
from sfe_models.evaluation.metrics import Metrics, load_metrics
from sfe_models.evaluation.records import Records
from sfe_models.evaluation.run import Evaluation
from sfe_models.evaluation.sampled import SampledMethod
from sfe_models.evaluation.sources import PictureFiles, RenderedPeople, open_source
from sfe_models.evaluation.summary import WEIGHTED, fid_table, inversion_table, measured, true_edit_table
from sfe_models.evaluation.true_edits import EditRule, TrueEditing
from sfe_models.pictures.image_io import save_image
from sfe_models.sharing import Share

SETTINGS = {"test": 1}


@pytest.fixture(scope="module")
def evaluation(small_pipeline, judge, tmp_path_factory):
    source = RenderedPeople(0, 5, small.SPEC)
    editing = TrueEditing(tuple(small.directions()[:1]), judge, EditRule(), frozenset(source.keys[:4]))
    methods = tuple(pipeline_methods(small_pipeline))
    metrics = load_metrics(tmp_path_factory.mktemp("no weights"))
    return Evaluation(small_pipeline, source, methods, metrics, editing, batch=2)


@pytest.fixture(scope="module")
def whole(evaluation, tmp_path_factory):
    """The results of a run without a break; only read."""
    return evaluation.run(Records(tmp_path_factory.mktemp("whole") / "r.json", SETTINGS), quiet=True)


def equal(a, b):
    """Whether two results agree but for rounding."""
    if isinstance(a, dict):
        return a.keys() - {"part"} == b.keys() - {"part"} and all(equal(a[k], b[k]) for k in a if k != "part")
    return a == (pytest.approx(b, rel=1e-3, abs=1e-4) if isinstance(b, float) else b)


@dataclass(frozen=True)
class Breaks:
    """A source that stops the run when it comes to a picture."""

    source: RenderedPeople
    at: str

    @property
    def keys(self):
        return self.source.keys

    def portraits(self, keys):
        return self.source.portraits(keys)

    def read(self, key):
        if key == self.at:
            raise KeyboardInterrupt
        return self.source.read(key)


def test_a_resumed_run_equals_one_without_a_break(evaluation, whole, tmp_path):
    path = tmp_path / "broken" / "r.json"
    stopped = replace(evaluation, source=Breaks(evaluation.source, "3"))
    with pytest.raises(KeyboardInterrupt):
        stopped.run(Records(path, SETTINGS), quiet=True)
    assert list(Records(path, SETTINGS).read()) == ["0", "1"]
    with path.with_name("r.part0.jsonl").open("a") as file:
        file.write('{"key": "2", "inv')
    resumed = evaluation.run(Records(path, SETTINGS), quiet=True)
    assert list(resumed) == list(whole) and all(equal(resumed[key], whole[key]) for key in whole)
    nothing_left = replace(evaluation, source=Breaks(evaluation.source, "0"))
    assert nothing_left.run(Records(path, SETTINGS), quiet=True) == resumed


def test_two_processes_equal_one(evaluation, whole, tmp_path):
    path = tmp_path / "two" / "r.json"
    for rank in (1, 0):  # the first process waits for the other's files
        share = Share(rank, 2)
        results = evaluation.run(Records(path, SETTINGS, share), share, quiet=True)
        assert bool(results) == (rank == 0)
    assert list(results) == list(whole) and all(equal(results[key], whole[key]) for key in whole)
    tables = [true_edit_table(r, small.MOVES[:1], METHODS, EditRule())[0] for r in (results, whole)]
    assert equal(*tables)


def test_a_picture_that_lacks_an_edit_is_measured_again(evaluation, tmp_path):
    path = tmp_path / "more" / "r.json"
    without = replace(evaluation, editing=None)
    first = without.run(Records(path, SETTINGS), quiet=True)
    assert all(result["editing"] == {} for result in first.values())
    more = evaluation.run(Records(path, SETTINGS), quiet=True)
    assert [bool(result["editing"]) for result in more.values()] == [True] * 4 + [False]


def test_batch_size_does_not_matter(evaluation, whole, tmp_path):
    other = replace(evaluation, batch=5, editing=None).run(Records(tmp_path / "b" / "r.json", SETTINGS), quiet=True)
    assert all(equal(other[key]["inversion"], whole[key]["inversion"]) for key in whole)


def test_inversion_numbers_are_those_of_the_pipeline(evaluation, whole, small_pipeline):
    image = evaluation.source.read("2")[None]
    people = invert(small_pipeline, image)
    assert torch.equal(image, as_saved(image))
    assert whole["2"]["inversion"]["sfe"]["l2"] == pytest.approx(
        l2(as_saved(small_pipeline.edit(people.inversion)), image).item(), rel=1e-4
    )
    seconds = evaluation.seconds(["0", "1"])
    table = inversion_table(whole, METHODS, seconds)
    mean = math.fsum(result["inversion"]["e4e"]["l2"] for result in whole.values()) / 5
    assert table["e4e"]["l2"] == pytest.approx(mean) and table["e4e"]["seconds"] > 0
    assert table["e4e"]["lpips"] is None and set(table["unedited"].values()) == {None}


def test_the_unedited_picture_is_measured_against_the_true_one(evaluation, whole):
    table, rejected = true_edit_table(whole, small.MOVES[:1], METHODS, EditRule())
    assert not rejected
    row = table[small.MOVES[0]]
    assert list(row) == list(METHODS) and row["unedited"]["reached"] == 0
    assert all(0 <= row[name]["reached"] <= 1 for name in METHODS)


def pooled(image):
    """Eight features: a stand-in for Inception under no metric's name but this test's."""
    return torch.nn.functional.adaptive_avg_pool2d(image, (2, 2)).flatten(1)[:, :8]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six portraits, one of them below, and two files that are no pictures of a face; only read."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "sub").mkdir(parents=True)
    source = RenderedPeople(0, 6, small.SPEC)
    for i, key in enumerate(source.keys):
        save_image(source.read(key), folder / ("sub" if i == 5 else ".") / f"{i}.png")
    (folder / "broken.png").write_bytes(b"not a picture")
    Image.new("RGB", (64, 30)).save(folder / "wide.png")
    return folder


def fid_evaluation(pipeline, folder):
    metrics = Metrics({"l2": l2}, pooled)
    table = AttributeTable(folder / "t", ("Light",), {f"{i}.png": (i % 2 == 0,) for i in range(5)})
    direction = small.directions()[0]
    edits = (FidEdit("Light", direction, 2.0), FidEdit("Light", direction, -2.0, removes=True))
    methods = tuple(pipeline_methods(pipeline, ("e4e", "sfe")))
    source = open_source(str(folder), small.SPEC, None, 0)
    return Evaluation(pipeline, source, methods, metrics, FidEditing(edits, table, metrics), batch=3)


def test_a_folder_with_broken_files_and_the_editing_fid(small_pipeline, folder, tmp_path):
    evaluation = fid_evaluation(small_pipeline, folder)
    records = Records(tmp_path / "fid" / "r.json", SETTINGS, dimensions=8)
    results = evaluation.run(records, quiet=True)
    assert {key for key, result in results.items() if "skipped" in result} == {"broken.png", "wide.png"}
    assert "square aligned crop" in results["wide.png"]["skipped"]
    assert list(measured(results)) == ["0.png", "1.png", "2.png", "3.png", "4.png", "sub/5.png"]

    pictures = torch.stack([evaluation.source.read(key) for key in measured(results)])
    people = invert(small_pipeline, pictures)
    made = as_saved(evaluation.methods[1].inverted(people))
    want = frechet_distance(*(FeatureStatistics(8).add(pooled(x).numpy()) for x in (pictures, made)))
    table = inversion_table(results, METHODS, {}, records)
    assert table["sfe"]["fid"] == pytest.approx(want, rel=1e-3) and table["inverter"]["fid"] is None

    fids = fid_table(results, evaluation.editing, METHODS, records)
    gives, takes, weighted = fids.values()
    assert list(fids) == ["Light=background_light:2", "without Light=background_light:-2", WEIGHTED]
    assert weighted["sfe"]["fid"] == pytest.approx((2 * gives["sfe"]["fid"] + 3 * takes["sfe"]["fid"]) / 5)
    assert weighted["inverter"]["fid"] is None and (weighted["sfe"]["edited"], weighted["sfe"]["real"]) == (5, 5)
    assert (gives["sfe"]["edited"], gives["sfe"]["real"]) == (2, 3)  # sub/5.png is not in the table
    assert (takes["sfe"]["edited"], takes["sfe"]["real"]) == (3, 2)
    lacking, having = [1, 3], [0, 2, 4]
    direction = evaluation.editing.edits[0].direction
    edited = as_saved(evaluation.methods[1].edited(people, lacking, direction, [2.0, 2.0]))
    sides = (FeatureStatistics(8).add(pooled(x).numpy()) for x in (pictures[having], edited))
    assert gives["sfe"]["fid"] == pytest.approx(frechet_distance(*sides), rel=1e-3)
    sides = (FeatureStatistics(8).add(pooled(x).numpy()) for x in (pictures[having], pictures[lacking]))
    assert gives["unedited"]["fid"] == pytest.approx(frechet_distance(*sides), rel=1e-4)


def test_an_edit_of_all_pictures_is_compared_with_all_and_sampled_codes_with_their_own(
    small_pipeline, folder, tmp_path
):
    direction = small.directions()[0]
    editing = FidEditing((FidEdit(None, direction, 2.0),), None, Metrics({"l2": l2}, pooled))
    methods = (*pipeline_methods(small_pipeline, ("sfe",)), SampledMethod(small_pipeline))
    source = open_source(str(folder), small.SPEC, None, 0)
    evaluation = Evaluation(small_pipeline, source, methods, editing.metrics, editing, batch=3)
    editing.check(source.keys)
    records = Records(tmp_path / "all" / "r.json", SETTINGS, dimensions=8)
    results = evaluation.run(records, quiet=True)
    fids = fid_table(results, editing, evaluation.columns, records)
    assert list(fids) == ["all=background_light:2"]
    row = fids["all=background_light:2"]
    assert (row["sfe"]["edited"], row["sfe"]["real"]) == (6, 6) and row["unedited"]["fid"] == pytest.approx(0, abs=1e-6)
    pictures = torch.stack([source.read(key) for key in measured(results)])
    people, strengths = invert(small_pipeline, pictures), [2.0] * 6
    for method in methods:
        edited = as_saved(method.edited(people, range(6), direction, strengths))
        sides = (FeatureStatistics(8).add(pooled(x).numpy()) for x in (pictures, edited))
        assert row[method.name]["fid"] == pytest.approx(frechet_distance(*sides), rel=1e-3)
    table = inversion_table(results, evaluation.columns, {}, records)
    assert table["sampled"]["l2"] is None and table["sampled"]["fid"] > 0


def test_sampled_codes_are_the_pictures_own_and_strength_zero_is_the_sample(small_pipeline):
    people = invert(small_pipeline, torch.stack([RenderedPeople(0, 3, small.SPEC).read(key) for key in "012"]))
    method, direction = SampledMethod(small_pipeline), small.directions()[0]
    whole = method.codes(people)
    assert torch.equal(method.codes(people[[2, 0]]), whole[[2, 0]]) and not torch.equal(whole[0], whole[1])
    assert torch.equal(whole, whole[:, :1].expand_as(whole))  # codes of W
    made = method.inverted(people)
    torch.testing.assert_close(method.edited(people, [1], direction, [0.0]), made[1:2], rtol=1e-4, atol=1e-4)


def test_fid_of_resumed_and_shared_runs(small_pipeline, folder, tmp_path):
    evaluation = fid_evaluation(small_pipeline, folder)
    tables = []
    for name, world in (("one", 1), ("three", 3)):
        for rank in reversed(range(world)):
            share = Share(rank, world)
            records = Records(tmp_path / name / "r.json", SETTINGS, share, dimensions=8)
            results = evaluation.run(records, share, quiet=True)
        row = inversion_table(results, ("sfe",), {}, records)["sfe"]
        tables.append((row["l2"], row["fid"]))
    assert tables[0] == pytest.approx(tables[1], rel=1e-4)


def test_without_inception_nothing_is_edited_for_it(small_pipeline, folder, tmp_path):
    evaluation = fid_evaluation(small_pipeline, folder)
    metrics = load_metrics(tmp_path)
    editing = FidEditing(evaluation.editing.edits, evaluation.editing.table, metrics)
    assert editing.wanted("1.png") == ()


def test_edits_are_parsed(small_pipeline):
    library = DirectionLibrary(small.SPEC, bundled=small.directions())
    edit = FidEdit.parse("Pale_Skin=background_light:-1.5", library)
    assert (edit.attribute, edit.strength, edit.label) == ("Pale_Skin", -1.5, "Pale_Skin=background_light:-1.5")
    for text in ("Smiling", "Smiling=smile", "=brightness:1", "Smiling=brightness:high"):
        with pytest.raises(EvaluationError, match="expected ATTRIBUTE=DIRECTION:STRENGTH"):
            FidEdit.parse(text, library)
    edit = FidEdit.parse_of_all("background_light:-1.5", library)
    assert (edit.attribute, edit.strength, edit.label) == (None, -1.5, "all=background_light:-1.5")
    for text in ("brightness", ":1", "brightness:high"):
        with pytest.raises(EvaluationError, match="expected DIRECTION:STRENGTH"):
            FidEdit.parse_of_all(text, library)
    with pytest.raises(DirectionError, match="shine"):
        FidEdit.parse_of_all("shine:1", library)


def test_sources(folder, tmp_path):
    some = open_source(str(folder), small.SPEC, 3, seed=1)
    assert len(some.keys) == 3 and some.keys == open_source(str(folder), small.SPEC, 3, seed=1).keys
    assert isinstance(some, PictureFiles) and list(some.keys) == sorted(some.keys)
    assert len(open_source("demo", small.SPEC, None, 0).keys) == 1000
    assert open_source("demo", small.SPEC, 2, 7).keys == ("7", "8")
    (tmp_path / "empty").mkdir()
    for data, count, seed, message in (
        ("demo", 10, 999_995, "training draws from 1000000 on"),
        ("demo", 0, 0, "--count is 0"),
        (str(tmp_path / "none"), None, 0, "There is no folder"),
        (str(tmp_path / "empty"), None, 0, "holds no pictures"),
    ):
        with pytest.raises(EvaluationError, match=message):
            open_source(data, small.SPEC, count, seed)


def test_grids(evaluation, whole, small_pipeline, folder, tmp_path):
    path = save_grid(evaluation, whole, tmp_path / "edits.png", rows=2)
    with Image.open(path) as grid:
        width = grid.width
    rejected = save_grid(evaluation, whole, tmp_path / "inversions.png", small.MOVES, rows=2)
    with Image.open(rejected) as grid:
        assert grid.width * 6 == pytest.approx(width * 5, abs=20)  # no true edit
    other = fid_evaluation(small_pipeline, folder)
    results = other.run(Records(tmp_path / "g" / "r.json", SETTINGS, dimensions=8), quiet=True)
    assert save_grid(other, results, tmp_path / "folder.png").is_file()
    assert json.dumps(whole)  # plain values throughout
