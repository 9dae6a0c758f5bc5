"""The SFE pipeline: one method for each stage, as in the paper, batch-first.

    inversion = pipeline.invert(image)
    edit = pipeline.apply_direction(inversion, direction, 5.0)
    delta = pipeline.compute_delta(edit)
    delta = pipeline.keep_within(delta, mask)
    features = pipeline.feature_edit(delta)
    image = pipeline.synthesize(features)

What depends on the picture alone (w, w_E, F_k, F(w_E), H(F_k, 0), the unedited picture) is computed once. Delta
reads only the first styles, so only those of e4e are computed; a picture whose first styles an edit leaves alone has
delta = 0 and takes H(F_k, 0) as it is. All of this is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from . import edit_steps, equations
from .choices import DELTA, MASK_ACTS_ON, PICTURE
from .deltas import acts, combined_delta, computed_delta, whole
from .directions.base import (
    Direction,
    Step,
    check_generator,
    check_subject,
    strength_tensor,
)
from .drafts import Drafts
from .generators.base import Generator, StyleSpace
from .inputs import InputError, check_encoders, mask_batch, picture_batch, stop_layer
from .networks import SFENetworks
from .regions import covers_all, is_seen, resized_mask, soft_mask
from .runs import NetworkRuns
from .sweeps import spread
from .values import Delta, Edit, Features, GradualInversion, Inversion, check_made_by


class Pipeline:
    """Run the stages of SFE on one set of networks. Nothing here keeps a gradient.

    drafts: makes small pictures on the way (see `synthesize`) of a generator that makes none there itself.
    """

    def __init__(self, networks: SFENetworks, variant: str = "", drafts: Drafts | None = None):
        self.networks = networks.eval().requires_grad_(False)
        self.spec, self.variant, self.drafts = networks.spec, variant, drafts
        self._runs = NetworkRuns(self.networks)
        self._unedited: WeakKeyDictionary[Inversion, Tensor] = WeakKeyDictionary()
        self._reconstructed: WeakKeyDictionary[Inversion, dict[int | None, Tensor]] = WeakKeyDictionary()

    # Invert: (w, F_pred) = I_fse(X); F_w = G(w_0:k); F_k = I_fus(F_pred, F_w); w_E = E(X) (equations 3 to 5)

    @torch.no_grad()
    def invert(self, image: Tensor | Sequence[Tensor], all_styles: bool = False) -> Inversion:
        """Invert aligned pictures.

        image: [B,3,H,W], or a list of [3,H,W] of one size, in [-1,1]; of any size in the domain's aspect ratio,
        resized as the published code does (bilinear, align_corners off, no antialiasing). all_styles: compute
        all styles of the e4e code, not only those that delta needs. Raises InputError for a generator alone.
        """
        check_encoders(self.spec)
        image = picture_batch(image, self.spec)
        networks = self.networks
        picture = equations.resized(image.to(networks.device, torch.float32), self.spec.encoder_size)
        picture = picture.contiguous(memory_format=torch.channels_last)
        w_e = self._runs.e4e_code(picture, None if all_styles else self.spec.delta_styles)
        styles_e = self._runs.styles(w_e, self.spec.feature_layer)
        inverted, state_e = self._runs.invert(picture, styles_e)
        F_w_e = self._runs.delta_features(state_e, w_e)
        return Inversion(inverted.w, w_e, inverted.F_k, F_w_e, inverted.carried, picture, *self.made_by)

    def with_all_styles(self, inversion: Inversion) -> Inversion:
        """Complete the e4e code, for directions that read all layers; other values stay as they are."""
        return edit_steps.with_all_styles(self._runs, inversion)

    def with_generator(self, generator: Generator, variant: str) -> Pipeline:
        """Make the model, without encoders, of another generator of this domain, a tuned one named `variant`."""
        return Pipeline(SFENetworks.alone(generator, self.spec.without_encoders()), variant)

    @cached_property
    def _fingerprint(self) -> str:
        return self.networks.generator.fingerprint()

    @property
    def made_by(self) -> tuple[str, str]:
        """The domain's name, and the generator's fingerprint with its variant."""
        return self.spec.name, self._fingerprint + (f"+{self.variant}" if self.variant else "")

    def check_inversion(self, inversion: Inversion, what: str = "The inversion") -> None:
        """Refuse an inversion of another model; one that does not name its generator goes by its domain's name."""
        if not isinstance(inversion, Inversion):
            raise InputError(f"{what} is of a gradual model; this model is a StyleFeatureEditor. Invert again with it.")
        check_made_by(inversion, *self.made_by, what)

    # Apply Direction: w' = w + d; w_E' = w_E + d

    def start_edit(self, inversion: Inversion) -> Edit:
        """Begin an edit that changes nothing yet."""
        self.check_inversion(inversion)
        return edit_steps.unedited(inversion)

    @torch.no_grad()
    def apply_direction(self, source: Inversion | Edit, direction: Direction, strength: float | Tensor) -> Edit:
        """Move both codes along a direction; call again to chain.

        strength: one number, or one per picture [B]. W+ steps always act before style space steps, whatever the
        order of the calls: a W+ step after a style space step is put before it and the latter applied anew.
        """
        edit = source if isinstance(source, Edit) else self.start_edit(source)
        check_subject(direction.info, self.spec.name, self.spec.subject)
        check_generator(direction.info, self._fingerprint)
        inversion = edit.inversion
        step = Step(direction, strength_tensor(strength, len(inversion), inversion.w.device))
        return edit_steps.further(self._runs, edit, step)

    # Mix Styles: w'_i = w_B,i and w_E'_i = w_E,B,i on some layers i

    @torch.no_grad()
    def mix_styles(
        self,
        source: Inversion | Edit,
        other: Inversion,
        layers: str | Sequence[int] | None = "fine",
        alpha: float = 1.0,
    ) -> Edit:
        """Take some layers of both codes from other pictures (style mixing); F_k stays that of `source`.

        other: one picture for all, or one for each; layers: as `parse_layers` reads them; alpha: 0 leaves the codes,
        1 takes the others'. It is a step of the edit as any other: W+ steps act in the order of the calls.
        """
        edit = source if isinstance(source, Edit) else self.start_edit(source)
        self.check_inversion(other, "The inversion to mix with")
        return edit_steps.further(self._runs, edit, edit_steps.mixing(edit, other, layers, alpha, self._runs))

    # Compute delta: delta = F(w_E) - F(w_E')

    @torch.no_grad()
    def compute_delta(self, edit: Edit) -> Delta:
        """Compute what the edit does to the e4e code's features, and what the generator carries beside them.

        Only pictures whose first styles changed are run; for the others delta is exactly 0.
        """
        return computed_delta(self._runs, edit)

    # Mask delta: delta * (1 - protected)

    @torch.no_grad()
    def mask_delta(self, delta: Delta, mask: Tensor) -> Delta:
        """Keep delta only where the picture may change, and nothing else: the paper's masking.

        mask: [B,H,W], [B,1,H,W] or [H,W] in [0,1], 1 where the picture may change (the published code's masks
        mean the opposite), of any size in the picture's aspect ratio; one mask serves the whole batch. Resized
        to delta's size (bilinear, align_corners off, no antialiasing). The edited w and the result's pixels are
        not masked, so that colours and light change everywhere: see `keep_within`.
        """
        mask = mask_batch(mask.to(delta.delta.device), len(delta.delta), self.spec)
        return replace(delta, delta=equations.mask_delta(delta.delta, mask, self.spec))

    @torch.no_grad()
    def keep_within(self, delta: Delta, mask: Tensor) -> Delta:
        """Keep an edit to where the picture may change: delta as `mask_delta` does, and the pixels of the picture.

        Where the mask is 0, `synthesize` makes the very pixels of the unedited inversion; the edge is soft, inside of
        the mask (see `regions.soft_mask`). Masks that follow each other are multiplied.
        """
        masked = self.mask_delta(delta, mask)
        mask = mask_batch(mask.to(delta.delta.device), len(delta.delta), self.spec)
        soft = soft_mask(mask, self.spec.picture_size)
        if covers_all(soft):
            return masked
        regions = (replace(region, mask=region.mask * soft.to(region.mask)) for region in whole(self._runs, delta))
        return replace(masked, regions=tuple(regions))

    def masked(self, delta: Delta, mask: Tensor | None, acts_on: str = PICTURE) -> Delta:
        """Mask a delta, or leave it (None); acts_on: PICTURE is `keep_within`, DELTA the paper's `mask_delta`."""
        if acts_on not in MASK_ACTS_ON:
            raise InputError(f"A mask cannot act on {acts_on!r}; expected one of {', '.join(MASK_ACTS_ON)}.")
        if mask is None:
            return delta
        return self.mask_delta(delta, mask) if acts_on == DELTA else self.keep_within(delta, mask)

    # Combine deltas: different edits in different regions of one picture

    @torch.no_grad()
    def combine_deltas(self, deltas: Sequence[Delta], weights: Sequence[float] | None = None) -> Delta:
        """Add edits of the same inversion, each already masked or not: sum of weight * delta.

        The edited codes move by the same weights, w' = w + sum of weight * (w'_i - w), and so does what the
        generator carries beside F_k, which is computed anew. Each edit is seen where its own mask lets it, both where
        two masks overlap. weights: one for each delta (None: all 1).
        """
        weights = [1.0] * len(deltas) if weights is None else [float(weight) for weight in weights]
        if not deltas or len(weights) != len(deltas) or not all(map(math.isfinite, weights)):
            raise InputError(f"{len(deltas)} deltas with the weights {weights}; expected one finite number for each.")
        return combined_delta(self._runs, deltas, weights)

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
        edited = acts(source.delta)
        moved, still = edited.nonzero()[:, 0], (~edited).nonzero()[:, 0]
        F_k = inversion.F_k.to(self.networks.device)
        if len(moved) == len(F_k):
            out = self._runs.feature_edit(F_k, source.delta.to(F_k.device))
            return Features(source.edit, out, source.carried, source.regions)
        out = torch.empty_like(F_k)
        if len(moved):
            out[moved] = self._runs.feature_edit(F_k[moved], source.delta[moved].to(F_k.device))
        if len(still):
            out[still] = self._unedited_features(inversion, still)
        return Features(source.edit, out, source.carried, source.regions)

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
    def synthesize(
        self, features: Features, resolution: int | None = None, early: Callable[[Tensor], None] | None = None
    ) -> Tensor:
        """Make the picture [B,3,H,W], about [-1,1], float32, from F_k' and the edited w.

        resolution: stop the generator at this side of its square in px, one of `preview_resolutions`; the picture is
        what the generator has made by then (StyleGAN2 sums it over the resolutions), not the full one made smaller.
        Features with regions (see `keep_within`) take one run for each region, and one for the unedited inversion,
        whose picture is kept as long as the inversion lives.

        early: called with a draft [B,3,h,w] before the rest runs; not where the model makes none, for a smaller
        resolution, or for features with regions.
        """
        stop = self._layer_of(resolution)
        if not features.regions:
            styles = self._runs.edited_styles(features.edit)[0]
            if early is not None and self.drafts is not None and stop in (None, self.spec.generator.n_layers):
                return self.drafts.picture(self.networks.generator, self.spec, features, styles, early)
            return self._picture(features.F_k, styles, features.carried, stop)
        masks = [region.mask for region in features.regions]
        rest = (1 - sum(masks)).clamp(min=0)
        seen = [region for region in features.regions if is_seen(region.mask)]
        pictures = [self._picture(features.F_k, region.styles, region.carried, stop) for region in seen]
        masks = [region.mask for region in seen]
        if is_seen(rest):
            pictures.append(self.reconstruct(features.edit.inversion, resolution))
            masks.append(rest)
        size = tuple(pictures[0].shape[2:])
        return equations.blended(pictures, [resized_mask(mask, size) for mask in masks])

    def _picture(self, F_k: Tensor, styles: StyleSpace, carried: tuple[Tensor, ...], stop: int | None) -> Tensor:
        networks, device = self.networks, self.networks.device
        styles, carried = styles.map(lambda s: s.to(device)), tuple(part.to(device) for part in carried)
        return equations.synthesize(networks.generator, self.spec, styles, F_k.to(device), carried, stop)

    @torch.no_grad()
    def reconstruct(self, inversion: Inversion, resolution: int | None = None) -> Tensor:
        """Make the picture of an inversion without an edit, as `synthesize` does; kept as long as it lives."""
        kept = self._reconstructed.setdefault(inversion, {})
        if resolution not in kept:
            picture = self.synthesize(self.feature_edit(inversion), resolution)
            kept[resolution] = picture.to(inversion.F_k.device)
        return kept[resolution].to(self.networks.device)

    @property
    def preview_resolutions(self) -> tuple[int, ...]:
        """Sides in px that `synthesize` can stop at: all after F_k, up to the full one."""
        return tuple(self.spec.preview_layers(self.spec.feature_layer))

    def _layer_of(self, resolution: int | None) -> int | None:
        return stop_layer(resolution, self.spec, self.spec.feature_layer, "F_k comes in")

    # All in one

    def edit(
        self,
        source: Tensor | Inversion,
        steps: Sequence[tuple[Direction, float | Tensor]] = (),
        mask: Tensor | None = None,
        mask_acts_on: str = PICTURE,
    ) -> Tensor:
        """Edit pictures: invert if need be, apply the steps in turn, return [B,3,H,W].

        Without steps the result is the inversion. mask_acts_on: one of `choices.MASK_ACTS_ON`, see `masked`.
        """
        inversion = source if isinstance(source, Inversion | GradualInversion) else self.invert(source)
        edit = self.start_edit(inversion)
        for direction, strength in steps:
            edit = self.apply_direction(edit, direction, strength)
        delta = self.masked(self.compute_delta(edit), mask, mask_acts_on)
        return self.synthesize(self.feature_edit(delta))

    def sweep(
        self,
        inversion: Inversion,
        direction: Direction,
        strengths: Sequence[float] | Tensor,
        mask: Tensor | None = None,
        mask_acts_on: str = PICTURE,
    ) -> Tensor:
        """Edit every picture with every strength, as one batch: [B,S,3,H,W]; mask: as `edit` takes it."""
        repeated, values, mask = spread(inversion, strengths, mask, self.spec)
        batch, count = len(inversion), len(values) // len(inversion)
        edit = self.apply_direction(repeated, direction, values)
        delta = self.masked(self.compute_delta(edit), mask, mask_acts_on)
        if not acts(delta.delta).all():
            unedited = self._unedited_features(inversion, torch.arange(batch))
            self._unedited[edit.inversion] = unedited.repeat_interleave(count, dim=0)
        if delta.regions:
            unedited = self.reconstruct(inversion)
            self._reconstructed[edit.inversion] = {None: unedited.repeat_interleave(count, dim=0)}
        images = self.synthesize(self.feature_edit(delta))
        return images.unflatten(0, (batch, count))

    @torch.no_grad()
    def generate_from(self, w_plus: Tensor) -> Tensor:
        """Make pictures [B,3,H,W] from W+ codes alone, as e4e does, without any feature."""
        return equations.cropped(self.networks.generator(w_plus.to(self.networks.device)), self.spec)
