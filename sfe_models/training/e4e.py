"""Training of the e4e encoder (Tov et al. 2021): distortion against editability."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Adam

from ..encoders.families import make_e4e
from ..equations import cropped, e4e_code, resized, run_to_k
from ..generators.base import Generator
from .config import E4EConfig
from .data import Batch
from .distributed import Processes
from .latent_discriminator import LatentDiscriminator, LatentPool
from .losses import ReconstructionLoss, discriminator_loss, generator_loss, r1_loss
from .patches import windows_loss
from .stage import Stage, make_optimizer, side_by_side


class E4EStage(Stage):
    """Train the encoder and its latent discriminator against a frozen generator.

    Offsets open one after another: at stage i, those of styles 1 to i are trained and the others are 0.
    """

    def __init__(
        self,
        config: E4EConfig,
        generator: Generator,
        reconstruction: ReconstructionLoss,
        device: torch.device,
        processes: Processes,
    ):
        super().__init__(config.run, device, processes)
        self.config = config
        self.generator, self.reconstruction = generator.to(device), reconstruction.to(device)
        dim = config.domain.generator.style_dim
        self.encoder = make_e4e(config.domain).to(device, memory_format=torch.channels_last).train()
        self.discriminator = LatentDiscriminator(dim, config.discriminator_layers).to(device)
        self._judge = self.compiled(self._decode)
        self.networks = {"e4e_encoder": self.encoder, "latent_discriminator": self.discriminator}
        self.average("e4e_encoder")
        self.optimizers = {
            "e4e_encoder": make_optimizer(config.optimizer, self.encoder.parameters()),
            "latent_discriminator": Adam(self.discriminator.parameters(), config.discriminator_lr),
        }
        self.real_pool, self.made_pool = LatentPool(config.pool), LatentPool(config.pool)

    def _decode(self, w_plus: Tensor, image: Tensor) -> dict[str, Tensor]:
        config, domain = self.config, self.config.domain
        if config.window is None:
            return self.reconstruction(cropped(self.generator(w_plus), domain), image)
        styles = self.generator.style_space(w_plus)
        features = run_to_k(self.generator, domain, styles).features
        return windows_loss(
            self.reconstruction, self.generator, domain, styles, features, image, config.window, config.windows
        )

    def progress(self, step: int) -> int:
        """Return the stage at a step: how many offsets are open."""
        config = self.config
        if step < config.progressive_start:
            return 0
        opened = 1 + (step - config.progressive_start) // max(1, config.progressive_every)
        return min(opened, config.domain.n_styles - 1)

    def step(self, number: int, batch: Batch) -> dict[str, Tensor]:
        """Latent discriminator, then encoder."""
        config, numbers = self.config, {}
        self.schedule("e4e_encoder", config.optimizer, number)
        stage = self.progress(number)
        seen = resized(batch.image, config.domain.encoder_size)
        with self.mixed():
            offsets = self.encoder(seen, stage=stage).float()
        w_plus = offsets + self.generator.latent_avg
        loss = self.delta_norm(offsets, stage, numbers)
        if config.discriminator_weight:
            self._discriminator_step(number, w_plus, stage, numbers)
            self.discriminator.requires_grad_(False)
            # Only the distinct latents: those of open offsets.
            adversarial = generator_loss(self.discriminator(w_plus[:, : stage + 1]))
            self.discriminator.requires_grad_(True)
            numbers["latent_adversarial"] = adversarial
            loss = loss + config.discriminator_weight * adversarial
        known = 0 if batch.code is None else len(batch.code)
        if known and config.code:
            numbers["code"] = F.mse_loss(w_plus[:known], batch.code)
            loss = loss + config.code * numbers["code"]
        else:
            known = 0
        losses, first = {}, max(0, known - config.code_pictures)
        if first < len(batch):
            with self.mixed():
                losses = self._judge(w_plus[first:], batch.image[first:])
            loss = loss + losses["reconstruction"]
        loss.backward()
        self.apply_gradients("e4e_encoder")
        return {**numbers, **losses, "stage": torch.tensor(float(stage))}

    def delta_norm(self, offsets: Tensor, stage: int, numbers: dict[str, Tensor]) -> Tensor:
        """Sum over the open offsets of their mean norm (equation 3)."""
        if not stage:
            return offsets.new_zeros(())
        deltas = offsets[:, 1 : stage + 1] - offsets[:, :1]
        norm = deltas.norm(dim=2).mean(dim=0).sum()
        numbers["delta_norm"] = norm
        return self.config.delta_norm * norm

    def _discriminator_step(self, number: int, w_plus: Tensor, stage: int, numbers: dict[str, Tensor]) -> None:
        """Tell mapped latents from one encoded latent of every picture."""
        config = self.config
        with torch.no_grad():
            z = torch.randn(len(w_plus), w_plus.shape[2], device=self.device)
            real = self.real_pool.query(self.generator.mapping(z))
            chosen = torch.randint(stage + 1, (len(w_plus),), device=self.device)
            made = self.made_pool.query(w_plus[torch.arange(len(w_plus)), chosen])
        loss = discriminator_loss(self.discriminator(real), self.discriminator(made))
        loss.backward()
        self.apply_gradients("latent_discriminator")
        numbers["latent_discriminator"] = loss
        if number % config.r1_every == 0:  # a step of its own, as in the published code
            r1_loss(self.discriminator, real, config.r1, config.r1_every).backward()
            self.apply_gradients("latent_discriminator")

    @torch.no_grad()
    def samples(self, batch: Batch) -> Tensor:
        """Pictures above their reconstructions."""
        encoder = self.averaged("e4e_encoder").eval()
        w_e = e4e_code(encoder, self.generator, resized(batch.image, self.config.domain.encoder_size))
        made = cropped(self.generator(w_e), self.config.domain)
        self.encoder.train()
        return side_by_side(batch.image, made)

    def extra_state(self) -> dict:
        """The pools."""
        return {"real_pool": self.real_pool.state(), "fake_pool": self.made_pool.state()}

    def load_extra_state(self, state: dict) -> None:
        """Take back what `extra_state` gave."""
        self.real_pool.load_state(state["real_pool"], self.device)
        self.made_pool.load_state(state["fake_pool"], self.device)
