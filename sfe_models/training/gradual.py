"""Training of a gradual model: details, and the Aligners that move them (a reconstruction after GradStyle)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..encoders.e4e import E4EEncoder
from ..equations import cropped, e4e_code, resized
from ..generators.base import Generator
from ..gradual.streams import Details, GradualParts, edit, encode, reconstruct
from .data import Batch
from .distributed import Processes
from .gradual_config import GradualConfig
from .losses import ReconstructionLoss
from .misalign import draw_gaps, draw_grid, misaligned
from .stage import Stage, make_optimizer, side_by_side


class GradualTraining(Stage):
    """Train the detail encoder and the stages against a frozen generator and e4e encoder.

    Self-supervised: details are moved away by a random warp, and have to be found and brought back by what the picture
    itself looks like. No edit takes part.
    """

    def __init__(
        self,
        config: GradualConfig,
        generator: Generator,
        e4e_encoder: E4EEncoder,
        reconstruction: ReconstructionLoss,
        device: torch.device,
        processes: Processes,
    ):
        super().__init__(config.run, device, processes)
        self.config, self.domain = config, config.domain
        self.generator, self.e4e_encoder = generator.to(device), e4e_encoder.to(device)
        self.reconstruction = reconstruction.to(device)
        self.parts = GradualParts(config.domain, config.gradual)
        self.parts = self.parts.to(device, memory_format=torch.channels_last).train()
        for stage in self.parts.stages:  # torch cannot step back through a plane of few pixels in the other format
            stage.fusion.gate.to(memory_format=torch.contiguous_format)
        self.networks = {"gradual": self.parts}
        self.average("gradual")
        self.optimizers = {"gradual": make_optimizer(config.optimizer, self.parts.parameters())}

    def step(self, number: int, batch: Batch) -> dict[str, Tensor]:
        """Rebuild the pictures with their details; once `alone` is over also from misaligned ones."""
        config, domain, image = self.config, self.domain, batch.image
        self.schedule("gradual", config.optimizer, number)
        stages = min(len(self.parts.stages), 1 + number // config.stage_every)
        aligning = number >= config.alone
        learning = config.joint or not aligning
        self._train_details(learning)
        with self.mixed():
            seen = resized(image, domain.encoder_size)
            with torch.no_grad():
                w = e4e_code(self.e4e_encoder, self.generator, seen)
                styles = self.generator.style_space(w)
            with torch.set_grad_enabled(learning):
                maps = encode(self.generator, self.parts, domain, seen, styles)
                stop = None if learning else config.gradual.stages[-1]
                state, details = reconstruct(self.generator, self.parts, styles, maps, stages, stop)
            losses, loss = {}, 0.0
            if learning:
                losses = self.reconstruction(cropped(self.generator.picture(state), domain), image)
                losses["l2_details"] = losses["l2"].detach()
                losses["size"] = torch.stack([F_m.float().square().mean() for F_m in details.residuals]).mean()
                loss = losses["reconstruction"] + config.budget * losses["size"]
            if aligning:
                found = self._aligned(image, w, details)
                loss = loss + found["aligned"] + config.aligner * found["distance"]
                losses |= found
        loss.backward()
        self.apply_gradients("gradual")
        return losses

    def _train_details(self, learning: bool) -> None:
        """Let details and gates learn, or hold them and their BatchNorm; the Aligners always learn."""
        self.parts.requires_grad_(learning).train(learning)
        for stage in self.parts.stages:
            stage.aligner.requires_grad_(True)

    def _aligned(self, image: Tensor, w: Tensor, details: Details) -> dict[str, Tensor]:
        """Move details away and let the Aligners bring them back: their distance, and the pictures' losses."""
        config = self.config
        n = max(1, round(config.aligned * len(image)))
        image, w = image[:n], w[:n]
        grid, gaps = draw_grid(config.misalign, n, image.device), draw_gaps(config.misalign, n, image.device)
        moved = Details(
            *(
                tuple(misaligned(x[:n].detach(), grid, gaps) for x in part)
                for part in (details.residuals, details.features)
            )
        )
        # The last of them look as if they had been edited; of none a mean would be NaN.
        known = max(1, n - round(config.perturbed * n))
        share = torch.rand(n - known, 1, 1, device=w.device) * config.perturbation
        queries = torch.cat([w[:known], w[known:].lerp(w.roll(1, 0)[known:], share)])
        state, found = edit(self.generator, self.parts, self.generator.style_space(queries), moved)
        made = cropped(self.generator.picture(state), self.domain)[:known]
        judged = self.reconstruction(made, image[:known])
        return {
            "aligned": judged["reconstruction"],
            "l2_aligned": judged["l2"].detach(),
            "distance": sum(map(relative_distance, found.residuals, (F_m[:n] for F_m in details.residuals))),
        }

    @torch.no_grad()
    def samples(self, batch: Batch) -> Tensor:
        """Pictures, e4e's, those with details, and those with misaligned details brought back."""
        parts, generator, domain = self.averaged("gradual").eval(), self.generator, self.domain
        seen = resized(batch.image, domain.encoder_size)
        styles = generator.style_space(e4e_code(self.e4e_encoder, generator, seen))
        state, details = reconstruct(generator, parts, styles, encode(generator, parts, domain, seen, styles))
        grid = draw_grid(self.config.misalign, len(seen), seen.device)
        gaps = draw_gaps(self.config.misalign, len(seen), seen.device)
        moved = Details(*(tuple(misaligned(x, grid, gaps) for x in p) for p in (details.residuals, details.features)))
        aligned, _ = edit(generator, parts, styles, moved)
        columns = [generator.synthesize(styles), generator.picture(state), generator.picture(aligned)]
        self.parts.train()
        return side_by_side(batch.image, *(cropped(column, domain) for column in columns), per_row=2)


def relative_distance(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute difference of [B,C,r,r] in root mean squares of what is wanted, which gets no gradient."""
    wanted = wanted.detach().float()
    return F.l1_loss(found.float(), wanted) / wanted.square().mean().sqrt().clamp_min(1e-6)
