"""One picture at a time: encoders, optimisation, refinement, PTI, GANI as reconstructed here.

    python benchmarks/tuning.py --json tuning.jsonl [--count 20] [--steps 200] [--methods gani pti gani_1_block ...]
    python benchmarks/tuning.py --json photos.jsonl --photos FOLDER --weights WEIGHTS [--count 4] [--device cuda]

On rendered people: edits at matched change against the true picture, by the judge, which is in no loss. On photographs,
aligned here unless --aligned, with the model `photo`: who is still seen at a matched change of a score. All losses are
of pixels alone. Seconds are of one thread of a CPU, or of a GPU as it was shared. Every row of a person is appended to
--json as it comes; a stopped run goes on. Several processes take --share 0/8 to 7/8 of the people, each with a --json
of its own. `--report` prints the table of what is in all files of --json, of --methods, and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.checkpoints.load import DEMO_BUNDLE, load_networks  # noqa: E402
from sfe_models.checkpoints.places import PHOTO, models_folder  # noqa: E402
from sfe_models.choices import DEVICES  # noqa: E402
from sfe_models.cli.parsers.evaluating import JUDGE_FILE  # noqa: E402
from sfe_models.directions.library import model_library  # noqa: E402
from sfe_models.evaluation.comparison import as_saved, l2  # noqa: E402
from sfe_models.evaluation.methods import Method, People, PipelineMethod, invert  # noqa: E402
from sfe_models.evaluation.metrics import load_metrics  # noqa: E402
from sfe_models.evaluation.one_picture import drift, find  # noqa: E402
from sfe_models.evaluation.score_edits import ScoreEdit, ScoreEditing  # noqa: E402
from sfe_models.evaluation.sources import RenderedPeople, open_source  # noqa: E402
from sfe_models.evaluation.ssim import ms_ssim  # noqa: E402
from sfe_models.evaluation.true_edits import EditRule, measure_edits, named_directions  # noqa: E402
from sfe_models.faces.find.detectors import load_detector  # noqa: E402
from sfe_models.perception.attribute_network import load_attribute_network  # noqa: E402
from sfe_models.perception.scores import load_scorer  # noqa: E402
from sfe_models.pipeline import Pipeline  # noqa: E402
from sfe_models.precision import choose_device  # noqa: E402
from sfe_models.sharing import Share  # noqa: E402
from sfe_models.training.config import LossConfig  # noqa: E402

ATTRIBUTES = ["smile", "hair_length", "light"]
MATCHED = ["age=age:10"]
REFINING = 30
METHODS = ["e4e", "sfe", "sfe_refine", "sfe_layers", "w_plus", "optimise", "pti", "gani", "pti_in_ganis_time"]
# GANI's pixel loss for cars, churches and horses, as far as its text tells it.
SMOOTH_L1 = LossConfig(l2=0.0, lpips=0.0, identity=0.0, smooth_l1=1.0)
# Settings of rows that differ from those that are usual.
VARIANTS = {
    "pti_from_e4e": {"pivot": "e4e"},
    "pti_from_w_plus": {"pivot": "w+"},
    "gani_from_e4e": {"pivot": "e4e"},
    "gani_from_w_plus": {"pivot": "w+"},
    "gani_no_local": {"local": 0.0},
    "gani_1_block": {"blocks": 1},
    "gani_4_blocks": {"blocks": 4},
    "gani_no_norm": {"normalise": False},
    "gani_smooth_l1": {"losses": SMOOTH_L1},
    "gani_local_every_2": {"local_every": 2},
    "pti_no_local": {"local": 0.0},
    "pti_local_every_2": {"local_every": 2},
    "pti_ganis_local": {"local": 0.2},
}
ABLATIONS = ["gani_no_local", "gani_1_block", "gani_4_blocks", "gani_no_norm", "pti_no_local", "pti_ganis_local"]
ABLATIONS += ["pti_local_every_2", "gani_smooth_l1"]


class Rendered:
    """People whose true edits are known. What their edits are compared by is "error"."""

    def __init__(self, options: argparse.Namespace):
        self.device = choose_device(options.device)
        self.pipeline = Pipeline(load_networks(DEMO_BUNDLE, device=self.device))
        self.judge = load_attribute_network(JUDGE_FILE).to(self.device)
        library = model_library(DEMO_BUNDLE, self.pipeline.spec)
        self.directions = named_directions(library, self.judge, ATTRIBUTES)
        self.drifts = {"": l2, "_judge": self.judge.perceptual_distance}
        self.source = RenderedPeople(0, options.count, self.pipeline.spec)

    def compare(self, made: Tensor, image: Tensor) -> dict[str, float]:
        """Measure an inversion."""
        numbers = {"l2": l2, "ms_ssim": ms_ssim, "judge": self.judge.perceptual_distance}
        return {key: measure(made, image).item() for key, measure in numbers.items()}

    def edits(self, people: People, key: str, method: Method, made: Tensor) -> dict[str, dict]:
        """Edit one person, by label."""
        all_of = measure_edits(
            people, [int(key)], self.directions, [method], {method.name: made}, self.judge, EditRule()
        )
        return {label: edit["methods"][method.name] for label, edit in all_of[0].items() if edit["methods"]}


class Photographs:
    """Photographs, whose edits are compared by who is still seen."""

    def __init__(self, options: argparse.Namespace):
        self.device = choose_device(options.device)
        self.pipeline = Pipeline(load_networks(options.model, device=self.device))
        spec = self.pipeline.spec
        detector = None if options.aligned else load_detector(folders=(models_folder(), Path("models")))
        self.source = open_source(options.photos, spec, options.count, 0, detector=detector)
        self.metrics = load_metrics(options.weights, self.device, photographs=True)
        library = model_library(options.model, spec)
        edits = tuple(ScoreEdit.parse(text, library) for text in options.matched)
        scorer = load_scorer([edit.score.name for edit in edits], options.weights, self.device)
        self.drifts = {"": l2}
        self.editing = ScoreEditing(edits, scorer, self.metrics)

    def compare(self, made: Tensor, image: Tensor) -> dict[str, float]:
        """Measure an inversion."""
        return self.metrics.compare(made, image)[0]

    def edits(self, people: People, key: str, method: Method, made: Tensor) -> dict[str, dict]:
        """Edit one person, by label."""
        (rows, _) = self.editing.measure(people, [key], [method], {method.name: made})[0]
        return {label: edit["methods"][method.name] for label, edit in rows.items()}


def steps_of(name: str, options: argparse.Namespace, others: dict[str, dict]) -> int:
    """How many steps a row takes; others: the person's rows so far."""
    if name.startswith("sfe"):
        return REFINING
    if name in ("w_plus", "optimise"):
        return options.code_steps or options.steps
    if name == "pti_in_ganis_time":
        return max(1, round(options.steps * others["gani"]["seconds"] / others["pti"]["seconds"]))
    return options.steps


