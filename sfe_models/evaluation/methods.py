"""What is compared: SFE, its parts and its rivals, each as a way from an inversion to a picture.

| method | inversion | edit |
|---|---|---|
| unedited | - | the portrait itself |
| w | G(w_E,0): e4e's first style at all layers, a code of W | G(w_E,0 + d) |
| e4e | G(w_E) | G(w_E + d) |
| inverter | G(F_k, w) | G(F_k, w + d): without H |
| f_minus_delta | G(F_k, w), the same | G(F_k - delta, w + d) |
| sfe | G(H(F_k, 0), w) | G(H(F_k, delta), w + d) |
| sfe_inverter_code | G(H(F_k, 0), w) | as sfe, delta from the Inverter's w in the place of w_E |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from .. import equations
from ..choices import ONE_PICTURE_METHODS, RIVAL_METHODS
from ..demo.attributes import Portraits
from ..directions.base import Direction
from ..pipeline import Pipeline
from ..values import Edit, Features, Inversion
from .errors import EvaluationError

METHODS = ("unedited", "e4e", "inverter", "f_minus_delta", "sfe")
# A row that is there when it is asked for.
ONE_CODE = "w"
# Rows of the ablation table that need no training; see `ablations`.
INVERTER_CODE = "sfe_inverter_code"


@dataclass(frozen=True)
class People:
    """Pictures [B,3,H,W] in [-1,1] under evaluation, their inversion, and in the rendered domain who they show."""

    image: Tensor
    inversion: Inversion | None = None
    portraits: Portraits | None = None

    def __len__(self) -> int:
        return len(self.image)

    def __getitem__(self, index: Sequence[int]) -> People:
        """Choose people by their numbers."""
        chosen = torch.as_tensor(index)
        inversion, portraits = (None if x is None else x[chosen] for x in (self.inversion, self.portraits))
        return People(self.image[chosen], inversion, portraits)


class Method(Protocol):
    """Something that inverts and edits pictures."""

    name: str

    def inverted(self, people: People) -> Tensor:
        """Return the pictures [B,3,H,W] as they come back without an edit."""
        ...

    def edited(self, people: People, index: Sequence[int], direction: Direction, strength: Sequence[float]) -> Tensor:
        """Edit some of the people, each by a strength of its own: [len(index),3,H,W]."""
        ...


@dataclass(frozen=True)
class PipelineMethod:
    """A row of the table above, on one model."""

    name: str
    pipeline: Pipeline

    @torch.no_grad()
    def inverted(self, people: People) -> Tensor:
        """Return the inversions [B,3,H,W], about [-1,1]."""
        inversion = people.inversion
        if self.name == ONE_CODE:
            return self.pipeline.generate_from(_of_one_code(inversion).w_e)
        if self.name == "e4e":
            return self.pipeline.generate_from(inversion.w_e)
        if self.name in ("inverter", "f_minus_delta"):
            edit = self.pipeline.start_edit(inversion)
            return self.pipeline.synthesize(Features(edit, inversion.F_k, inversion.carried))
        return self.pipeline.synthesize(self.pipeline.feature_edit(inversion))

    @torch.no_grad()
    def edited(self, people: People, index: Sequence[int], direction: Direction, strength: Sequence[float]) -> Tensor:
        """Edit some of the people, each by a strength of its own: [len(index),3,H,W], about [-1,1]."""
        pipeline, inversion = self.pipeline, people.inversion[torch.as_tensor(index)]
        if self.name == INVERTER_CODE:
            inversion = with_inverter_code(pipeline, inversion)
        if self.name == ONE_CODE:
            inversion = _of_one_code(inversion)
        strengths = torch.tensor(strength, dtype=torch.float32)
        edit = pipeline.apply_direction(inversion, direction, strengths.to(inversion.w.device))
        if self.name in ("e4e", ONE_CODE):
            return _from_code(pipeline, edit)
        if self.name == "inverter":
            return pipeline.synthesize(Features(edit, inversion.F_k, _carried(pipeline, edit)))
        delta = pipeline.compute_delta(edit)
        if self.name == "f_minus_delta":
            return pipeline.synthesize(Features(edit, inversion.F_k - delta.delta, delta.carried))
        return pipeline.synthesize(pipeline.feature_edit(delta))


def _of_one_code(inversion: Inversion) -> Inversion:
    """Put e4e's first style, which the others are offsets to, at all layers."""
    return replace(inversion, w_e=inversion.w_e[:, :1].expand(-1, inversion.w.shape[1], -1))


