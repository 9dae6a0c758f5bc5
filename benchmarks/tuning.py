"""One picture at a time: encoders, optimisation, refinement, PTI, GANI as reconstructed here, on rendered people.

    python benchmarks/tuning.py --json tuning.jsonl [--count 20] [--steps 200] [--ablations]

Every row of a person is appended to --json as it comes; a stopped run goes on. `--report` prints the table of what is
there, and measures nothing. Edits are at matched change, against the true picture, by the judge, which is in no
loss. All losses are of pixels alone. Seconds are of one thread.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import fmean

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.checkpoints.load import DEMO_BUNDLE, load_networks  # noqa: E402
from sfe_models.cli.parsers.evaluating import JUDGE_FILE  # noqa: E402
from sfe_models.directions.library import model_library  # noqa: E402
from sfe_models.evaluation.comparison import as_saved, l2  # noqa: E402
from sfe_models.evaluation.methods import PipelineMethod, invert  # noqa: E402
from sfe_models.evaluation.one_picture import drift, find  # noqa: E402
from sfe_models.evaluation.sources import RenderedPeople  # noqa: E402
from sfe_models.evaluation.ssim import ms_ssim  # noqa: E402
from sfe_models.evaluation.true_edits import EditRule, measure_edits, named_directions  # noqa: E402
from sfe_models.perception.attribute_network import load_attribute_network  # noqa: E402
from sfe_models.pipeline import Pipeline  # noqa: E402

ATTRIBUTES = ["smile", "hair_length", "light"]
REFINING = 30
METHODS = ["e4e", "sfe", "sfe_refine", "sfe_layers", "w_plus", "optimise", "pti", "gani", "pti_in_ganis_time"]
ABLATIONS = {
    "gani_no_local": {"local": 0.0},
    "gani_1_block": {"blocks": 1},
    "gani_4_blocks": {"blocks": 4},
    "gani_no_norm": {"normalise": False},
    "pti_no_local": {"local": 0.0},
}


class Bench:
    """What all rows are measured with."""

    def __init__(self, options: argparse.Namespace):
        self.pipeline = Pipeline(load_networks(DEMO_BUNDLE))
        self.judge = load_attribute_network(JUDGE_FILE)
        library = model_library(DEMO_BUNDLE, self.pipeline.spec)
        self.directions = named_directions(library, self.judge, ATTRIBUTES)
        self.source = RenderedPeople(0, options.count, self.pipeline.spec)
        self.options = options

    def steps(self, name: str, others: dict[str, dict]) -> int:
        """How many a row takes; others: the person's rows so far."""
        if name.startswith("sfe"):
            return REFINING
        if name == "pti_in_ganis_time":
            return max(1, round(self.options.steps * others["gani"]["seconds"] / others["pti"]["seconds"]))
        return self.options.steps

    def row(self, key: str, name: str, others: dict[str, dict]) -> dict:
        """Measure one way on one person."""
        image = self.source.read(key)[None]
        people = invert(self.pipeline, image, self.source.portraits([key]))
        if name in ("e4e", "sfe"):
            method, about = PipelineMethod(name, self.pipeline), {}
        else:
            method = find(name, self.pipeline, image, self.steps(name, others), **ABLATIONS.get(name, {}))
            about = {"seconds": method.seconds, "steps": method.steps}
            if name.startswith(("pti", "gani")):
                about["near"], about["far"] = drift(self.pipeline, method.pipeline)
        made = as_saved(method.inverted(people))
        edits = measure_edits(people, [int(key)], self.directions, [method], {name: made}, self.judge, EditRule())[0]
        return {
            "key": key,
            "method": name,
            "l2": l2(made, image).item(),
            "ms_ssim": ms_ssim(made, image).item(),
            "judge": self.judge.perceptual_distance(made, image).item(),
            **about,
            "edits": {label: edit["methods"][name] for label, edit in edits.items() if edit["methods"]},
        }


def report(rows: list[dict]) -> str:
    """Lay the means out as Markdown, over the people whom all rows know; edits are counted where each one reached."""
    names = list(dict.fromkeys(row["method"] for row in rows))
    by = {(row["key"], row["method"]): row for row in rows}
    people = [key for key in dict.fromkeys(row["key"] for row in rows) if all((key, name) in by for name in names)]
    lines = [
        f"Seeds {', '.join(people)}\n",
        "| method | steps | inversion L2 | MS-SSIM | judge | drift near | drift far | edit L2 | reached | below sfe's "
        "| seconds |\n|---|---|---|---|---|---|---|---|---|---|---|",
    ]

    def mean(own: list[dict], key: str, form: str) -> str:
        known = [row[key] for row in own if key in row]
        return format(fmean(known), form) if known else "-"

    for name in names:
        own = [by[key, name] for key in people]
        pairs = [
            (edit, by[key, "sfe"]["edits"][label]) for key in people for label, edit in by[key, name]["edits"].items()
        ]
        reached = [edit["error"] for edit, _ in pairs if edit["reached"]]
        both = [(edit, other) for edit, other in pairs if edit["reached"] and other["reached"]]
        below = sum(edit["error"] < other["error"] for edit, other in both)
        lines.append(
            f"| {name} | {mean(own, 'steps', '.0f')} | {mean(own, 'l2', '.4f')} | {mean(own, 'ms_ssim', '.3f')} "
            f"| {mean(own, 'judge', '.3f')} | {mean(own, 'near', '.4f')} | {mean(own, 'far', '.4f')} "
            f"| {format(fmean(reached), '.4f') if reached else '-'} | {len(reached)}/{len(pairs)} "
            f"| {'-' if name == 'sfe' else f'{below}/{len(both)}'} | {mean(own, 'seconds', '.1f')} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", required=True, type=Path, metavar="FILE.jsonl")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--steps", type=int, default=200, help="of w_plus, optimise, PTI and GANI each")
    parser.add_argument("--ablations", action="store_true", help="also GANI's parts, and PTI without localisation")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    lines = options.json.read_text(encoding="utf-8").splitlines() if options.json.exists() else []
    rows = [json.loads(line) for line in lines]
    if not options.report:
        torch.set_num_threads(1)
        bench = Bench(options)
        for key in bench.source.keys:
            done = {row["method"]: row for row in rows if row["key"] == key}
            for name in [*METHODS, *(ABLATIONS if options.ablations else ())]:
                if name not in done:
                    done[name] = bench.row(key, name, done)
                    rows.append(done[name])
                    with options.json.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(done[name]) + "\n")
    print(report(rows))


if __name__ == "__main__":
    main()