def row(bench: Rendered | Photographs, key: str, name: str, options: argparse.Namespace, others: dict) -> dict:
    """Measure one way on one person."""
    pipeline, image = bench.pipeline, bench.source.read(key)[None].to(bench.device)
    people = invert(pipeline, image, bench.source.portraits([key]))
    if name in ("e4e", "sfe"):
        method, about = PipelineMethod(name, pipeline), {}
    else:
        method = find(name, pipeline, image, steps_of(name, options, others), **VARIANTS.get(name, {}))
        about = {"seconds": method.seconds, "steps": method.steps}
        if name.startswith(("pti", "gani")):
            for kind, distance in bench.drifts.items():
                apart = drift(pipeline, method.pipeline, options.drift_codes, distance)
                about |= {f"near{kind}": apart[0], f"far{kind}": apart[1]}
    made = as_saved(method.inverted(people))
    return {
        "key": key,
        "method": name,
        **bench.compare(made, image),
        **about,
        "edits": bench.edits(people, key, method, made),
    }


# Columns of a table, of rows and of their edits: key, title, form.
_OF_RENDERED = [("l2", "inversion L2", ".4f"), ("ms_ssim", "MS-SSIM", ".3f"), ("judge", "judge", ".3f")]
_OF_PHOTOGRAPHS = [
    ("l2", "inversion L2", ".4f"),
    ("ms_ssim", "MS-SSIM", ".3f"),
    ("st_lpips", "ST-LPIPS", ".3f"),
    ("dlib", "dlib", ".3f"),
    ("mobile", "MobileFaceNet", ".3f"),
]
# What edits are compared by, and whether more is better: the first that all rows know.
_BY = [("error", False), ("dlib", False), ("mobile", True)]
_TITLES = {"error": "edit L2", "dlib": "edit dlib", "mobile": "edit MobileFaceNet"}
_DRIFT = [("near", "drift near", ".4f"), ("far", "drift far", ".4f"), ("far_judge", "far, judge", ".3f")]


