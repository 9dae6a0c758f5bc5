"""The SFE pipeline: one method for each stage, as in the paper, batch-first.

    inversion = pipeline.invert(image)
    edit = pipeline.apply_direction(inversion, direction, 5.0)
    delta = pipeline.compute_delta(edit)
    delta = pipeline.mask_delta(delta, mask)
    features = pipeline.feature_edit(delta)
    image = pipeline.synthesize(features)

What depends on the picture alone (w, w_E, F_k, F(w_E), H(F_k, 0)) is computed once. Delta reads only the first
styles, so only those of e4e are computed; a picture whose first styles an edit leaves alone has delta = 0 and
takes H(F_k, 0) as it is. All of this is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from . import equations
from .directions.base import (
    Direction,
    DirectionError,
    Step,
    StyleSpaceDirection,
    check_generator,
    check_subject,
    strength_tensor,
)
from .generators.base import StyleSpace
from .inputs import InputError, mask_batch, picture_batch
from .networks import SFENetworks
from .runs import NetworkRuns
from .values import Delta, Edit, Features, Inversion, repeat_each, same_pictures


class Pipeline:
    """Run the stages of SFE on one set of networks. Nothing here keeps a gradient."""

    def __init__(self, networks: SFENetworks):
        self.networks = networks.eval().requires_grad_(False)
        self.spec = networks.spec
        self._runs = NetworkRuns(self.networks)
        self._unedited: WeakKeyDictionary[Inversion, Tensor] = WeakKeyDictionary()

    # Invert: (w, F_pred) = I_fse(X); F_w = G(w_0:k); F_k = I_fus(F_pred, F_w); w_E = E(X) (equations 3 to 5)

    @torch.no_grad()
    def invert(self, image: Tensor | Sequence[Tensor], all_styles: bool = False) -> Inversion:
        """Invert aligned pictures.

        image: [B,3,H,W], or a list of [3,H,W] of one size, in [-1,1]; of any size in the domain's aspect ratio,
        resized as the published code does (bilinear, align_corners off, no antialiasing). all_styles: compute
        all styles of the e4e code, not only those that delta needs.
        """
        image = picture_batch(image, self.spec)
        networks = self.networks
        picture = equations.resized(image.to(networks.device, torch.float32), self.spec.encoder_size)
        picture = picture.contiguous(memory_format=torch.channels_last)
        w_e = self._runs.e4e_code(picture, None if all_styles else self.spec.delta_styles)
        styles_e = self._runs.styles(w_e, self.spec.feature_layer)
        inverted, state_e = self._runs.invert(picture, styles_e)
        F_w_e = self._runs.delta_features(state_e, w_e)
        return Inversion(inverted.w, w_e, inverted.F_k, F_w_e, inverted.carried, picture, *self._made_by)

    def with_all_styles(self, inversion: Inversion) -> Inversion:
        """Complete the e4e code, for directions that read all layers; other values stay as they are."""
        if inversion.w_e.shape[1] == self.spec.n_styles:
            return inversion
        w_e = self._runs.e4e_code(inversion.picture.to(self.networks.device))
        return replace(inversion, w_e=w_e.to(inversion.w_e.device))

    @cached_property
    def _made_by(self) -> tuple[str, str]:
        """The domain's name and the generator's fingerprint."""
        return self.spec.name, self.networks.generator.fingerprint()

    def check_inversion(self, inversion: Inversion, what: str = "The inversion") -> None:
        """Refuse an inversion of another model; one that does not name its generator goes by its domain's name."""
        name, generator = self._made_by
        if inversion.domain != name:
            raise InputError(f"{what} is of {inversion.domain}; this model is {name}. Invert again.")
        if inversion.generator not in ("", generator):
            raise InputError(
                f"{what} is of another generator than this model's: its weights have the fingerprint "
                f"{inversion.generator}, these {generator}. Invert again."
            )

    # Apply Direction: w' = w + d; w_E' = w_E + d

    def start_edit(self, inversion: Inversion) -> Edit:
        """Begin an edit that changes nothing yet."""
        self.check_inversion(inversion)
        return Edit(inversion, (), inversion.w, inversion.w_e)

    @torch.no_grad()
    def apply_direction(self, source: Inversion | Edit, direction: Direction, strength: float | Tensor) -> Edit:
        """Move both codes along a direction; call again to chain.

        strength: one number, or one per picture [B]. W+ steps always act before style space steps, whatever the
        order of the calls: a W+ step after a style space step is put before it and the latter applied anew.
        """
        edit = source if isinstance(source, Edit) else self.start_edit(source)
        check_subject(direction.info, self.spec.name, self.spec.subject)
        check_generator(direction.info, self._made_by[1])
        inversion = edit.inversion
        step = Step(direction, strength_tensor(strength, len(inversion), inversion.w.device))
        completed = self.with_all_styles(inversion) if direction.reads_all_layers else inversion
        if completed is inversion and (edit.styles is None or isinstance(direction, StyleSpaceDirection)):
            return self._apply(edit, step)
        steps = sorted((*edit.steps, step), key=lambda s: isinstance(s.direction, StyleSpaceDirection))
        edit = self.start_edit(completed)
        for step in steps:
            edit = self._apply(edit, step)
        return edit

    def _apply(self, edit: Edit, step: Step) -> Edit:
        move, steps = step.direction.move, (*edit.steps, step)
        if not isinstance(step.direction, StyleSpaceDirection):
            return replace(edit, steps=steps, w=move(edit.w, step.strength), w_e=move(edit.w_e, step.strength))
        styles, styles_e = self._edited_styles(edit)
        return replace(edit, steps=steps, styles=move(styles, step.strength), styles_e=move(styles_e, step.strength))

    def _edited_styles(self, edit: Edit) -> tuple[StyleSpace, StyleSpace]:
        """All style vectors of the edited w, and those of the edited w_E as far as delta needs them."""
        device = self.networks.device
        if edit.styles is not None:
            return edit.styles.map(lambda s: s.to(device)), edit.styles_e.map(lambda s: s.to(device))
        layers = self.spec.n_styles - 1 if edit.w_e.shape[1] == self.spec.n_styles else self.spec.delta_layer
        return self.networks.generator.style_space(edit.w.to(device)), self._runs.styles(edit.w_e.to(device), layers)

    # Compute delta: delta = F(w_E) - F(w_E')

    @torch.no_grad()
    def compute_delta(self, edit: Edit) -> Delta:
        """Compute what the edit does to the e4e code's features, and what the generator carries beside them.

        Only pictures whose first styles changed are run; for the others delta is exactly 0.
        """
        networks, k = self.networks, self.spec.feature_layer
        inversion = edit.inversion.to(networks.device)
        styles, styles_e = self._edited_styles(edit)
        layer = self.spec.delta_layer
        # What makes pictures on the way to k reads one latent more, but does not act on delta.
        if edit.styles is None:
            changed = _changed([edit.w[:, : k + 1]], [edit.inversion.w[:, : k + 1]])
            changed_e = _changed([edit.w_e[:, :layer]], [edit.inversion.w_e[:, :layer]])
        else:
            before, before_e = self._runs.styles(inversion.w, k), self._runs.styles(inversion.w_e, layer)
            first = networks.generator.first_styles(styles, k)
            changed = _changed((*first.convs, *first.rgbs), (*before.convs, *before.rgbs))
            changed_e = _changed(styles_e.convs[:layer], before_e.convs)
        changed, changed_e = changed.to(networks.device), changed_e.to(networks.device)
        carried, delta = inversion.carried, torch.zeros_like(inversion.F_w_e)
        n = len(changed)
        if n + len(changed_e):
            first, first_e = (networks.generator.first_styles(part, k) for part in (styles, styles_e))
            state = self._runs.to_k(StyleSpace.cat([first[changed], first_e[changed_e]]))
            if n:
                carried = tuple(
                    old.index_copy(0, changed, new) for old, new in zip(carried, state[:n].carried, strict=True)
                )
            if len(changed_e):
                moved = self._runs.delta_features(state[n:], styles_e[changed_e])
                delta = delta.index_copy(0, changed_e, equations.delta(inversion.F_w_e[changed_e], moved))
        return Delta(edit, delta, carried)

    # Mask delta: delta * (1 - protected)

    @torch.no_grad()
    def mask_delta(self, delta: Delta, mask: Tensor) -> Delta:
        """Keep delta only where the picture may change.

        mask: [B,H,W], [B,1,H,W] or [H,W] in [0,1], 1 where the picture may change (the published code's masks
        mean the opposite), of any size in the picture's aspect ratio; one mask serves the whole batch. Resized
        to delta's size (bilinear, align_corners off, no antialiasing). The edited w and the result's pixels are
        not masked.
        """
        mask = mask_batch(mask.to(delta.delta.device), len(delta.delta), self.spec)
        return replace(delta, delta=equations.mask_delta(delta.delta, mask, self.spec))

    # Combine deltas: different edits in different regions of one picture

    @torch.no_grad()
    def combine_deltas(self, deltas: Sequence[Delta], weights: Sequence[float] | None = None) -> Delta:
        """Add edits of the same inversion, each already masked or not: sum of weight * delta.

        The edited codes move by the same weights, w' = w + sum of weight * (w'_i - w), and so does what the
        generator carries beside F_k, which is computed anew; as everywhere, they are not masked. weights: one for each
        delta (None: all 1).
        """
        weights = [1.0] * len(deltas) if weights is None else [float(weight) for weight in weights]
        if not deltas or len(weights) != len(deltas) or not all(map(math.isfinite, weights)):
            raise InputError(f"{len(deltas)} deltas with the weights {weights}; expected one finite number for each.")
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
            start = self._edited_styles(self.start_edit(inversion))
            moved = [self._edited_styles(edit) for edit in edits]
            styles, styles_e = (
                equations.moved_styles([both[i] for both in moved], start[i], weights) for i in range(2)
            )
            combined = replace(combined, styles=styles, styles_e=styles_e)
        styles, _ = self._edited_styles(combined)
        state = self._runs.to_k(self.networks.generator.first_styles(styles, self.spec.feature_layer))
        return Delta(combined, delta, state.carried)

    # Feature Edit: F_k' = H(F_k, delta) (equation 6)

    @torch.no_grad()
    def feature_edit(self, source: Inversion | Delta) -> Features:
        """Compute F_k' = H(F_k, delta); for an Inversion delta is 0, which is the plain inversion.

        H(F_k, 0) is computed once for an inversion and kept as long as it lives.
        """
        if isinstance(source, Inversion):
            edit = self.start_edit(source)
            source = Delta(edit, torch.zeros_like(source.F_w_e), source.carried)
        inversion = source.edit.inversion
        edited = source.delta.flatten(1).any(dim=1)
        moved, still = edited.nonzero()[:, 0], (~edited).nonzero()[:, 0]
        F_k = inversion.F_k.to(self.networks.device)
        out = torch.empty_like(F_k)
        if self.networks.feature_editor is None:  # training phase 1: only w changes
            return Features(source.edit, F_k, source.carried)
        if len(moved):
            out[moved] = self._runs.feature_edit(F_k[moved], source.delta[moved].to(F_k.device))
        if len(still):
            out[still] = self._unedited_features(inversion, still)
        return Features(source.edit, out, source.carried)

    def _unedited_features(self, inversion: Inversion, index: Tensor) -> Tensor:
        """H(F_k, 0) of some pictures of an inversion; kept when it is of all of them."""
        kept = self._unedited.get(inversion)
        device = self.networks.device
        if kept is not None:
            return kept[index.to(kept.device)].to(device)
        index = index.to(inversion.F_k.device)
        F_k = inversion.F_k[index].to(device)
        zero = torch.zeros_like(inversion.F_w_e[index], device=device)
        out = self._runs.feature_edit(F_k, zero)
        if len(index) == len(inversion):
            self._unedited[inversion] = out.to(inversion.F_k.device)  # beside the inversion, which a user may move away
        return out

    # Synthesize: X' = G(F_k', w'_k+1:N)

    @torch.no_grad()
    def synthesize(self, features: Features, resolution: int | None = None) -> Tensor:
        """Make the picture [B,3,H,W], about [-1,1], float32, from F_k' and the edited w.

        resolution: stop the generator at this side of its square in px, one of `preview_resolutions`; the picture is
        what the generator has made by then (StyleGAN2 sums it over the resolutions), not the full one made smaller.
        """
        networks, device = self.networks, self.networks.device
        stop = self._layer_of(resolution)
        styles, _ = self._edited_styles(features.edit)
        carried = tuple(part.to(device) for part in features.carried)
        return equations.synthesize(networks.generator, self.spec, styles, features.F_k.to(device), carried, stop)

    @property
    def preview_resolutions(self) -> tuple[int, ...]:
        """Sides in px that `synthesize` can stop at: all after F_k, up to the full one."""
        layers = self.spec.generator.picture_layers
        return tuple(side for side, layer in layers.items() if layer > self.spec.feature_layer)

    def _layer_of(self, resolution: int | None) -> int | None:
        """Number of the layer after which there is a picture of this resolution."""
        if resolution is None:
            return None
        if resolution not in self.preview_resolutions:
            raise InputError(
                f"The picture was asked for at {resolution} px; {self.spec.name} can be stopped at "
                f"{', '.join(map(str, self.preview_resolutions))} px (F_k comes in before that)."
            )
        return self.spec.generator.picture_layers[resolution]

    # All in one

    def edit(
        self,
        source: Tensor | Inversion,
        steps: Sequence[tuple[Direction, float | Tensor]] = (),
        mask: Tensor | None = None,
    ) -> Tensor:
        """Edit pictures: invert if need be, apply the steps in turn, return [B,3,H,W].

        Without steps the result is the inversion.
        """
        inversion = source if isinstance(source, Inversion) else self.invert(source)
        edit = self.start_edit(inversion)
        for direction, strength in steps:
            edit = self.apply_direction(edit, direction, strength)
        delta = self.compute_delta(edit)
        return self.synthesize(self.feature_edit(delta if mask is None else self.mask_delta(delta, mask)))

    def sweep(
        self,
        inversion: Inversion,
        direction: Direction,
        strengths: Sequence[float] | Tensor,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Edit every picture with every strength, as one batch: [B,S,3,H,W]."""
        values = torch.as_tensor(strengths, dtype=torch.float32)
        if values.ndim != 1 or not len(values):
            raise DirectionError(f"Strengths of shape {tuple(values.shape)}; expected a list of numbers.")
        batch = len(inversion)
        if mask is not None and mask.ndim > 2 and len(mask) == batch:
            mask = mask.repeat_interleave(len(values), dim=0)
        repeated = repeat_each(inversion, len(values))
        edit = self.apply_direction(repeated, direction, values.repeat(batch))
        delta = self.compute_delta(edit)
        delta = delta if mask is None else self.mask_delta(delta, mask)
        if not delta.delta.flatten(1).any(dim=1).all():
            unedited = self._unedited_features(inversion, torch.arange(batch))
            self._unedited[edit.inversion] = unedited.repeat_interleave(len(values), dim=0)
        images = self.synthesize(self.feature_edit(delta))
        return images.unflatten(0, (batch, len(values)))

    @torch.no_grad()
    def generate_from(self, w_plus: Tensor) -> Tensor:
        """Make pictures [B,3,H,W] from W+ codes alone, as e4e does, without any feature."""
        return equations.cropped(self.networks.generator(w_plus.to(self.networks.device)), self.spec)


def _changed(edited: Sequence[Tensor], original: Sequence[Tensor]) -> Tensor:
    """Numbers of the pictures that differ in any of the tensors [B,...]: [n]."""
    parts = [(a != b).flatten(1).any(dim=1) for a, b in zip(edited, original, strict=True)]
    return torch.stack(parts).any(dim=0).nonzero()[:, 0]
