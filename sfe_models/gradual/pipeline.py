"""The pipeline of a gradual model (a reconstruction after GradStyle), with the verbs of `Pipeline`.

    inversion = pipeline.invert(image)
    edit = pipeline.apply_direction(inversion, direction, 5.0)
    image = pipeline.synthesize(edit)

There is no delta and no Feature Editor: details are aligned while the edited picture is made. The Aligners work
without an edit too, so that a picture changes smoothly with the strength.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NoReturn

import torch
from torch import Tensor

from .. import equations
from ..choices import MASK_ACTS_ON, PICTURE
from ..directions.base import (
    Direction,
    Step,
    StyleSpaceDirection,
    check_generator,
    check_subject,
    strength_tensor,
)
from ..generators.base import StyleSpace
from ..inputs import InputError, mask_batch, picture_batch, stop_layer
from ..regions import covers_all, resized_mask, soft_mask
from ..sweeps import spread
from ..values import GradualEdit, GradualInversion, Inversion, check_made_by
from .networks import GradualNetworks
from .streams import Details, edit, encode, reconstruct

# Pictures that run together: the scores of attention are the square of a stage's cells.
_AT_ONCE = 4


class GradualPipeline:
    """Invert and edit with one set of networks. Nothing here keeps a gradient.

    aligned: False takes details as they lie, for comparison.
    """

    def __init__(self, networks: GradualNetworks, aligned: bool = True):
        self.networks = networks.eval().requires_grad_(False)
        self.spec, self.aligned = networks.spec, aligned

    # Encoding Phase and Reconstruction Stream

    @torch.no_grad()
    def invert(self, image: Tensor | Sequence[Tensor]) -> GradualInversion:
        """Invert aligned pictures; image as `Pipeline.invert` takes it."""
        image = picture_batch(image, self.spec).to(self.networks.device, torch.float32)
        picture = equations.resized(image, self.spec.encoder_size).contiguous(memory_format=torch.channels_last)
        return GradualInversion.cat([self._invert(part) for part in picture.split(_AT_ONCE)])

    def _invert(self, picture: Tensor) -> GradualInversion:
        generator, parts = self.networks.generator, self.networks.parts
        w = equations.e4e_code(self.networks.e4e_encoder, generator, picture)
        styles = generator.style_space(w)
        maps = encode(generator, parts, self.spec, picture, styles)
        _, details = reconstruct(generator, parts, styles, maps, stop_layer=parts.gradual.stages[-1])
        return GradualInversion(w, details.residuals, details.features, picture, *self.made_by)

    @cached_property
    def made_by(self) -> tuple[str, str]:
        """The domain's name and the generator's fingerprint."""
        return self.spec.name, self.networks.generator.fingerprint()

    def check_inversion(self, inversion: GradualInversion, what: str = "The inversion") -> None:
        """Refuse an inversion of another model or of another kind of model."""
        if not isinstance(inversion, GradualInversion):
            raise InputError(f"{what} is of a StyleFeatureEditor; this model is a gradual one. Invert again with it.")
        check_made_by(inversion, *self.made_by, what)

    # Apply Direction: w' = w + d

    def start_edit(self, inversion: GradualInversion) -> GradualEdit:
        """Begin an edit that changes nothing yet."""
        self.check_inversion(inversion)
        return GradualEdit(inversion, (), inversion.w)

    @torch.no_grad()
    def apply_direction(
        self, source: GradualInversion | GradualEdit, direction: Direction, strength: float | Tensor
    ) -> GradualEdit:
        """Move the code along a direction; call again to chain. As in `Pipeline`, W+ steps come before style space."""
        edited = source if isinstance(source, GradualEdit) else self.start_edit(source)
        check_subject(direction.info, self.spec.name, self.spec.subject)
        check_generator(direction.info, self.made_by[1])
        step = Step(direction, strength_tensor(strength, len(edited), edited.w.device))
        steps = sorted((*edited.steps, step), key=lambda s: isinstance(s.direction, StyleSpaceDirection))
        edited = self.start_edit(edited.inversion)
        for step in steps:
            edited = self._apply(edited, step)
        return edited

    def _apply(self, edited: GradualEdit, step: Step) -> GradualEdit:
        move, steps = step.direction.move, (*edited.steps, step)
        if not isinstance(step.direction, StyleSpaceDirection):
            return replace(edited, steps=steps, w=move(edited.w, step.strength))
        return replace(edited, steps=steps, styles=move(self._styles(edited), step.strength))

    def _styles(self, edited: GradualEdit) -> StyleSpace:
        device = self.networks.device
        if edited.styles is not None:
            return edited.styles.map(lambda s: s.to(device))
        return self.networks.generator.style_space(edited.w.to(device))

    # Editing Stream

    @torch.no_grad()
    def synthesize(
        self,
        edited: GradualEdit,
        resolution: int | None = None,
        mask: Tensor | None = None,
        mask_acts_on: str = PICTURE,
    ) -> Tensor:
        """Make the edited picture [B,3,H,W], about [-1,1], float32.

        resolution: one of `preview_resolutions`. mask: [B,H,W], [B,1,H,W] or [H,W] in [0,1], 1 where the picture may
        change; elsewhere every stage goes on from its features without the edit. mask_acts_on: one of
        `choices.MASK_ACTS_ON`: PICTURE also takes the pixels outside of it from the unedited inversion, through a soft
        edge (see `regions.soft_mask`); DELTA leaves it at the features, so that colours and light change everywhere.
        """
        if mask_acts_on not in MASK_ACTS_ON:
            raise InputError(f"A mask cannot act on {mask_acts_on!r}; expected one of {', '.join(MASK_ACTS_ON)}.")
        stop = self._layer_of(resolution)
        if mask is not None:
            mask = mask_batch(mask, len(edited), self.spec).to(self.networks.device).expand(len(edited), -1, -1)
        made = self._synthesize_parts(edited, stop, mask)
        soft = None if mask is None or mask_acts_on != PICTURE else soft_mask(mask, self.spec.picture_size)
        if soft is None or covers_all(soft):
            return made
        unedited = self._synthesize_parts(self.start_edit(edited.inversion), stop, None)
        soft = resized_mask(soft, made.shape[2:])
        return equations.blended([made, unedited], [soft, 1 - soft])

    def _synthesize_parts(self, edited: GradualEdit, stop: int | None, mask: Tensor | None) -> Tensor:
        made = []
        for first in range(0, len(edited), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            made.append(self._synthesize(edited[part], stop, None if mask is None else mask[part]))
        return torch.cat(made)

    def _synthesize(self, edited: GradualEdit, stop: int | None, mask: Tensor | None) -> Tensor:
        generator, inversion = self.networks.generator, edited.inversion.to(self.networks.device)
        details, styles = Details(inversion.residuals, inversion.features), self._styles(edited)
        state, _ = edit(generator, self.networks.parts, styles, details, stop, self.aligned, self._blended(mask))
        return equations.cropped(generator.picture(state), self.spec)

    def _blended(self, mask: Tensor | None) -> Callable[[Tensor, Tensor], Tensor] | None:
        """How features [B,C,r,r] outside of a mask [B,H,W] are taken from the picture as it was."""
        if mask is None:
            return None
        return lambda edited, kept: kept + equations.mask_delta(edited - kept, mask, self.spec)

    @property
    def preview_resolutions(self) -> tuple[int, ...]:
        """Sides in px that `synthesize` can stop at: all after the last stage, up to the full one."""
        return tuple(self.spec.preview_layers(self.networks.gradual.stages[-1]))

    def _layer_of(self, resolution: int | None) -> int | None:
        return stop_layer(resolution, self.spec, self.networks.gradual.stages[-1], "details come in")

    # All in one

    def edit(
        self,
        source: Tensor | GradualInversion,
        steps: Sequence[tuple[Direction, float | Tensor]] = (),
        mask: Tensor | None = None,
        mask_acts_on: str = PICTURE,
    ) -> Tensor:
        """Edit pictures: invert if need be, apply the steps in turn, return [B,3,H,W]; masks as `synthesize`'s."""
        edited = self.start_edit(source if isinstance(source, Inversion | GradualInversion) else self.invert(source))
        for direction, strength in steps:
            edited = self.apply_direction(edited, direction, strength)
        return self.synthesize(edited, mask=mask, mask_acts_on=mask_acts_on)

    def reconstruct(self, inversion: GradualInversion) -> Tensor:
        """Make the pictures that an inversion stands for: the edit that changes nothing."""
        return self.synthesize(self.start_edit(inversion))

    def sweep(
        self,
        inversion: GradualInversion,
        direction: Direction,
        strengths: Sequence[float] | Tensor,
        mask: Tensor | None = None,
        mask_acts_on: str = PICTURE,
    ) -> Tensor:
        """Edit every picture with every strength: [B,S,3,H,W]; masks as `synthesize`'s, one for each picture."""
        repeated, values, mask = spread(inversion, strengths, mask, self.spec)
        made = self.synthesize(self.apply_direction(repeated, direction, values), mask=mask, mask_acts_on=mask_acts_on)
        return made.unflatten(0, (len(inversion), -1))

    @torch.no_grad()
    def generate_from(self, w_plus: Tensor) -> Tensor:
        """Make pictures [B,3,H,W] from W+ codes alone, as e4e does, without any detail."""
        return equations.cropped(self.networks.generator(w_plus.to(self.networks.device)), self.spec)

    # What a gradual model does without

    def compute_delta(self, edited: GradualEdit) -> NoReturn:
        """Refuse: there is no delta."""
        raise InputError("A gradual model has no Δ: connect the edit of Apply Direction to Synthesize directly.")

    def feature_edit(self, source: GradualInversion | GradualEdit) -> NoReturn:
        """Refuse: there is no Feature Editor."""
        raise InputError("A gradual model has no Feature Edit: connect the edit of Apply Direction to Synthesize.")