def _carried(pipeline: Pipeline, edit: Edit) -> tuple[Tensor, ...]:
    """What the generator carries at layer k of the edited w, without the delta that nobody asks for."""
    generator = pipeline.networks.generator
    styles = generator.style_space(edit.w.to(pipeline.networks.device)) if edit.styles is None else edit.styles
    return equations.run_to_k(generator, pipeline.spec, styles).carried


def _from_code(pipeline: Pipeline, edit: Edit) -> Tensor:
    """G(w_E'), from the edited code or the edited style vectors."""
    if edit.styles_e is None:
        return pipeline.generate_from(edit.w_e)
    return equations.cropped(pipeline.networks.generator.synthesize(edit.styles_e), pipeline.spec)


def with_inverter_code(pipeline: Pipeline, inversion: Inversion) -> Inversion:
    """Put the Inverter's w in the place of the e4e code, so that delta = F(w) - F(w')."""
    generator, spec, w = pipeline.networks.generator, pipeline.spec, inversion.w.to(pipeline.networks.device)
    styles = generator.style_space(w)
    state = equations.run_to_k(generator, spec, styles)
    return replace(inversion, w_e=w, F_w_e=equations.delta_features(generator, spec, state, styles))


def unavailable(pipeline: Pipeline) -> dict[str, str]:
    """Say by name which methods a model cannot run, and why."""
    spec, why = pipeline.spec, {}
    if not spec.has_encoders:
        return {name: "the model is a generator alone" for name in (ONE_CODE, *METHODS[1:], INVERTER_CODE)}
    if pipeline.networks.e4e_styles < spec.n_styles:
        why["e4e"] = f"the bundle holds the first {pipeline.networks.e4e_styles} of {spec.n_styles} e4e styles only"
    if spec.delta_layer != spec.feature_layer:
        why["f_minus_delta"] = f"delta is of layer {spec.delta_layer}, F_k of layer {spec.feature_layer}"
    if pipeline.networks.feature_editor is None:
        why["sfe"] = why[INVERTER_CODE] = "the model has no Feature Editor"
    return why


def pipeline_methods(pipeline: Pipeline, names: Sequence[str] = METHODS) -> list[PipelineMethod]:
    """Make the methods of these names that a model can run, in their order; "unedited" needs no model.

    Rows of one picture at a time are made by `one_picture`, those of other encoders by `rivals`, that of sampled codes
    by `sampled`. Raises EvaluationError for a name that is none of these.
    """
    unknown = set(names) - {*METHODS, ONE_CODE, INVERTER_CODE, *ONE_PICTURE_METHODS, *RIVAL_METHODS, "sampled"}
    if unknown:
        known = ", ".join((*METHODS, ONE_CODE, *ONE_PICTURE_METHODS, *RIVAL_METHODS, "sampled"))
        raise EvaluationError(f"There is no method {sorted(unknown)[0]!r}; expected {known}.")
    missing = unavailable(pipeline)
    own = [name for name in names if name in (ONE_CODE, *METHODS[1:], INVERTER_CODE) and name not in missing]
    return [PipelineMethod(name, pipeline) for name in own]


def invert(pipeline: Pipeline, image: Tensor, portraits: Portraits | None = None) -> People:
    """Invert pictures [B,3,H,W] in [-1,1] once for all methods; a generator alone has no inversion to share."""
    if not pipeline.spec.has_encoders:
        return People(image, None, portraits)
    everything = "e4e" not in unavailable(pipeline)
    return People(image, pipeline.invert(image, all_styles=everything), portraits)
