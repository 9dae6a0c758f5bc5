"""Phase 1 of SFE: the Inverter (section 3.3 of the paper)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..domain import DomainSpec
from ..encoders.families import make_inverter
from ..encoders.mobile import MobileInverter
from ..equations import Inverted, cropped, invert, padded, resized, run_to_k, synthesize
from ..generators.base import Generator, StyleSpace, SynthesisState
from ..generators.stylegan2.discriminator import Discriminator
from .config import InverterConfig
from .data import Batch
from .distributed import Processes
from .losses import PictureAdversary, ReconstructionLoss
from .painted import paint_over
from .patches import windows_loss
from .stage import Stage, make_optimizer, side_by_side


def feature_loss(kind: str, F_k: Tensor, F_w: Tensor) -> Tensor:
    """Regularise F_k [B,C,r,r], for each kind of `InverterConfig.feature_regulariser`."""
    if kind == "sum":
        return F_k.square().flatten(1).sum(dim=1).mean()
    return F_k.square().mean() if kind == "norm" else F.mse_loss(F_k, F_w)


def ramp(step: int, steps: int) -> float:
    """Return the share of F_k in the generator at a step: 0 to 1 over `steps` (the released code's option)."""
    return min(1.0, step / steps) if steps else 1.0


@torch.no_grad()
def _run_without_gradient(generator: Generator, domain: DomainSpec, styles: StyleSpace) -> SynthesisState:
    """Run to k with w as it is: w then learns from what reads it after k (colours), which costs a third."""
    return run_to_k(generator, domain, styles)


class InverterStage(Stage):
    """Train backbone and Fuser against a frozen generator, with a picture discriminator from its start step on.

    Two reconstructions count alike: the one from F_k, and the one from w alone, which keeps w editable.
    """

    def __init__(
        self,
        config: InverterConfig,
        generator: Generator,
        discriminator: Discriminator | None,
        reconstruction: ReconstructionLoss,
        device: torch.device,
        processes: Processes,
    ):
        super().__init__(config.run, device, processes)
        self.config, self.domain = config, config.domain
        self.generator, self.reconstruction = generator.to(device), reconstruction.to(device)
        self.inverter = make_inverter(config.domain).to(device, memory_format=torch.channels_last).train()
        self.adversary = PictureAdversary(discriminator, config.adversarial, device)
        self._both = self.compiled(self.reconstruct)
        self.networks = {"inverter": self.inverter, **self.adversary.networks}
        self.average("inverter")
        self.optimizers = {
            "inverter": make_optimizer(config.optimizer, self._groups()),
            **self.adversary.optimizers,
        }

    def _groups(self) -> list[dict]:
        """Parameters by the factor on their learning rate: what makes w may learn slower than what makes F_k."""
        if not isinstance(self.inverter, MobileInverter):
            return [{"params": list(self.inverter.parameters())}]
        slow = [p for part in (self.inverter.backbone, self.inverter.heads) for p in part.parameters()]
        known = set(slow)
        fast = [p for p in self.inverter.parameters() if p not in known]
        return [{"params": fast}, {"params": slow, "factor": self.config.w_rate}]

    def reconstruct(
        self, image: Tensor, share: Tensor | None, code: Tensor | None
    ) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """Reconstruct from F_k and from w: pictures [2B,3,H,W] (in windows none), losses, and the regulariser.

        share: of F_k in the generator's feature, the rest is F_w; None for all. code: W+ codes [n,N,D] that the first n
        pictures are made of; what is known of those, w and F_k, is compared instead of the pictures.
        """
        domain, generator, config, n = self.domain, self.generator, self.config, 0 if code is None else len(code)
        run = _run_without_gradient if config.frozen_w else run_to_k
        inverted, _ = invert(self.inverter, generator, domain, resized(image, domain.encoder_size), run=run)
        known = {} if code is None else self._known(inverted, code)
        w, F_k, F_w = inverted.w[n:], inverted.F_k[n:], inverted.F_w[n:]
        features = F_k if share is None else F_w.lerp(F_k, share)
        styles = generator.style_space(w)
        regulariser = feature_loss(config.feature_regulariser, F_k, F_w)
        if config.window is not None:
            parts = generator, domain, styles, features, image[n:], config.window, config.windows
            return image, windows_loss(self.reconstruction, *parts) | known, regulariser
        made = synthesize(generator, domain, styles, features, tuple(c[n:] for c in inverted.carried))
        both = torch.cat([made, cropped(generator.synthesize(styles), domain)])
        losses = self.reconstruction(both, torch.cat([image[n:], image[n:]]))
        return both, losses | known, regulariser

    def _known(self, inverted: Inverted, code: Tensor) -> dict[str, Tensor]:
        """Mean squared errors of w and F_k for pictures that the generator made of codes [n,N,D]."""
        n, generator = len(code), self.generator
        true = _run_without_gradient(generator, self.domain, generator.style_space(code)).features
        return {"code": F.mse_loss(inverted.w[:n], code), "feature": F.mse_loss(inverted.F_k[:n], true)}

    def step(self, number: int, batch: Batch) -> dict[str, Tensor]:
        """Inverter, then discriminator."""
        config, domain = self.config, self.domain
        self.schedule("inverter", config.optimizer, number)
        share = ramp(number, config.feature_ramp)
        if config.frozen_w:  # BatchNorm keeps the statistics that it came with: a batch here is a handful of pictures
            for part in (self.inverter.backbone, self.inverter.heads):
                part.requires_grad_(number >= config.frozen_w).eval()
        code = batch.code if config.code or config.feature else None
        image, n = batch.image, 0 if code is None else len(code)
        if config.painted:
            image = torch.cat([image[:n], paint_over(image[n:], config.painted)])
        with self.mixed():
            ramped = None if share == 1 else torch.tensor(share, device=self.device)
            both, losses, regulariser = self._both(image, ramped, code)
            loss = losses["reconstruction"] * (2 if config.halves == "sum" else 1) + config.regulariser * regulariser
            if code is not None:
                loss = loss + config.code * losses["code"] + config.feature * losses["feature"]
            adversarial = self.adversary.active(number)
            if adversarial:
                losses["adversarial"] = self.adversary.encoder_loss(padded(both, domain))
                loss = loss + config.adversarial.weight * losses["adversarial"]
        loss.backward()
        self.apply_gradients("inverter")
        if adversarial:
            with self.mixed():
                losses |= self.adversary.backward(number, padded(both, domain), padded(image[n:], domain))
            self.apply_gradients("discriminator")
        if config.window is None:
            with torch.no_grad():
                losses["l2_from_F"], losses["l2_from_w"] = (F.mse_loss(made, image[n:]) for made in both.chunk(2))
        return {**losses, "regulariser": regulariser}

    @torch.no_grad()
    def samples(self, batch: Batch) -> Tensor:
        """Pictures, their reconstructions from F_k, and those from w alone."""
        inverter = self.averaged("inverter").eval()
        inverted, _ = invert(inverter, self.generator, self.domain, resized(batch.image, self.domain.encoder_size))
        styles = self.generator.style_space(inverted.w)
        made = synthesize(self.generator, self.domain, styles, inverted.F_k, inverted.carried)
        made_w = cropped(self.generator.synthesize(styles), self.domain)
        self.inverter.train()
        return side_by_side(batch.image, made, made_w, per_row=2)
