"""Phase 1 of SFE: the Inverter (section 3.3 of the paper)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..encoders.inverter import Inverter
from ..stylegan2.discriminator import Discriminator
from ..stylegan2.generator import Generator
from .config import InverterConfig
from .data import Batch
from .distributed import Processes
from .forward import crop, invert, padded, resized, side_by_side, synthesize
from .losses import PictureAdversary, ReconstructionLoss
from .stage import Stage, make_optimizer


def feature_loss(kind: str, F_k: Tensor, F_w: Tensor) -> Tensor:
    """Regularise F_k [B,C,r,r]: "norm" is the paper's mean square of F_k, "distance" the released code's to F_w."""
    return F_k.square().mean() if kind == "norm" else F.mse_loss(F_k, F_w)


def ramp(step: int, steps: int) -> float:
    """Return the share of F_k in the generator at a step: 0 to 1 over `steps` (the released code's option)."""
    return min(1.0, step / steps) if steps else 1.0


class InverterStage(Stage):
    """Train backbone and Fuser against a frozen generator, with a picture discriminator from its start step on.

    Two reconstructions count alike: the one from F_k, and the one from w alone, which keeps w editable.
    """

    def __init__(
        self,
        config: InverterConfig,
        generator: Generator,
        discriminator: Discriminator,
        reconstruction: ReconstructionLoss,
        device: torch.device,
        processes: Processes,
    ):
        super().__init__(config.run, device, processes)
        self.config, self.domain = config, config.domain
        self.generator, self.reconstruction = generator.to(device), reconstruction.to(device)
        self.inverter = Inverter(config.domain).to(device, memory_format=torch.channels_last).train()
        self.adversary = PictureAdversary(discriminator.to(device), config.adversarial)
        self.networks = {"inverter": self.inverter, "discriminator": discriminator}
        self.average("inverter")
        self.optimizers = {
            "inverter": make_optimizer(config.optimizer, self.inverter.parameters()),
            "discriminator": self.adversary.optimizer,
        }

    def step(self, number: int, batch: Batch) -> dict[str, Tensor]:
        """Inverter, then discriminator."""
        config, domain, generator = self.config, self.domain, self.generator
        self.schedule("inverter", config.optimizer, number)
        with self.mixed():
            inverted = invert(self.inverter, generator, domain, resized(batch.image, domain.encoder_size))
            share = ramp(number, config.feature_ramp)
            features = inverted.F_k if share == 1 else inverted.F_w.lerp(inverted.F_k, share)
            styles = generator.style_space(inverted.w)
            made = synthesize(generator, domain, styles, features, inverted.rgb)
            made_w = crop(generator.synthesize(styles), domain)
            both, target = torch.cat([made, made_w]), torch.cat([batch.image, batch.image])
            losses = self.reconstruction(both, target)
            regulariser = feature_loss(config.feature_regulariser, inverted.F_k, inverted.F_w)
            loss = losses["reconstruction"] + config.regulariser * regulariser
            adversarial = self.adversary.active(number)
            if adversarial:
                losses["adversarial"] = self.adversary.encoder_loss(padded(both, domain))
                loss = loss + config.adversarial.weight * losses["adversarial"]
        loss.backward()
        self.apply_gradients("inverter")
        if adversarial:
            with self.mixed():
                losses |= self.adversary.backward(number, padded(both, domain), padded(batch.image, domain))
            self.apply_gradients("discriminator")
        with torch.no_grad():
            losses["l2_from_F"], losses["l2_from_w"] = (F.mse_loss(x, batch.image) for x in (made, made_w))
        return {**losses, "regulariser": regulariser}

    @torch.no_grad()
    def samples(self, batch: Batch) -> Tensor:
        """Pictures, their reconstructions from F_k, and those from w alone."""
        inverter = self.averaged("inverter").eval()
        inverted = invert(inverter, self.generator, self.domain, resized(batch.image, self.domain.encoder_size))
        styles = self.generator.style_space(inverted.w)
        made = synthesize(self.generator, self.domain, styles, inverted.F_k, inverted.rgb)
        made_w = crop(self.generator.synthesize(styles), self.domain)
        self.inverter.train()
        return side_by_side(batch.image, made, made_w, per_row=2)
