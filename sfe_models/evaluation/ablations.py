"""The ablations of the SFE paper (Table 3, section 10) as a table: what is changed, how it is trained and measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..pipeline import Pipeline
from ..sharing import Share
from .methods import INVERTER_CODE, pipeline_methods, unavailable
from .records import Records
from .run import Evaluation
from .summary import inversion_table, measured

# Directions of the row that is trained with few, and those that the last row's training leaves out: one for each of
# shape, texture, hair and pose.
FEW = ("smile", "glasses", "age")
HELD_OUT = ("beard", "makeup", "hair_length", "yaw")


@dataclass(frozen=True)
class Training:
    """One stage trained anew. settings: for `train --set`; directions: these files only; without: all but these."""

    stage: str
    settings: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def _file_stem(name: str) -> str:
    return name.lower().replace("+", "").replace(" ", "-")


@dataclass(frozen=True)
class Ablation:
    """One row: a method of a model that was trained with some change; without trainings, of the model itself.

    held_out: the row is about the attributes HELD_OUT alone; bundle_of: the row whose trained model this one measures.
    """

    name: str
    meaning: str
    method: str = "sfe"
    trainings: tuple[Training, ...] = ()
    held_out: bool = False
    bundle_of: str = ""

    @property
    def file(self) -> str | None:
        """Name of the bundle that is measured; None for the model itself."""
        if not self.trainings and not self.bundle_of:
            return None
        return _file_stem(self.bundle_of or self.name) + ".safetensors"

    @property
    def records(self) -> str:
        """Part of the name of the file of this row's results."""
        return _file_stem(self.name)

    def commands(self) -> list[str]:
        """Write the trainings as command lines, with GENERATOR, E4E, ... for the runs of the full model."""
        runs = {"inverter": "INVERTER", "editor": "EDITOR"}
        stem, lines = _file_stem(self.name), []
        for training in self.trainings:
            directions = "DIRECTIONS"
            if training.directions or training.without:
                what = f"with {', '.join(training.directions)}" if training.directions else ""
                what = what or f"without {', '.join(training.without)}"
                directions = f"{what.replace(', ', '_').replace(' ', '_').upper()}/directions"
            runs[training.stage] = f"runs/{stem}-{training.stage}"
            line = f"python -m sfe_models train {training.stage} --config demo --data demo --generator GENERATOR"
            if training.stage == "editor":
                line += f" --e4e E4E --inverter {runs['inverter']} --directions {directions}"
            line += "".join(f" --set {setting}" for setting in training.settings)
            lines.append(f"{line} --discriminator GENERATOR --weights WEIGHTS --output {runs[training.stage]}")
        if self.trainings:
            lines.append(
                f"python -m sfe_models assemble --generator GENERATOR --e4e E4E --inverter {runs['inverter']} "
                f"--editor {runs['editor']} --directions DIRECTIONS --output ABLATIONS/{self.file}"
            )
        return lines


_LOWER = (
    "domain.name=demo-k5",
    "domain.feature_layer=5",
    "domain.delta_layer=5",
    "domain.inverter.strides=[2,2,2,2]",
)
_RETRAINED = "retrained"
_NO_FUSER = "domain.inverter.fuser=false"

ABLATIONS = (
    Ablation("full", "SFE as it is"),
    Ablation(
        _RETRAINED,
        "Inverter and H trained anew; where the rows below are trained for less than the full model, so is this one, "
        "and its Inverter is theirs",
        trainings=(Training("inverter"), Training("editor")),
    ),
    Ablation("without H", "F_k itself is synthesized; only w moves", "inverter"),
    Ablation("F_k - delta", "delta is taken off F_k instead of going through H", "f_minus_delta"),
    Ablation("Inverter code untrained", "delta from the Inverter's W+ code, H as it is", INVERTER_CODE),
    Ablation(
        "Inverter code",
        "delta from the Inverter's W+ code, H trained with it",
        INVERTER_CODE,
        (Training("editor", ("delta_code=inverter",)),),
    ),
    Ablation(
        "without Fuser",
        "F_k is what the backbone predicts",
        trainings=(Training("inverter", (_NO_FUSER,)), Training("editor", (_NO_FUSER,))),
    ),
    Ablation(
        "without inversion loss",
        "H learns from generated pairs alone",
        trainings=(Training("editor", ("inversion_weight=0.0",)),),
    ),
    Ablation(
        "lower feature layer",
        "F_5, 16 x 16, in the place of F_7",
        trainings=(Training("inverter", _LOWER), Training("editor", _LOWER)),
    ),
    Ablation(
        "few directions",
        f"H learns from {', '.join(FEW)} alone",
        trainings=(Training("editor", directions=FEW),),
    ),
    Ablation("full on held-out directions", f"SFE as it is, on {', '.join(HELD_OUT)}", held_out=True),
    Ablation(
        "retrained on held-out directions",
        f"the retrained model, on {', '.join(HELD_OUT)}",
        held_out=True,
        bundle_of=_RETRAINED,
    ),
    Ablation(
        "held-out directions",
        f"H learns without {', '.join(HELD_OUT)} and is measured on them",
        trainings=(Training("editor", without=HELD_OUT),),
        held_out=True,
    ),
)


