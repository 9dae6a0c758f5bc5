"""What is written: JSON of one schema, tables that say what is missing, sentences."""

import json

import pytest
from evaluation import small

from sfe_models.evaluation.ablations import ABLATIONS, HELD_OUT, AblationRow, measure_ablations, rows_of
from sfe_models.evaluation.methods import METHODS, pipeline_methods
from sfe_models.evaluation.metrics import INFO, load_metrics
from sfe_models.evaluation.records import Records
from sfe_models.evaluation.report import Report, Table, number_text
from sfe_models.evaluation.run import Evaluation
from sfe_models.evaluation.sources import RenderedPeople
from sfe_models.evaluation.summary import Summary, inversion_table, true_edit_table
from sfe_models.evaluation.true_edits import EditRule, TrueEditing
from sfe_models.pipeline import Pipeline
from sfe_models.training.config_files import override
from sfe_models.training.presets import find_config


def cell(error, reached=True):
    return {"error": error, "attributes": 2 * error, "strength": 1.0, "score": 0.5, "reached": reached}


def result(l2, errors, span=1.0, attribute="smile"):
    edits = {attribute: {"wanted": 0.5, "score": 0.5, "span": span, "methods": errors}}
    return {"inversion": {name: {"l2": value, "ms_ssim": 0.9} for name, value in l2.items()}, "editing": edits}


RESULTS = {
    "0": result({"e4e": 0.06, "sfe": 0.01}, {"unedited": cell(0.04, False), "e4e": cell(0.08), "sfe": cell(0.03)}),
    "1": result({"e4e": 0.06, "sfe": 0.01}, {"unedited": cell(0.04, False), "e4e": cell(0.06), "sfe": cell(0.01)}),
    "2": result(
        {"e4e": 0.06, "sfe": 0.01}, {"unedited": cell(0.04, False), "e4e": cell(0.01, False), "sfe": cell(0.05)}
    ),
    "3": result({"e4e": 0.06, "sfe": 0.01}, {}),  # the judge does not see the change
    "4": {"skipped": "broken"},
}


@pytest.fixture
def report():
    editing, rejected = true_edit_table(RESULTS, ("smile",), METHODS, EditRule())
    inversion = inversion_table(RESULTS, METHODS, {"sfe": 0.25})
    summary = Summary(4, inversion, editing, {"gaze": "it does not move"}, {"4": "broken"})
    needs = {"fid": "needs FILE in FOLDER"}
    return Report(summary, METHODS, (128, 128), {"inverter": "the reason"}, needs, {"seed": 0})


def test_errors_are_means_over_the_people_whom_all_reached(report):
    row = report.summary.editing["smile"]
    assert row["e4e"]["error"] == pytest.approx(0.07) and row["sfe"]["error"] == pytest.approx(0.02)
    assert row["unedited"]["error"] == pytest.approx(0.04) and row["sfe"]["people"] == 2
    assert (row["e4e"]["reached"], row["sfe"]["reached"]) == (pytest.approx(2 / 3), 1)
    assert row["sfe"]["error_where_reached"] == pytest.approx(0.03)


def test_json_has_the_schema(report, tmp_path):
    read = json.loads(report.save(tmp_path / "new" / "r.json").read_text())
    assert list(read["inversion"]) == list(METHODS) and list(read["editing"]) == ["smile"]
    for row in read["inversion"].values():
        assert set(row) == {info.key for info in INFO}
        assert all(value is None or isinstance(value, float) for value in row.values())
    assert read["inversion"]["sfe"] | {"attributes": 0} == {
        **dict.fromkeys(("lpips", "fid", "id")),
        "l2": 0.01,
        "ms_ssim": 0.9,
        "attributes": 0,
        "seconds": 0.25,
    }
    assert list(read["editing"]["smile"]) == list(METHODS)
    assert all({"error", "reached"} <= set(row) for row in read["editing"]["smile"].values())
    assert read["editing"]["smile"]["inverter"] == {"error": None, "reached": None}
    assert read["rejected"] == {"gaze": "it does not move"} and read["skipped"] == {"4": "broken"}


def test_tables_say_what_is_missing_and_what_they_show(report):
    text, markdown = report.text(), report.markdown()
    for written in (text, markdown):
        assert "needs FILE in FOLDER" in written
        assert "inverter cannot be run: the reason." in written
        assert "gaze is rejected: it does not move." in written and "Skipped 1 pictures: 4." in written
        assert "MS-SSIM is of the 4 finest of its 5 scales" in written
        assert "the L2 of e4e is 6.0 times that of sfe" in written
        assert "at most half of e4e's on 1 of 1 attributes" in written
        assert "below that of unedited on 1 of 1 attributes" in written
    assert "| smile | 2 | 0.04 | 0.07 (67%) | - | - | 0.02 (100%) |" in markdown
    assert "LPIPS" not in text  # measured nowhere, needed nowhere: another data set's metric


