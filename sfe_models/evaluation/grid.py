"""The picture grid of an evaluation: what the numbers look like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..pictures.contact_sheet import contact_sheet
from ..pictures.image_io import save_image
from .methods import Method, People
from .run import Evaluation
from .score_edits import ScoreEdit, ScoreEditing
from .summary import measured
from .true_edits import TrueEditing, true_edit

ROWS = 16


def save_grid(
    evaluation: Evaluation, results: dict[str, dict], path: Path | str, rejected: Sequence[str] = (), rows: int = ROWS
) -> Path | None:
    """Write rows of people, first the portrait; None if there is nothing to show.

    With true edits: the true picture of one attribute's change (the attributes take turns) and each method's edit at
    the strength that was found, with its L2 below ("missed" where the wanted change was out of reach). With edits of
    photographs: each method's, with dlib's distance below. Otherwise, or where no change was seen, each method's
    inversion.
    """
    readable, editing = measured(results), evaluation.editing
    images: list[Tensor] = []
    labels: list[str] = []
    columns = 1 + len(evaluation.methods)
    if isinstance(editing, TrueEditing):
        for key, attribute in _chosen(readable, editing, rejected, rows):
            pictures, texts = _edit_row(evaluation, editing, key, attribute, readable[key])
            images, labels, columns = images + pictures, labels + texts, len(pictures)
    if isinstance(editing, ScoreEditing):
        for number, key in enumerate(list(readable)[:rows]):
            edit = editing.edits[number % len(editing.edits)]
            pictures, texts = _score_row(evaluation, edit, key, readable[key])
            images, labels = images + pictures, labels + texts
    if not images:
        for key in list(readable)[:rows]:
            pictures, texts = _inversion_row(evaluation, key, readable[key])
            images, labels = images + pictures, labels + texts
    if not images:
        return None
    return save_image(contact_sheet(images, labels, columns), path)


def _chosen(
    results: dict[str, dict], editing: TrueEditing, rejected: Sequence[str], rows: int
) -> list[tuple[str, str]]:
    """Choose a person for each row, whose change of the row's attribute the judge sees."""
    names = [direction.info.name for direction in editing.directions if direction.info.name not in rejected]
    chosen: list[tuple[str, str]] = []
    for number in range(rows if names else 0):
        name = names[number % len(names)]
        taken = {key for key, _ in chosen}
        fit = (k for k, r in results.items() if k not in taken and r["editing"].get(name, {}).get("methods"))
        key = next(fit, None)
        if key is not None:
            chosen.append((key, name))
    return chosen


def _one(evaluation: Evaluation, key: str) -> People:
    return evaluation.people([key], evaluation.source.read(key)[None])


@torch.no_grad()
def _edit_row(
    evaluation: Evaluation, editing: TrueEditing, key: str, attribute: str, result: dict
) -> tuple[list[Tensor], list[str]]:
    people = _one(evaluation, key)
    direction = next(d for d in editing.directions if d.info.name == attribute)
    truth = true_edit(people.portraits, [int(key)], attribute, editing.rule, people.image.shape[-1])
    images, labels = [people.image[0], truth[0]], [f"person {key}", f"true: {attribute}"]
    cells = result["editing"][attribute]["methods"]
    for method in evaluation.methods:
        cell = cells[method.name]
        images.append(_edited(method, people, direction, cell["strength"]))
        labels.append(f"{method.name} {cell['error']:.4f}" + ("" if cell["reached"] else ", missed"))
    return images, labels


def _edited(method: Method, people: People, direction, strength: float) -> Tensor:
    return method.edited(people, [0], direction, [strength])[0]


@torch.no_grad()
def _score_row(evaluation: Evaluation, edit: ScoreEdit, key: str, result: dict) -> tuple[list[Tensor], list[str]]:
    people = _one(evaluation, key)
    images, labels = [people.image[0]], [edit.label]
    cells = result["editing"][edit.label]["methods"]
    for method in evaluation.methods:
        cell = cells[method.name]
        images.append(_edited(method, people, edit.direction, cell["strength"]))
        distance = f" {cell['dlib']:.2f}" if "dlib" in cell else ""
        labels.append(method.name + distance + ("" if cell["reached"] else ", missed"))
    return images, labels


@torch.no_grad()
def _inversion_row(evaluation: Evaluation, key: str, result: dict) -> tuple[list[Tensor], list[str]]:
    people = _one(evaluation, key)
    images, labels = [people.image[0]], [Path(key).name]
    for method in evaluation.methods:
        images.append(method.inverted(people)[0])
        labels.append(f"{method.name} {result['inversion'][method.name]['l2']:.4f}")
    return images, labels
