"""The command that measures how good a model is."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import torch

from ..atomic import replaced
from ..checkpoints.load import load_networks, model_path, read_spec
from ..checkpoints.places import PHOTO
from ..choices import ONE_PICTURE_METHODS, PLAIN
from ..domain import DEMO
from ..evaluation.ablations import ABLATIONS, measure_ablations
from ..evaluation.attribute_tables import read_attribute_table
from ..evaluation.editing_fid import FidEdit, FidEditing
from ..evaluation.errors import EvaluationError
from ..evaluation.gradual import gradual_methods, one_stage_method
from ..evaluation.grid import save_grid
from ..evaluation.methods import METHODS, Method, pipeline_methods, unavailable
from ..evaluation.metrics import load_metrics
from ..evaluation.one_picture import OnePictureMethod, one_picture_methods
from ..evaluation.records import Records
from ..evaluation.refined import RefinedMethod
from ..evaluation.report import Report
from ..evaluation.rivals import rival_methods
from ..evaluation.run import Evaluation
from ..evaluation.sampled import SAMPLED, SampledMethod
from ..evaluation.score_edits import ScoreEdit, ScoreEditing, score_edit_table
from ..evaluation.sources import open_source
from ..evaluation.summary import Summary, fid_table, inversion_table, measured, true_edit_table
from ..evaluation.true_edits import EditRule, TrueEditing, named_directions
from ..faces.errors import FaceError
from ..faces.find.detectors import load_detector
from ..gradual.files import load_gradual
from ..perception.attribute_network import load_attribute_network
from ..perception.scores import load_scorer
from ..pictures.errors import ImageError
from ..pipeline import Pipeline
from ..sharing import Share
from .common import direction_library, dtype_and_device, fetch_model
from .photos import face_folders


def run_evaluate(options: argparse.Namespace) -> None:
    if options.list_ablations:
        print(_ablation_list(ABLATIONS))
        return
    slow = _checked(options)
    share = Share.of_environment()
    if share.world > 1 and not options.json:
        raise EvaluationError("Several processes meet in the files beside --json; give it.")
    dtype, device = dtype_and_device(options)
    if device.type == "cuda" and share.world > 1:
        device = torch.device("cuda", share.gpu(torch.cuda.device_count()))
    options.model = options.model or ("demo" if options.data in (None, "demo") else PHOTO)
    fetch_model(options.model)
    if options.data is None:
        options.data = _rendered(options.model)
    pipeline = Pipeline(load_networks(options.model, dtype, device))
    detector = _detector(options, device)
    leave_out, spec = options.leave_out, pipeline.spec
    if options.look != PLAIN and (options.data != "demo" or options.attributes or options.ablations is not None):
        raise EvaluationError("--look draws the people of --data demo, whose inversions alone are then measured.")
    source = open_source(
        options.data, spec, options.count, options.seed, detector=detector, leave_out=leave_out, look=options.look
    )
    needs: dict[str, str] = {}
    judge = _judge(options, needs, device)
    metrics = load_metrics(options.weights, device, judge, photographs=options.data != "demo")
    needs = metrics.needs | needs
    editing = _editing(options, pipeline, source, metrics, judge, needs)
    if options.ablations is not None and not isinstance(editing, TrueEditing):
        raise EvaluationError("--ablations measures edits of rendered portraits; it needs --data demo and its judge.")
    methods = _methods(options, slow, pipeline, isinstance(editing, FidEditing))
    evaluation = Evaluation(pipeline, source, methods, metrics, editing, 1 if slow else options.batch)
    settings = _settings(options, slow, evaluation, dtype)

    with ExitStack() as stack:
        folder = None if options.json else stack.enter_context(tempfile.TemporaryDirectory())
        path = Path(options.json) if options.json else Path(folder) / "report.json"

        def open_records(name: str, model: str) -> Records:
            part = path.with_name(f"{path.stem}.{name}.json") if name else path
            return Records(part, {"model": _identity(model), **settings}, share)

        records = open_records("", options.model)
        if slow and share.rank == 0:
            _say_seconds(evaluation, records, share)
        results = evaluation.run(records, share)
        summary = _summary(evaluation, results, records) if share.rank == 0 else None
        rows = ()
        if options.ablations is not None:
            rows = measure_ablations(
                evaluation,
                results,
                tuple(summary.rejected) if summary else (),
                options.ablations,
                lambda bundle: Pipeline(load_networks(bundle, dtype, device)),
                lambda name, bundle: open_records(name, options.model if bundle is None else str(bundle)),
                share,
            )
        if summary is not None:
            about = {"model": options.model, **settings, "count": len(source.keys), "seed": options.seed}
            _write(options, evaluation, results, summary, needs, about, rows)


def _checked(options: argparse.Namespace) -> list[str]:
    """Check numbers and names, bring --methods into one list; return those of one picture at a time."""
    for name in ("batch", "edit_count", "refine", "steps"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise EvaluationError(f"--{name.replace('_', '-')} is {value}; expected 1 or more.")
    if options.methods:
        options.methods = [name for text in options.methods for name in text.split(",") if name]
    slow = [name for name in options.methods or () if name in ONE_PICTURE_METHODS]
    if slow and options.count is None:
        raise EvaluationError(f"{slow[0]} takes seconds to minutes for every picture; say for how many with --count.")
    if options.steps and not slow:
        raise EvaluationError(f"--steps is for rows of one picture at a time: {', '.join(ONE_PICTURE_METHODS)}.")
    return slow


def _methods(options: argparse.Namespace, slow: list[str], pipeline: Pipeline, by_fid: bool) -> tuple[Method, ...]:
    """Make the rows of the table; by_fid: edits are measured by FIDs. Raises EvaluationError if there is none."""
    dtype, device = pipeline.networks.dtype, pipeline.networks.device
    methods = tuple(pipeline_methods(pipeline, options.methods or METHODS))
    methods += tuple(one_picture_methods(pipeline, slow, options.steps or 0))
    if SAMPLED in (options.methods or ()):
        if not by_fid:
            raise EvaluationError(f"{SAMPLED} is measured by editing FIDs: give --edit, --remove or --edit-all.")
        methods += (SampledMethod(pipeline),)
    methods += tuple(rival_methods(pipeline, options.methods or (), options.weights))
    if options.gradual:
        methods += tuple(gradual_methods(load_gradual(options.gradual, dtype, device), pipeline))
    if options.gradual_one_stage:
        methods += (one_stage_method(load_gradual(options.gradual_one_stage, dtype, device), pipeline),)
    if not methods:
        raise EvaluationError("There is no method to measure; name one with --methods, or a model with --gradual.")
    if options.refine:
        methods += (RefinedMethod(methods[-1], options.refine),)
    return methods


def _rendered(model: str) -> str:
    """Return "demo" for a model of rendered portraits. Raises EvaluationError for another: its pictures are unknown."""
    subject = read_spec(model).subject
    if subject != DEMO.subject:
        raise EvaluationError(
            f"{model} is a model of {subject or 'pictures unknown'}; give --data FOLDER with aligned pictures of that, "
            "or --data demo to measure it on rendered portraits."
        )
    return "demo"


def _settings(options: argparse.Namespace, slow: list[str], evaluation: Evaluation, dtype: torch.dtype) -> dict:
    """What every single result depends on, beside the model."""
    settings = {
        "data": options.data,
        "dtype": str(dtype),
        "metrics": list(evaluation.metrics.keys),
        "directions": options.directions,
    }
    if options.align:
        settings["aligned_by"] = options.detector
    if options.look != PLAIN:
        settings["look"] = options.look
    if options.refine:
        settings["refine"] = options.refine
    if options.methods:
        settings["methods"] = options.methods
    if slow:
        settings["steps"] = {m.name: m.steps for m in evaluation.methods if isinstance(m, OnePictureMethod)}
    for name in ("gradual", "gradual_one_stage"):
        if getattr(options, name):
            settings[name] = _identity(getattr(options, name))
    if isinstance(evaluation.editing, TrueEditing):
        settings |= {"judge": _identity(options.judge), "rule": asdict(evaluation.editing.rule)}
    return settings


def _say_seconds(evaluation: Evaluation, records: Records, share: Share) -> None:
    """Say how long what is found one picture at a time will take, before it begins."""
    known = records.read()
    left = [key for key in share.every_nth(evaluation.source.keys) if not evaluation.complete(key, known.get(key))]
    if not left:
        return
    try:
        image = evaluation.source.read(left[0])[None].to(evaluation.pipeline.networks.device)
    except (ImageError, FaceError):
        return  # the run says so
    rows = [method for method in evaluation.methods if isinstance(method, OnePictureMethod)]
    seconds = {method.name: method.expected_seconds(image) for method in rows}
    each = ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items())
    minutes = len(left) * sum(seconds.values()) / 60
    print(f"for each picture {each}; {len(left)} pictures: about {minutes:.0f} minutes and edits", file=sys.stderr)


def _summary(evaluation, results: dict[str, dict], records):
    """Average the results of single pictures, and time the inversions."""
    editing, columns = evaluation.editing, evaluation.columns
    table: dict[str, dict] = {}
    rejected: dict[str, str] = {}
    if isinstance(editing, TrueEditing):
        attributes = [direction.info.name for direction in editing.directions]
        table, rejected = true_edit_table(results, attributes, columns, editing.rule)
    elif isinstance(editing, ScoreEditing):
        table = score_edit_table(list(measured(results).values()), editing, columns)
    elif editing is not None:
        table = fid_table(results, editing, columns, records)
    readable = measured(results)
    features = records if evaluation.metrics.features is not None else None
    inversion = inversion_table(results, columns, evaluation.seconds(list(readable)), features)
    skipped = {key: result["skipped"] for key, result in results.items() if "skipped" in result}
    return Summary(len(readable), inversion, table, rejected, skipped)


def _write(options, evaluation, results: dict[str, dict], summary, needs: dict, settings: dict, ablations) -> None:
    """Print the report and write what is asked for."""
    pipeline = evaluation.pipeline
    missing = {name: why for name, why in unavailable(pipeline).items() if name in evaluation.columns}
    report = Report(summary, evaluation.columns, pipeline.spec.picture_size, missing, needs, settings, ablations)
    print(report.text())
    if options.json:
        report.save(options.json)
    if options.markdown:
        with replaced(options.markdown) as temporary:
            temporary.write_text(report.markdown(), encoding="utf-8")
    if options.grid and save_grid(evaluation, results, options.grid, tuple(summary.rejected)) is None:
        raise EvaluationError("There is no picture to make a grid of.")


def _judge(options: argparse.Namespace, needs: dict[str, str], device: torch.device):
    """Load the judge of the rendered domain; None for a folder, or with a note where its file is missing."""
    if options.data != "demo":
        return None
    if options.look != PLAIN:
        needs |= {name: "needs plain portraits: the judge knows no others" for name in ("attributes", "editing")}
        return None
    path = Path(options.judge)
    if not path.is_file():
        text = f"needs {path.name} in {path.parent}"
        needs |= {"attributes": text, "editing": text}
        return None
    return load_attribute_network(path).to(device)


def _detector(options: argparse.Namespace, device: torch.device):
    """Load what aligns the photographs, None for aligned crops."""
    return load_detector(options.detector, face_folders(options), device) if options.align else None


def _editing(options: argparse.Namespace, pipeline: Pipeline, source, metrics, judge, needs: dict[str, str]):
    """Make what is edited: true edits on demo, the editing FID on a folder with a table, else None."""
    edits = bool(options.edit or options.remove)
    if options.data == "demo":
        if options.table or edits or options.edit_all or options.matched or options.align or options.leave_out:
            raise EvaluationError(
                "--table, --edit, --remove, --edit-all, --matched, --align and --leave-out are for a folder; portraits "
                "take --attributes."
            )
        if judge is None or options.attributes == []:
            return None
        directions = named_directions(direction_library(options, pipeline.spec), judge, options.attributes)
        if not directions:
            needs["editing"] = "needs directions named as attributes: a bundle that brings them, or --directions"
            return None
        rule = EditRule() if options.change is None else EditRule(options.change)
        return TrueEditing(directions, judge, rule, frozenset(source.keys[: options.edit_count]))
    if options.attributes or options.edit_count is not None:
        raise EvaluationError("--attributes and --edit-count are for --data demo; a folder takes --table and --edit.")
    if options.matched:
        if options.table or edits or options.edit_all:
            raise EvaluationError("--matched stands alone; --table, --edit, --remove, --edit-all are for editing FIDs.")
        library = direction_library(options, pipeline.spec)
        matched = tuple(ScoreEdit.parse(text, library) for text in options.matched)
        scorer = load_scorer([edit.score.name for edit in matched], options.weights, pipeline.networks.device)
        return ScoreEditing(matched, scorer, metrics)
    if bool(options.table) != edits:
        raise EvaluationError("The editing FID takes --table together with --edit or --remove.")
    if not edits and not options.edit_all:
        return None
    library = direction_library(options, pipeline.spec)
    asked = [FidEdit.parse(text, library, removes) for removes in (False, True) for text in _texts(options, removes)]
    asked += [FidEdit.parse_of_all(text, library) for text in options.edit_all]
    editing = FidEditing(tuple(asked), read_attribute_table(options.table) if options.table else None, metrics)
    editing.check(source.keys)
    return editing


def _texts(options: argparse.Namespace, removes: bool) -> list[str]:
    return options.remove if removes else options.edit


def _identity(source: str) -> list:
    """Tell one model or judge from another: its name, and for a file size and time of its last change."""
    path = model_path(source)
    return [source, path.stat().st_size, path.stat().st_mtime_ns] if path.is_file() else [source]


def _ablation_list(table) -> str:
    """Say what every ablation is and how it is trained."""
    parts = []
    for ablation in table:
        model = f"the model of {ablation.bundle_of!r}" if ablation.bundle_of else "the model itself"
        lines = [f"  {line}" for line in ablation.commands()] or [f"  no training: measured on {model}"]
        lines.insert(0, f"{ablation.name}: {ablation.meaning}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