def test_text_tables_are_aligned():
    lines = Table("caption", ("", "a", "bb"), (("long name", "1", "2"), ("x", "needs FILE"))).text().splitlines()
    assert lines[1:] == ["           a  bb", "long name  1   2", "x          needs FILE"]
    assert number_text(None) == "-" and number_text(0.012345) == "0.01235" and number_text(3e-7) == "3.0e-07"


@pytest.mark.parametrize("ablation", ABLATIONS, ids=lambda a: a.name)
def test_ablations_are_configurations(ablation):
    assert bool(ablation.commands()) == bool(ablation.trainings)
    for training in ablation.trainings:
        override(find_config(training.stage, "demo"), list(training.settings))
        command = next(line for line in ablation.commands() if f" train {training.stage} " in line)
        assert all(f"--set {setting}" in command for setting in training.settings)


def test_each_ablation_has_its_own_file_and_name():
    trained = [a for a in ABLATIONS if a.trainings]
    assert len({a.records for a in ABLATIONS}) == len(ABLATIONS) and len({a.file for a in trained}) == len(trained)
    assert {a.bundle_of for a in ABLATIONS} <= {"", *(a.name for a in trained)}


def test_ablation_rows_share_their_people():
    names = ("full", "without H", "full on held-out directions", "held-out directions")
    table = tuple(a for name in names for a in ABLATIONS if a.name == name)
    runs = {"full": RESULTS, "without H": {"0": result({"inverter": 0.02}, {"inverter": cell(0.5)})}}
    held = {"0": result({"sfe": 0.01}, {"sfe": cell(0.2)}, attribute=HELD_OUT[0])}
    runs["full on held-out directions"] = RESULTS | held
    full, without, held_full, held_trained = rows_of(table, runs, {"held-out directions": "needs FILE"}, ())
    assert (full.edit_error, full.people, full.attributes) == (0.03, 1, 1) and full.reached == 1
    assert (without.edit_error, without.l2) == (0.5, 0.02)
    assert held_full.edit_error == 0.2 and held_trained == AblationRow(
        "held-out directions", table[3].meaning, needs="needs FILE"
    )
    assert rows_of(table[:1], runs, {}, ("smile",))[0].edit_error is None  # a rejected direction


def test_ablations_of_bundles(small_pipeline, small_networks, judge, tmp_path):
    source = RenderedPeople(3, 5, small.SPEC)  # the judge sees some of their changes
    editing = TrueEditing(tuple(small.directions()[:2]), judge, EditRule(), frozenset(source.keys))
    methods = tuple(pipeline_methods(small_pipeline))
    base = Evaluation(small_pipeline, source, methods, load_metrics(tmp_path), editing)
    results = base.run(Records(tmp_path / "r.json", {}), quiet=True)
    small.bundle(tmp_path / "few-directions.safetensors")

    def open_records(name, path):
        return Records(tmp_path / f"r.{name}.json", {"model": path and path.name})

    loaded = []

    def load(path):
        loaded.append(path.name)
        return Pipeline(small_networks)

    rows = {row.name: row for row in measure_ablations(base, results, (), tmp_path, load, open_records)}
    assert loaded == ["few-directions.safetensors"] and len(rows) == len(ABLATIONS)
    assert rows["full"].l2 == pytest.approx(rows["few directions"].l2, rel=1e-3)  # the same model
    assert rows["full"].edit_error == pytest.approx(rows["few directions"].edit_error, rel=1e-2)
    assert rows["without Fuser"].needs == f"needs without-fuser.safetensors in {tmp_path}"
    assert rows["Inverter code untrained"].l2 == pytest.approx(rows["full"].l2)
    report = Report(
        Summary(5, inversion_table(results, METHODS, {})), METHODS, (64, 64), {}, {}, {}, tuple(rows.values())
    )
    assert "needs without-fuser.safetensors" in report.text()
    assert report.to_json()["ablations"]["few directions"]["l2"] == rows["few directions"].l2


def test_photographs_are_compared_with_e4e_by_who_is_seen():
    inversion = {"e4e": {"l2": 0.04, "dlib": 0.5}, "sfe": {"l2": 0.01, "dlib": 0.125}}
    editing = {"age+15": {"e4e": {}, "sfe": {"nearer": 0.75}}, "happiness+15": {"e4e": {}, "sfe": {"nearer": 0.5}}}
    lines = Report(Summary(4, inversion, editing), ("e4e", "sfe"), (1024, 1024), {}, {}, {}).verdicts()
    assert "Inversion by sfe: dlib's distance 0.125, e4e's is 0.38 more; L2 0.0100, e4e's is 4.0 times that." in lines
    assert "Edits by sfe: nearer to the photograph than e4e's on 50% at least." in lines