@dataclass(frozen=True)
class AblationRow:
    """The numbers of one row; needs: what is missing to measure it, then there are none.

    edit_error: mean over attributes of the mean L2 to the true picture over the people whom all measured rows of this
    kind (all attributes, or the held-out ones) brought to the wanted change; people: how many such pairs of person and
    attribute; reached: the row's own share of all pairs.
    """

    name: str
    meaning: str
    l2: float | None = None
    ms_ssim: float | None = None
    edit_error: float | None = None
    reached: float | None = None
    people: int = 0
    attributes: int = 0
    needs: str = ""

    def to_json(self) -> dict:
        """Return plain values."""
        numbers = {"l2": self.l2, "ms_ssim": self.ms_ssim, "error": self.edit_error, "reached": self.reached}
        more = {"people": self.people, "attributes": self.attributes, "needs": self.needs or None}
        return {"meaning": self.meaning, **numbers, **more}


def measure_ablations(
    base: Evaluation,
    results: dict[str, dict],
    rejected: Sequence[str],
    folder: Path | str,
    load: Callable[[Path], Pipeline],
    open_records: Callable[[str, Path | None], Records],
    share: Share | None = None,
) -> tuple[AblationRow, ...]:
    """Measure every row whose model is there, on the same people.

    base: the full model's evaluation, whose `results` serve the rows of its methods; folder: where the bundles of the
    trained rows lie; load: reads one; open_records: a row's name and its bundle (None: the full model) to where its
    results are kept. On other processes than the first there are no rows to return.
    """
    runs: dict[str, dict[str, dict]] = {}
    needs: dict[str, str] = {}
    for ablation in ABLATIONS:
        bundle = Path(folder) / ablation.file if ablation.file else None
        if bundle is not None and not bundle.is_file():
            needs[ablation.name] = f"needs {ablation.file} in {folder}"
            continue
        if bundle is None and ablation.method in [method.name for method in base.methods]:
            runs[ablation.name] = results
            continue
        pipeline = base.pipeline if bundle is None else load(bundle)
        methods = tuple(pipeline_methods(pipeline, (ablation.method,)))
        if not methods:
            needs[ablation.name] = f"needs another model: {unavailable(pipeline)[ablation.method]}"
            continue
        evaluation = replace(base, pipeline=pipeline, methods=methods)
        runs[ablation.name] = evaluation.run(open_records(ablation.records, bundle), share)
    return () if share is not None and share.rank else rows_of(ABLATIONS, runs, needs, rejected)


def rows_of(
    table: Sequence[Ablation], runs: dict[str, dict[str, dict]], needs: dict[str, str], rejected: Sequence[str]
) -> tuple[AblationRow, ...]:
    """Average the results of the rows, each over what all measured rows of its kind share."""
    rows = []
    for ablation in table:
        if ablation.name in needs:
            rows.append(AblationRow(ablation.name, ablation.meaning, needs=needs[ablation.name]))
            continue
        kind = [a for a in table if a.held_out == ablation.held_out and a.name not in needs]
        cells = {a.name: _cells(runs[a.name], a, rejected) for a in kind}
        own = cells[ablation.name]
        common = [pair for pair in own if _reached(pair, cells.values())]
        by_attribute: dict[str, list[float]] = {}
        for pair in common:
            by_attribute.setdefault(pair[0], []).append(own[pair]["error"])
        means = [math.fsum(errors) / len(errors) for errors in by_attribute.values()]
        numbers = inversion_table(runs[ablation.name], (ablation.method,), {})[ablation.method]
        rows.append(
            AblationRow(
                ablation.name,
                ablation.meaning,
                numbers["l2"],
                numbers["ms_ssim"],
                math.fsum(means) / len(means) if means else None,
                sum(cell["reached"] for cell in own.values()) / len(own) if own else None,
                len(common),
                len(means),
            )
        )
    return tuple(rows)


def _reached(pair: tuple[str, str], cells) -> bool:
    return all(pair in row and row[pair]["reached"] for row in cells)


def _cells(results: dict[str, dict], ablation: Ablation, rejected: Sequence[str]) -> dict[tuple[str, str], dict]:
    """The row's edits by (attribute, person)."""
    return {
        (attribute, key): cell["methods"][ablation.method]
        for key, result in measured(results).items()
        for attribute, cell in result["editing"].items()
        if attribute not in rejected
        and (attribute in HELD_OUT or not ablation.held_out)
        and ablation.method in cell.get("methods", {})
    }
