"""Refinement of an inversion: some steps of Adam on F_k, and if asked on w, from where the encoders left them.

What is compared is the picture that a person sees without an edit, G(H(F_k, 0), w_k+1:N), so an edit goes on from
there as before: delta belongs to w_E, which stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..equations import feature_edit, run_to_k, synthesize
from ..inputs import InputError, picture_batch
from ..pipeline import Pipeline
from ..values import Inversion

# Adam's first steps are as long as the rate, so these are distances: F_k's standard deviation is about 0.9, w's 0.4.
_F_K_RATE, _W_RATE = 0.03, 0.005
_BETAS = (0.9, 0.99)
# L1 beside L2 keeps edges, which are small in L2.
_L1 = 0.3
# Rates fall to this share of themselves over the run, along a cosine.
_LAST = 0.1


@dataclass(frozen=True)
class Refining:
    """How far a refinement is: steps done of `steps`, the loss of each picture [B], and the pictures now [B,3,H,W]."""

    done: int
    steps: int
    loss: Tensor
    image: Tensor


def refine(
    pipeline: Pipeline,
    inversion: Inversion,
    image: Tensor,
    steps: int,
    codes: bool = False,
    progress: Callable[[Refining], None] | None = None,
) -> Inversion:
    """Bring an inversion closer to its pictures; for each the best step is kept, the start included.

    image: the aligned pictures [B,3,H,W] in [-1,1] that were inverted, of any size in the domain's aspect ratio; where
    they are smaller than the generator's, its pictures are brought to their size by area averaging. codes: move w too.
    progress: called after every step; KeyboardInterrupt out of it or of a step ends the refinement with the best so
    far. Raises InputError for pictures that do not belong to the inversion.
    """
    if steps and not isinstance(inversion, Inversion):
        raise InputError("Refinement moves F_k, which a gradual model does not have; leave it out.")
    image = picture_batch(image, pipeline.spec).to(pipeline.networks.device, torch.float32)
    if len(image) != len(inversion) or steps < 0:
        raise InputError(
            f"{len(image)} pictures and {steps} steps to refine an inversion of {len(inversion)}; expected as many "
            "pictures, and 0 steps or more."
        )
    if not steps:
        return inversion
    with torch.inference_mode(False), torch.enable_grad():
        run = _Run(pipeline, inversion, _no_larger(image.clone(), pipeline.spec.picture_size), codes)
        try:
            for step in range(steps + 1):
                loss, made = run.step(step / steps, last=step == steps)
                if progress is not None and step:
                    progress(Refining(step, steps, loss, made))
        except KeyboardInterrupt:
            pass
        return run.best()


def _no_larger(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring pictures down to a size, by area averaging, if they are larger."""
    return F.adaptive_avg_pool2d(image, size) if image.shape[2] > size[0] else image


class _Run:
    """What is optimised, and the best of it so far."""

    def __init__(self, pipeline: Pipeline, inversion: Inversion, target: Tensor, codes: bool):
        self.pipeline, self.inversion, self.target, self.codes = pipeline, inversion, target, codes
        device = pipeline.networks.device
        self.F_k, self.w = (t.to(device).clone() for t in (inversion.F_k, inversion.w))
        self.kept = [self.F_k.clone(), self.w.clone()]
        self.lowest = torch.full((len(target),), torch.inf, device=device)
        self.carried = tuple(t.to(device).clone() for t in inversion.carried)
        groups = [{"params": [self.F_k.requires_grad_()], "rate": _F_K_RATE}]
        if codes:
            groups.append({"params": [self.w.requires_grad_()], "rate": _W_RATE})
        self.optimizer = torch.optim.Adam(groups, betas=_BETAS)

    def step(self, share: float, last: bool) -> tuple[Tensor, Tensor]:
        """Judge what there is, keep what is better, and move on unless it is the last; (loss [B], pictures)."""
        made = self._picture()
        seen = F.adaptive_avg_pool2d(made, self.target.shape[2:]) if made.shape != self.target.shape else made
        difference = (seen - self.target).flatten(1)
        loss = difference.square().mean(dim=1) + _L1 * difference.abs().mean(dim=1)
        self._keep(loss.detach())
        if not last:
            self.optimizer.zero_grad(set_to_none=True)
            # A picture whose loss is not finite any more pulls at nothing; its best stays.
            torch.where(loss.isfinite(), loss, 0.0).sum().backward()
            fall = _LAST + (1 - _LAST) * 0.5 * (1 + math.cos(math.pi * share))
            for group in self.optimizer.param_groups:
                group["lr"] = group["rate"] * fall
                for tensor in group["params"]:
                    tensor.grad.nan_to_num_(0.0, 0.0, 0.0)
            self.optimizer.step()
        return loss.detach(), made.detach()

    def _picture(self) -> Tensor:
        networks, spec = self.pipeline.networks, self.pipeline.spec
        styles = networks.generator.style_space(self.w)
        carried = run_to_k(networks.generator, spec, styles).carried if self.codes and self.carried else self.carried
        delta = torch.zeros_like(self.inversion.F_w_e, device=self.F_k.device)
        features = feature_edit(networks.feature_editor, self.F_k, delta)
        return synthesize(networks.generator, spec, styles, features, carried)

    @torch.no_grad()
    def _keep(self, loss: Tensor) -> None:
        better = loss < self.lowest
        self.lowest = torch.where(better, loss, self.lowest)
        for number, now in enumerate((self.F_k, self.w)):
            chosen = better.view(-1, *[1] * (now.ndim - 1))
            self.kept[number] = torch.where(chosen, now.detach(), self.kept[number])

    @torch.no_grad()
    def best(self) -> Inversion:
        """The inversion with the best F_k and w of every picture, where its other values lie."""
        inversion, networks = self.inversion, self.pipeline.networks
        F_k, w = (kept.to(old.device) for kept, old in zip(self.kept, (inversion.F_k, inversion.w), strict=True))
        carried = inversion.carried
        if self.codes and carried:
            state = run_to_k(networks.generator, self.pipeline.spec, networks.generator.style_space(self.kept[1]))
            carried = tuple(new.to(old.device) for new, old in zip(state.carried, carried, strict=True))
        return replace(inversion, F_k=F_k, w=w, carried=carried)
