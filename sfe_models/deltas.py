"""What an edit does to the features: delta of one edit, and of several in different regions of one picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from . import equations
from .generators.base import StyleSpace
from .inputs import InputError
from .regions import full_mask, seen_together
from .runs import NetworkRuns
from .values import Delta, Edit, Inversion, Region, same_pictures


def computed_delta(runs: NetworkRuns, edit: Edit) -> Delta:
    """delta = F(w_E) - F(w_E') and what the generator carries, of the pictures whose first styles changed."""
    device, spec, generator = runs.networks.device, runs.spec, runs.networks.generator
    inversion, k, layer = edit.inversion.to(device), spec.feature_layer, spec.delta_layer
    styles, styles_e = runs.edited_styles(edit)
    # What makes pictures on the way to k reads one latent more, but does not act on delta.
    if edit.styles is None:
        changed = _changed([edit.w[:, : k + 1]], [edit.inversion.w[:, : k + 1]])
        changed_e = _changed([edit.w_e[:, :layer]], [edit.inversion.w_e[:, :layer]])
    else:
        before, before_e = runs.styles(inversion.w, k), runs.styles(inversion.w_e, layer)
        first = generator.first_styles(styles, k)
        changed = _changed((*first.convs, *first.rgbs), (*before.convs, *before.rgbs))
        changed_e = _changed(styles_e.convs[:layer], before_e.convs)
    if not inversion.carried:
        changed = changed[:0]  # a run of w' to k would bring nothing else
    changed, changed_e = changed.to(device), changed_e.to(device)
    carried, n, moved = inversion.carried, len(changed), None
    if n + len(changed_e):
        first, first_e = (generator.first_styles(part, k) for part in (styles, styles_e))
        state = runs.to_k(StyleSpace.cat([first[changed], first_e[changed_e]]))
        if n:
            carried = tuple(
                old.index_copy(0, changed, new) for old, new in zip(carried, state[:n].carried, strict=True)
            )
        if len(changed_e):
            moved = runs.delta_features(state[n:], styles_e[changed_e])
    if len(changed_e) == len(edit):  # copies nothing
        return Delta(edit, equations.delta(inversion.F_w_e, moved), carried)
    delta = torch.zeros_like(inversion.F_w_e)
    if moved is not None:
        delta.index_copy_(0, changed_e, equations.delta(inversion.F_w_e[changed_e], moved))
    return Delta(edit, delta, carried)


def acts(delta: Tensor) -> Tensor:
    """Say which pictures' delta [B,C,r,r] is not 0 everywhere: [B]."""
    return (delta.amax(dim=(1, 2, 3)) != 0) | (delta.amin(dim=(1, 2, 3)) != 0)  # `any` takes 30 times as long


def combined_delta(runs: NetworkRuns, deltas: Sequence[Delta], weights: Sequence[float]) -> Delta:
    """Sum of weight * delta, and of the codes' moves; raises InputError for deltas of different pictures."""
    first = deltas[0].edit
    others = [delta.edit.inversion for delta in deltas]
    if any(len(o) != len(first) or not same_pictures(o, first.inversion) for o in others):
        raise InputError("The deltas to combine are of different pictures; start both edits from one inversion.")
    delta = equations.weighted_sum([d.delta for d in deltas], weights)
    edits = [d.edit for d in deltas]
    steps = tuple(step for edit in edits for step in edit.steps)
    w = equations.moved_by([edit.w for edit in edits], first.inversion.w, weights)
    n_styles = max(edit.w_e.shape[1] for edit in edits)
    inversion = next(edit.inversion for edit in edits if edit.w_e.shape[1] == n_styles)
    w_e = equations.moved_by([edit.w_e for edit in edits], inversion.w_e, weights)
    combined = Edit(inversion, steps, w, w_e)
    if any(edit.styles is not None for edit in edits):
        start = runs.edited_styles(_unedited(inversion))
        moved = [runs.edited_styles(edit) for edit in edits]
        styles, styles_e = (equations.moved_styles([both[i] for both in moved], start[i], weights) for i in range(2))
        combined = Edit(inversion, steps, w, w_e, styles, styles_e)
    carried = _carried(runs, runs.edited_styles(combined)[0], inversion)
    return Delta(combined, delta, carried, _combined_regions(runs, deltas, weights))


def whole(runs: NetworkRuns, delta: Delta) -> tuple[Region, ...]:
    """The regions of a delta; of one that no mask keeps to a part, the whole picture as one."""
    if delta.regions:
        return delta.regions
    mask = full_mask(len(delta), runs.spec).to(delta.delta.device)
    return (Region(mask, runs.edited_styles(delta.edit)[0], delta.carried),)


def _combined_regions(runs: NetworkRuns, deltas: Sequence[Delta], weights: Sequence[float]) -> tuple[Region, ...]:
    """Where which of the edits are seen; nothing where all of them are seen everywhere."""
    if not any(delta.regions for delta in deltas):
        return ()
    inversion = deltas[0].edit.inversion
    start = runs.edited_styles(_unedited(inversion))[0]
    choices = [whole(runs, delta) for delta in deltas]
    found = []
    for chosen, mask in seen_together([[r.mask.to(deltas[0].delta.device) for r in regions] for regions in choices]):
        seen = [start if i is None else regions[i].styles for i, regions in zip(chosen, choices, strict=True)]
        styles = equations.moved_styles(seen, start, weights)
        found.append(Region(mask, styles, _carried(runs, styles, inversion)))
    if found:
        return tuple(found)
    nothing = torch.zeros_like(full_mask(len(inversion), runs.spec)).to(deltas[0].delta.device)
    return (Region(nothing, start, inversion.carried),)


def _unedited(inversion: Inversion) -> Edit:
    return Edit(inversion, (), inversion.w, inversion.w_e)


def _carried(runs: NetworkRuns, styles: StyleSpace, before: Inversion) -> tuple[Tensor, ...]:
    """What the generator carries at k for other styles; nothing where it carries nothing at all."""
    if not before.carried:
        return ()
    return runs.to_k(runs.networks.generator.first_styles(styles, runs.spec.feature_layer)).carried


def _changed(edited: Sequence[Tensor], original: Sequence[Tensor]) -> Tensor:
    """Numbers of the pictures that differ in any of the tensors [B,...]: [n]."""
    parts = [(a != b).flatten(1).any(dim=1) for a, b in zip(edited, original, strict=True)]
    return torch.stack(parts).any(dim=0).nonzero()[:, 0]
