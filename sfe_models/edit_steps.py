"""The steps of an edit, one after the other: directions, and layers taken from other pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from . import equations
from .directions.base import Step, StyleSpaceDirection
from .directions.layers import parse_layers
from .inputs import InputError
from .runs import NetworkRuns
from .values import Edit, Inversion, Mix, repeat_each


def unedited(inversion: Inversion) -> Edit:
    """Begin an edit that changes nothing yet."""
    return Edit(inversion, (), inversion.w, inversion.w_e)


def with_all_styles(runs: NetworkRuns, inversion: Inversion) -> Inversion:
    """Complete the e4e code, for directions that read all layers; other values stay as they are."""
    if inversion.w_e.shape[1] == runs.spec.n_styles:
        return inversion
    w_e = runs.e4e_code(inversion.picture.to(runs.networks.device))
    return replace(inversion, w_e=w_e.to(inversion.w_e.device))


def mixing(edit: Edit, other: Inversion, layers: str | Sequence[int] | None, alpha: float, runs: NetworkRuns) -> Mix:
    """Make the step that takes layers from other pictures: one for all of the edit's, or one for each."""
    if len(other) not in (1, len(edit)):
        raise InputError(f"{len(other)} pictures to mix {len(edit)} with; expected one, or one for each.")
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha is {alpha}; expected a number from 0 (nothing) to 1 (the other's layers).")
    other = other if len(other) == len(edit) else repeat_each(other, len(edit))
    return Mix(other, parse_layers(layers, runs.spec.generator), float(alpha))


def further(runs: NetworkRuns, edit: Edit, step: Step | Mix) -> Edit:
    """Add a step to an edit; steps in style space act after all others, whatever the order they were added in."""
    inversion = edit.inversion
    if isinstance(step, Step) and step.direction.reads_all_layers:
        inversion = with_all_styles(runs, inversion)
    if inversion is edit.inversion and (edit.styles is None or _acts_late(step)):
        return _applied(runs, edit, step)
    steps = sorted((*edit.steps, step), key=_acts_late)
    edit = unedited(inversion)
    for step in steps:
        edit = _applied(runs, edit, step)
    return edit


def _acts_late(step: Step | Mix) -> bool:
    return isinstance(step, Step) and isinstance(step.direction, StyleSpaceDirection)


def _applied(runs: NetworkRuns, edit: Edit, step: Step | Mix) -> Edit:
    steps = (*edit.steps, step)
    if _acts_late(step):
        styles, styles_e = (step.direction.move(part, step.strength) for part in runs.edited_styles(edit))
        return replace(edit, steps=steps, styles=styles, styles_e=styles_e)
    w, w_e = _mixed(runs, edit, step) if isinstance(step, Mix) else _moved(edit, step)
    return replace(edit, steps=steps, w=w, w_e=w_e)


def _moved(edit: Edit, step: Step) -> tuple[Tensor, Tensor]:
    """w' = w + d; w_E' = w_E + d."""
    return step.direction.move(edit.w, step.strength), step.direction.move(edit.w_e, step.strength)


def _mixed(runs: NetworkRuns, edit: Edit, step: Mix) -> tuple[Tensor, Tensor]:
    other = step.other
    if other.w_e.shape[1] < edit.w_e.shape[1]:
        other = with_all_styles(runs, other)
    codes = (edit.w, other.w), (edit.w_e, other.w_e)
    return tuple(equations.mixed(own, its, step.layers, step.alpha) for own, its in codes)
