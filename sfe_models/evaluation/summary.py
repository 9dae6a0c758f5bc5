"""From the results of single pictures to the numbers of a report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .editing_fid import FidEditing
from .errors import EvaluationError
from .fid import FeatureStatistics, frechet_distance
from .metrics import INFO, ROWS
from .records import Records
from .true_edits import EditRule

# The row of the editing FIDs' mean, the axis of the paper's Figure 1.
WEIGHTED = "weighted mean"


def mean(values: Iterable[float]) -> float | None:
    """Return the mean, whatever the order of the values; None of nothing."""
    values = list(values)
    return math.fsum(values) / len(values) if values else None


@dataclass(frozen=True)
class Summary:
    """The numbers of a report.

    inversion: method -> metric -> number or None; editing: attribute -> method -> "error", "reached" and more;
    rejected: attribute -> why its direction does not count; skipped: key -> why a picture was left out.
    """

    pictures: int
    inversion: dict[str, dict[str, float | None]]
    editing: dict[str, dict[str, dict]] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def measured(results: dict[str, dict]) -> dict[str, dict]:
    """Return the results of the pictures that could be read."""
    return {key: result for key, result in results.items() if "skipped" not in result}


def inversion_table(
    results: dict[str, dict], methods: Sequence[str], seconds: dict[str, float], records: Records | None = None
) -> dict[str, dict[str, float | None]]:
    """Average every metric over the pictures; None where it, or the method, is not there.

    Those of photographs are left out where nothing was measured by them.

    records: where Inception's features lie, None without them.
    """
    rows = list(measured(results).values())
    table = {}
    for method in methods:
        cells = [row["inversion"][method] for row in rows if method in row["inversion"]]
        known = {info.key for info in INFO}.union(*cells)
        numbers = {i.key: mean(cell[i.key] for cell in cells if i.key in cell) for i in ROWS if i.key in known}
        numbers["seconds"] = seconds.get(method)
        if records is not None and cells:
            numbers["fid"] = fid_between(records, rows, "real", rows, f"inverted/{method}")
        table[method] = numbers
    return table


def fid_between(
    records: Records, real: Sequence[dict], real_name: str, made: Sequence[dict], made_name: str
) -> float | None:
    """FID between features of two sets of results; None where either has fewer than two pictures."""
    sides = []
    for rows, name in ((real, real_name), (made, made_name)):
        statistics = FeatureStatistics(records.dimensions)
        for batch in records.features(name, rows):
            statistics.add(batch)
        sides.append(statistics)
    try:
        return frechet_distance(*sides)
    except EvaluationError:
        return None


def true_edit_table(
    results: dict[str, dict], attributes: Sequence[str], methods: Sequence[str], rule: EditRule
) -> tuple[dict[str, dict[str, dict]], dict[str, str]]:
    """Average the errors against the true pictures; returns the table and the rejected attributes with the reason.

    "error" and "attributes" (the judge's feature distance) are means over the `people` whom every method but "unedited"
    brought to the wanted change, so that all rows are of the same people; "error_where_reached" over those whom this
    method did; "reached" is its share of all people in whom the judge sees the change.
    """
    rows = list(measured(results).values())
    table, rejected = {}, {}
    for attribute in attributes:
        cells = [row["editing"][attribute] for row in rows if attribute in row["editing"]]
        span = mean(cell["span"] for cell in cells if cell["span"] is not None)
        if span is not None and span < rule.least_span:
            rejected[attribute] = (
                f"from end to end of its range the direction moves the attribute by {span:.3f} of its range; "
                f"at least {rule.least_span:g} is expected"
            )
            continue
        table[attribute] = _errors([cell["methods"] for cell in cells if cell["methods"]], methods)
    return table, rejected


def _errors(seen: list[dict[str, dict]], methods: Sequence[str]) -> dict[str, dict]:
    run = [name for name in methods if name != "unedited" and any(name in cell for cell in seen)]
    common = [cell for cell in seen if all(cell[name]["reached"] for name in run)] if run else []
    table = {}
    for name in methods:
        if not any(name in cell for cell in seen):
            table[name] = {"error": None, "reached": None}
            continue
        own = [cell[name] for cell in seen if cell[name]["reached"]]
        table[name] = {
            "error": mean(cell[name]["error"] for cell in common),
            "reached": len(own) / len(seen),
            "attributes": mean(cell[name]["attributes"] for cell in common),
            "error_where_reached": mean(cell["error"] for cell in own),
            "people": len(common),
        }
    return table


def fid_table(
    results: dict[str, dict], editing: FidEditing, methods: Sequence[str], records: Records
) -> dict[str, dict[str, dict]]:
    """Compute the editing FID of every method; "unedited" compares the pictures as they were before the edit.

    Of several attributes, WEIGHTED is their mean, each FID weighing as many pictures as were edited for it.
    """
    rows = measured(results)
    table = {}
    for edit in editing.edits:
        real = [row for key, row in rows.items() if editing.reference(edit, key)]
        made = [row for key, row in rows.items() if edit.label in editing.wanted(key)]
        table[edit.label] = {}
        for name in methods:
            features = "real" if name == "unedited" else f"{edit.label}/{name}"
            fid = fid_between(records, real, "real", made, features)
            numbers = {"error": None, "reached": None, "fid": fid, "edited": len(made), "real": len(real)}
            table[edit.label][name] = numbers
    of_attributes = [table[edit.label] for edit in editing.edits if edit.attribute is not None]
    if len(of_attributes) > 1:
        table[WEIGHTED] = {name: _weighted([cells[name] for cells in of_attributes]) for name in methods}
    return table


def _weighted(cells: Sequence[dict]) -> dict:
    """Mean of FIDs, each weighing its number of edited pictures; None where one is not there."""
    edited = sum(cell["edited"] for cell in cells)
    known = all(cell["fid"] is not None for cell in cells)
    fid = math.fsum(cell["fid"] * cell["edited"] for cell in cells) / edited if known and edited else None
    return {"error": None, "reached": None, "fid": fid, "edited": edited, "real": sum(cell["real"] for cell in cells)}
