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
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor

from .directions.base import Direction, DirectionError, Step, StyleSpaceDirection, strength_tensor
from .generators.base import StyleSpace, SynthesisState
from .networks import SFENetworks
from .values import Delta, Edit, Features, Inversion, repeat_each

# Codes or feature tensors that a CPU works on at once.
_CPU_BATCH = 2


class InputError(ValueError):
    """A picture, mask or batch that a stage cannot work with."""


class Pipeline:
    """Run the stages of SFE on one set of networks. Nothing here keeps a gradient."""

    def __init__(self, networks: SFENetworks):
        self.networks = networks.eval().requires_grad_(False)
        self.spec = networks.spec
        self._unedited: WeakKeyDictionary[Inversion, Tensor] = WeakKeyDictionary()

    # Invert: (w, F_pred) = I_fse(X); F_w = G(w_0:k); F_k = I_fus(F_pred, F_w); w_E = E(X) (equations 3 to 5)

    @torch.no_grad()
    def invert(self, image: Tensor | Sequence[Tensor], all_styles: bool = False) -> Inversion:
        """Invert aligned pictures.

        image: [B,3,H,W], or a list of [3,H,W] of one size, in [-1,1]; of any size in the domain's aspect ratio,
        resized as the published code does (bilinear, align_corners off, no antialiasing). all_styles: compute
        all styles of the e4e code, not only those that delta needs.
        """
        image = image if isinstance(image, Tensor) else _batch(image)
        self._check_image(image)
        networks = self.networks
        picture = F.interpolate(
            image.to(networks.device, torch.float32), size=self.spec.encoder_size, mode="bilinear", align_corners=False
        )
        picture = picture.contiguous(memory_format=torch.channels_last)
        w_e = self._e4e(picture, None if all_styles else self.spec.delta_styles)
        w, predicted = networks.inverter(picture)
        w = w.float() + networks.generator.latent_avg

        k = self.spec.feature_layer
        state = self._run_to_k(StyleSpace.cat([self._styles(w, k), self._styles(w_e, k)]))
        n = len(image)
        F_k = networks.inverter.fuse(predicted, state.features[:n])
        return Inversion(w, w_e, F_k, self._delta_features(state[n:], w_e), state.rgb[:n], picture, self.spec.name)

    def _check_image(self, image: Tensor) -> None:
        if image.ndim != 4 or image.shape[1] != 3:
            raise InputError(f"Picture batch of shape {tuple(image.shape)}; expected [B,3,H,W], RGB.")
        problem = self.spec.crop_problem(*image.shape[:1:-1])
        if problem:
            raise InputError(f"The picture {problem}. Align and crop it first.")
        if not image.isfinite().all():
            raise InputError("The picture has values that are not finite (NaN or infinity); expected [-1,1].")

    def _e4e(self, picture: Tensor, n_styles: int | None) -> Tensor:
        """w_E: the first `n_styles` styles (None for all), average latent added."""
        available = self.networks.e4e_styles
        n = self.spec.n_styles if n_styles is None else n_styles
        if n > available:
            raise InputError(
                f"All {n} e4e styles are asked for, but this bundle was made with the first {available} only. "
                "Convert the checkpoint again without --first-styles."
            )
        code = self.networks.e4e_encoder(picture, n)
        return code.float() + self.networks.generator.latent_avg

    def _styles(self, w_plus: Tensor, layers: int) -> StyleSpace:
        """Style vectors up to outs[layers]; where the code is too short for the last RGB layer, w_0 fills it."""
        missing = layers + 1 - w_plus.shape[1]
        if missing > 0:
            w_plus = torch.cat([w_plus, w_plus[:, :1].expand(-1, missing, -1)], dim=1)
        return self.networks.generator.style_space(w_plus[:, : layers + 1], layers)

    def _delta_features(self, state: SynthesisState, code: Tensor | StyleSpace) -> Tensor:
        """Run on from layer k to the layer that delta is taken from."""
        layer = self.spec.delta_layer
        if layer == state.layer:
            return state.features
        styles = code if isinstance(code, StyleSpace) else self._styles(code, layer)
        return self.networks.generator.run(state, styles, layer, rgb=False).features

    def _run_to_k(self, styles: StyleSpace) -> SynthesisState:
        """G(w_0:k): the generator up to layer k, some codes at a time."""
        generator, k, batch = self.networks.generator, self.spec.feature_layer, len(styles.convs[0])
        states = [generator.run(generator.start(len(part.convs[0])), part, k) for part in self._parts(styles, batch)]
        features = torch.cat([state.features for state in states])
        return SynthesisState(k, features, torch.cat([state.rgb for state in states]))

    def _edit_features(self, F_k: Tensor, delta: Tensor) -> Tensor:
        """H(F_k, delta), some pictures at a time."""
        parts = zip(self._parts(F_k, len(F_k)), self._parts(delta, len(F_k)), strict=True)
        return torch.cat([self.networks.feature_editor(*part) for part in parts])

    def _parts(self, value, batch: int) -> list:
        """Split a batch so that on a CPU what is worked on stays in the cache; elsewhere all at once."""
        if self.networks.device.type != "cpu":
            return [value]
        return [value[first : first + _CPU_BATCH] for first in range(0, batch, _CPU_BATCH)]

    def with_all_styles(self, inversion: Inversion) -> Inversion:
        """Complete the e4e code, for directions that read all layers; other values stay as they are."""
        if inversion.w_e.shape[1] == self.spec.n_styles:
            return inversion
        w_e = self._e4e(inversion.picture.to(self.networks.device), None)
        return replace(inversion, w_e=w_e.to(inversion.w_e.device))

    # Apply Direction: w' = w + d; w_E' = w_E + d

    def start_edit(self, inversion: Inversion) -> Edit:
        """Begin an edit that changes nothing yet."""
        if inversion.domain != self.spec.name:
            raise InputError(f"The inversion is of {inversion.domain}; this model is {self.spec.name}. Invert again.")
        return Edit(inversion, (), inversion.w, inversion.w_e)

    @torch.no_grad()
    def apply_direction(self, source: Inversion | Edit, direction: Direction, strength: float | Tensor) -> Edit:
        """Move both codes along a direction; call again to chain.

        strength: one number, or one per picture [B]. W+ steps always act before style space steps, whatever the
        order of the calls: a W+ step after a style space step is put before it and the latter applied anew.
        """
        edit = source if isinstance(source, Edit) else self.start_edit(source)
        if direction.info.subject != self.spec.subject:
            raise DirectionError(
                f"Direction '{direction.info.name}' is for {direction.info.subject}; {self.spec.name} shows "
                f"{self.spec.subject}."
            )
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
        return self.networks.generator.style_space(edit.w.to(device)), self._styles(edit.w_e.to(device), layers)

    # Compute delta: delta = F(w_E) - F(w_E')

    @torch.no_grad()
    def compute_delta(self, edit: Edit) -> Delta:
        """Compute what the edit does to the e4e code's features, and the edited RGB skip.

        Only pictures whose first styles changed are run; for the others delta is exactly 0.
        """
        networks, k, inversion = (
            self.networks,
            self.spec.feature_layer,
            edit.inversion.to(self.networks.device),
        )
        styles, styles_e = self._edited_styles(edit)
        layer = self.spec.delta_layer
        # The RGB layers act on the skip, but not on delta.
        if edit.styles is None:
            changed = _changed([edit.w[:, : k + 1]], [edit.inversion.w[:, : k + 1]])
            changed_e = _changed([edit.w_e[:, :layer]], [edit.inversion.w_e[:, :layer]])
        else:
            before, before_e = self._styles(inversion.w, k), self._styles(inversion.w_e, layer)
            first = _first(styles, k)
            changed = _changed((*first.convs, *first.rgbs), (*before.convs, *before.rgbs))
            changed_e = _changed(styles_e.convs[:layer], before_e.convs)
        changed, changed_e = changed.to(networks.device), changed_e.to(networks.device)
        rgb, delta = inversion.rgb, torch.zeros_like(inversion.F_w_e)
        n = len(changed)
        if n + len(changed_e):
            both = StyleSpace.cat([_first(styles, k)[changed], _first(styles_e, k)[changed_e]])
            state = self._run_to_k(both)
            if n:
                rgb = rgb.index_copy(0, changed, state.rgb[:n])
            if len(changed_e):
                moved = self._delta_features(state[n:], styles_e[changed_e])
                delta = delta.index_copy(0, changed_e, inversion.F_w_e[changed_e] - moved)
        return Delta(edit, delta, rgb)

    # Mask delta: delta * (1 - protected)

    @torch.no_grad()
    def mask_delta(self, delta: Delta, mask: Tensor) -> Delta:
        """Keep delta only where the picture may change.

        mask: [B,H,W], [B,1,H,W] or [H,W] in [0,1], 1 where the picture may change (the published code's masks
        mean the opposite), of any size in the picture's aspect ratio; one mask serves the whole batch. Resized
        to delta's size (bilinear, align_corners off, no antialiasing). The edited w and the result's pixels are
        not masked.
        """
        mask = mask.to(delta.delta.device, torch.float32)
        if mask.ndim == 4 and mask.shape[1] == 1:
            mask = mask[:, 0]
        mask = mask[None] if mask.ndim == 2 else mask
        batch = len(delta.delta)
        if mask.ndim != 3 or len(mask) not in (1, batch) or 0 in mask.shape:
            raise InputError(
                f"Mask of shape {tuple(mask.shape)} for {batch} pictures; expected [H,W] or [{batch},H,W]."
            )
        if not mask.isfinite().all() or mask.min() < 0 or mask.max() > 1:
            raise InputError("The mask has values outside [0,1]; expected 1 where the picture may change, else 0.")
        problem = self.spec.crop_problem(*mask.shape[:0:-1])
        if problem:
            raise InputError(f"The mask {problem}. Draw it on the crop.")
        # The mask covers the picture, which is a band of the feature square for domains wider than high.
        side = delta.delta.shape[3]
        rows = side * self.spec.encoder_size[0] // self.spec.encoder_size[1]
        small = F.interpolate(mask[:, None], size=(rows, side), mode="bilinear", align_corners=False)
        small = F.pad(small, (0, 0, (side - rows) // 2, side - rows - (side - rows) // 2))
        return replace(delta, delta=delta.delta * small.to(delta.delta.dtype))

    # Combine deltas: different edits in different regions of one picture

    @torch.no_grad()
    def combine_deltas(self, deltas: Sequence[Delta], weights: Sequence[float] | None = None) -> Delta:
        """Add edits of the same inversion, each already masked or not: sum of weight * delta.

        The edited codes move by the same weights, w' = w + sum of weight * (w'_i - w), and so does the RGB skip,
        which is computed anew; as everywhere, they are not masked. weights: one for each delta (None: all 1).
        """
        weights = [1.0] * len(deltas) if weights is None else [float(weight) for weight in weights]
        if not deltas or len(weights) != len(deltas) or not all(map(math.isfinite, weights)):
            raise InputError(f"{len(deltas)} deltas with the weights {weights}; expected one finite number for each.")
        first = deltas[0].edit
        if any(not _same_picture(delta.edit.inversion, first.inversion) for delta in deltas):
            raise InputError("The deltas to combine are of different pictures; start both edits from one inversion.")
        delta = _weighted_sum([d.delta for d in deltas], weights)
        edits = [d.edit for d in deltas]
        steps = tuple(step for edit in edits for step in edit.steps)
        w = _moved_by([edit.w for edit in edits], first.inversion.w, weights)
        n_styles = max(edit.w_e.shape[1] for edit in edits)
        inversion = next(edit.inversion for edit in edits if edit.w_e.shape[1] == n_styles)
        w_e = _moved_by([edit.w_e for edit in edits], inversion.w_e, weights)
        combined = Edit(inversion, steps, w, w_e)
        if any(edit.styles is not None for edit in edits):
            start = self._edited_styles(self.start_edit(inversion))
            moved = [self._edited_styles(edit) for edit in edits]
            styles, styles_e = (_moved_styles([both[i] for both in moved], start[i], weights) for i in range(2))
            combined = replace(combined, styles=styles, styles_e=styles_e)
        state = self._run_to_k(_first(self._edited_styles(combined)[0], self.spec.feature_layer))
        return Delta(combined, delta, state.rgb)

    # Feature Edit: F_k' = H(F_k, delta) (equation 6)

    @torch.no_grad()
    def feature_edit(self, source: Inversion | Delta) -> Features:
        """Compute F_k' = H(F_k, delta); for an Inversion delta is 0, which is the plain inversion.

        H(F_k, 0) is computed once for an inversion and kept as long as it lives.
        """
        if isinstance(source, Inversion):
            edit = self.start_edit(source)
            source = Delta(edit, torch.zeros_like(source.F_w_e), source.rgb)
        inversion = source.edit.inversion
        edited = source.delta.flatten(1).any(dim=1)
        moved, still = edited.nonzero()[:, 0], (~edited).nonzero()[:, 0]
        F_k = inversion.F_k.to(self.networks.device)
        out = torch.empty_like(F_k)
        if self.networks.feature_editor is None:  # training phase 1: only w changes
            return Features(source.edit, F_k, source.rgb)
        if len(moved):
            out[moved] = self._edit_features(F_k[moved], source.delta[moved].to(F_k.device))
        if len(still):
            out[still] = self._unedited_features(inversion, still)
        return Features(source.edit, out, source.rgb)

    def _unedited_features(self, inversion: Inversion, index: Tensor) -> Tensor:
        """H(F_k, 0) of some pictures of an inversion; kept when it is of all of them."""
        kept = self._unedited.get(inversion)
        device = self.networks.device
        if kept is not None:
            return kept[index.to(kept.device)].to(device)
        index = index.to(inversion.F_k.device)
        F_k = inversion.F_k[index].to(device)
        zero = torch.zeros_like(inversion.F_w_e[index], device=device)
        out = self._edit_features(F_k, zero)
        if len(index) == len(inversion):
            self._unedited[inversion] = out.to(inversion.F_k.device)  # beside the inversion, which a user may move away
        return out

    # Synthesize: X' = G(F_k', w'_k+1:N)

    @torch.no_grad()
    def synthesize(self, features: Features, resolution: int | None = None) -> Tensor:
        """Make the picture [B,3,H,W], about [-1,1], float32, from F_k' and the edited w.

        resolution: stop the generator at this side of its square in px, one of `preview_resolutions`; the picture is
        its RGB skip of that size (StyleGAN2 sums the picture over the resolutions), not the full one made smaller.
        """
        networks, k = self.networks, self.spec.feature_layer
        stop = self._layer_of(resolution)
        styles, _ = self._edited_styles(features.edit)
        device = networks.device
        state = SynthesisState(k, features.F_k.to(device), features.rgb.to(device))
        return self._crop(networks.generator.run(state, styles, stop).rgb)

    @property
    def preview_resolutions(self) -> tuple[int, ...]:
        """Sides in px that `synthesize` can stop at: all after F_k, up to the full one."""
        spec = self.spec.generator
        return tuple(spec.layer_resolution(n) for n in range(1, spec.n_layers + 1, 2) if n > self.spec.feature_layer)

    def _layer_of(self, resolution: int | None) -> int | None:
        """Number of the convolution that ends a resolution, after which its RGB layer stands."""
        if resolution is None:
            return None
        if resolution not in self.preview_resolutions:
            raise InputError(
                f"The picture was asked for at {resolution} px; {self.spec.name} can be stopped at "
                f"{', '.join(map(str, self.preview_resolutions))} px (F_k comes in before that)."
            )
        return 2 * (resolution.bit_length() - 3) + 1

    def _crop(self, square: Tensor) -> Tensor:
        """Cut the picture out of the generator's square (cars: the middle rows)."""
        height = self.spec.picture_size[0] * square.shape[2] // self.spec.generator.resolution
        margin = (square.shape[2] - height) // 2
        return square[:, :, margin : square.shape[2] - margin]

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
        return self._crop(self.networks.generator(w_plus.to(self.networks.device)))


def _batch(images: Sequence[Tensor]) -> Tensor:
    """Stack pictures [3,H,W] of one size: [B,3,H,W]."""
    sizes = sorted({tuple(image.shape) for image in images})
    if len(sizes) != 1:
        raise InputError(f"Pictures of the sizes {', '.join(map(str, sizes))}; expected one size for the whole batch.")
    return torch.stack(list(images))


def _first(styles: StyleSpace, layers: int) -> StyleSpace:
    """Style vectors up to outs[layers] and the RGB layers on the way."""
    return StyleSpace(styles.convs[:layers], styles.rgbs[: (layers + 1) // 2])


def _same_picture(a: Inversion, b: Inversion) -> bool:
    return a is b or (a.domain == b.domain and a.F_k.shape == b.F_k.shape and torch.equal(a.F_k, b.F_k))


def _weighted_sum(tensors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    total = weights[0] * tensors[0]
    for weight, tensor in zip(weights[1:], tensors[1:], strict=True):
        total = total + weight * tensor.to(total.device)
    return total


def _moved_by(moved: Sequence[Tensor], start: Tensor, weights: Sequence[float]) -> Tensor:
    """start + sum of weight * (moved - start); a code with fewer styles moves the first ones only."""
    total = start.clone()
    for weight, code in zip(weights, moved, strict=True):
        n = code.shape[1] if code.ndim == 3 else total.shape[1]
        total[:, :n] += weight * (code.to(start.device)[:, :n] - start[:, :n])
    return total


def _moved_styles(moved: Sequence[StyleSpace], start: StyleSpace, weights: Sequence[float]) -> StyleSpace:
    """As `_moved_by`, for every style vector that all of them have."""
    convs, rgbs = (
        tuple(
            _moved_by(vectors, first, weights)
            for first, *vectors in zip(*(getattr(styles, kind) for styles in (start, *moved)), strict=False)
        )
        for kind in ("convs", "rgbs")
    )
    return StyleSpace(convs, rgbs)


def _changed(edited: Sequence[Tensor], original: Sequence[Tensor]) -> Tensor:
    """Numbers of the pictures that differ in any of the tensors [B,...]: [n]."""
    parts = [(a != b).flatten(1).any(dim=1) for a, b in zip(edited, original, strict=True)]
    return torch.stack(parts).any(dim=0).nonzero()[:, 0]