def report(rows: list[dict]) -> str:
    """Lay the means out as Markdown, over the people whom all rows know, and the edits that all rows reached."""
    names = list(dict.fromkeys(row["method"] for row in rows))
    by = {(row["key"], row["method"]): row for row in rows}
    people = [key for key in dict.fromkeys(row["key"] for row in rows) if all((key, name) in by for name in names)]
    measured = _OF_RENDERED if "judge" in rows[0] else [column for column in _OF_PHOTOGRAPHS if column[0] in rows[0]]
    cells = [edit for row in rows for edit in row["edits"].values()]
    by_edit, more = next((key, more) for key, more in _BY if all(key in cell for cell in cells))
    sign = -1 if more else 1
    drifts = [column for column in _DRIFT if any(column[0] in row for row in rows)]
    columns = [("steps", "steps", ".0f"), *measured, *drifts]
    base = "sfe" if "sfe" in names else names[0]
    titles = [title for _, title, _ in columns]
    titles += [_TITLES[by_edit], "reached", f"better than {base}'s", "seconds"]
    common = [
        (key, label)
        for key in people
        for label in by[key, base]["edits"]
        if all(by[key, name]["edits"][label]["reached"] for name in names)
    ]
    lines = [f"{len(people)} people, {len(common)} edits: {', '.join(people)}\n", f"| method | {' | '.join(titles)} |"]
    lines.append("|---" * (len(titles) + 1) + "|")

    def mean(own: list[dict], key: str, form: str) -> str:
        known = [row[key] for row in own if key in row]
        return format(fmean(known), form) if known else "-"

    for name in names:
        own = [by[key, name] for key in people]
        edits = {(key, label): edit for key in people for label, edit in by[key, name]["edits"].items()}
        reached = sum(edit["reached"] for edit in edits.values())
        better = sum(sign * edits[at][by_edit] < sign * by[at[0], base]["edits"][at[1]][by_edit] for at in common)
        cells = [mean(own, key, form) for key, _, form in columns]
        cells += [mean([edits[at] for at in common], by_edit, ".4f"), f"{reached}/{len(edits)}"]
        cells += ["-" if name == base else f"{better}/{len(common)}", mean(own, "seconds", ".1f")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", required=True, nargs="+", type=Path, metavar="FILE.jsonl", help="written: the first")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--steps", type=int, default=200, help="of PTI and GANI, and of w_plus and optimise")
    parser.add_argument("--code-steps", type=int, metavar="N", help="of w_plus and optimise, if not as many")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=[*METHODS, *VARIANTS], metavar="NAME")
    parser.add_argument("--ablations", action="store_true", help="also GANI's parts, and PTI without localisation")
    parser.add_argument("--drift-codes", type=int, default=16, metavar="N", help="random codes that drift is of")
    parser.add_argument("--photos", metavar="FOLDER", help="photographs in the place of rendered people")
    parser.add_argument("--model", default=PHOTO, help="of photographs")
    parser.add_argument("--weights", default="weights", metavar="FOLDER", help="networks that photographs take")
    parser.add_argument("--aligned", action="store_true", help="the folder holds aligned crops")
    parser.add_argument("--share", default="0/1", metavar="I/N", help="every N-th person, from the I-th on")
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument("--matched", nargs="*", default=MATCHED, metavar="SCORE=DIRECTION:CHANGE")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    there = [path.read_text(encoding="utf-8") for path in options.json if path.exists()]
    rows = [json.loads(line) for text in there for line in text.splitlines()]
    if not options.report:
        torch.set_num_threads(1)
        bench = Photographs(options) if options.photos else Rendered(options)
        share = Share(*map(int, options.share.split("/")))
        for key in share.every_nth(bench.source.keys):
            done = {known["method"]: known for known in rows if known["key"] == key}
            for name in [*options.methods, *(ABLATIONS if options.ablations else ())]:
                if name not in done:
                    done[name] = row(bench, key, name, options, done)
                    rows.append(done[name])
                    with options.json[0].open("a", encoding="utf-8") as file:
                        file.write(json.dumps(done[name]) + "\n")
    wanted = {*options.methods, *(ABLATIONS if options.ablations else ())}
    print(report([known for known in rows if known["method"] in wanted]))


if __name__ == "__main__":
    main()
