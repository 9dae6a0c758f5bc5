"""Training of StyleGAN2 (Karras et al. 2020) with adaptive discriminator augmentation (Karras et al. 2020a)."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam

from ..checkpoints.load import load_generator
from ..generators.stylegan2.discriminator import Discriminator
from ..generators.stylegan2.generator import StyleGAN2
from .augment import AdaptiveProbability, AugmentPipe
from .checkpoint import discriminator_weights, is_trained, load_trained
from .config import GANConfig
from .data import Batch
from .distributed import Processes
from .losses import discriminator_loss, generator_loss, r1_loss
from .stage import Stage, decay_factor

_SAMPLE_COLUMNS = 8


def style_mixed(generator: StyleGAN2, z: Tensor, z_other: Tensor, share: float) -> Tensor:
    """Map latents [B,D] to W+ codes [B,N,D]; from a random layer on, `share` of them take the other latent's w."""
    w, w_other = generator.broadcast(generator.mapping(z)), generator.broadcast(generator.mapping(z_other))
    n = generator.spec.n_styles
    cut = torch.randint(1, n, (len(z), 1, 1), device=z.device)
    mixes = torch.rand(len(z), 1, 1, device=z.device) < share
    after = torch.arange(n, device=z.device)[None, :, None] >= cut
    return torch.where(mixes & after, w_other, w)


def path_lengths(generator: StyleGAN2, w_plus: Tensor, noise: str = "random") -> Tensor:
    """Measure |J_w^T y| for random pictures y (Karras et al. 2020, equation 4): [B].

    w_plus: [B,N,D] that takes part in the graph.
    """
    pictures = generator(w_plus, noise=noise)
    y = torch.randn_like(pictures) / math.sqrt(pictures.shape[2] * pictures.shape[3])
    (gradient,) = torch.autograd.grad((pictures * y).sum(), w_plus, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()


class PathLengthRegulariser:
    """Penalise the squared distance of path lengths to their running mean."""

    def __init__(self, decay: float = 0.01):
        self.decay = decay
        self.mean = torch.zeros(())

    def __call__(self, lengths: Tensor) -> Tensor:
        """lengths: [B]. Returns the penalty, a number."""
        self.mean = self.mean.to(lengths.device).lerp(lengths.detach().mean().float(), self.decay)
        return (lengths - self.mean).square().mean()


class GANStage(Stage):
    """Train generator and discriminator.

    A batch that knows the latents of its pictures (rendered portraits) may add the paired loss: the generator's
    picture of that latent against the picture itself, with eyes, brows and mouth weighted up, because small
    features are learned last. perceptual: network for the paired loss's perceptual part.
    """

    def __init__(
        self, config: GANConfig, device: torch.device, processes: Processes, perceptual: nn.Module | None = None
    ):
        super().__init__(config.run, device, processes)
        self.config, self.perceptual = config, perceptual
        spec = config.domain.generator
        self.generator = StyleGAN2(spec).to(device)
        self.discriminator = Discriminator(spec).to(device, memory_format=torch.channels_last)
        # Only where no second derivative is taken: path lengths and R1 stay uncompiled.
        self._synthesis, self._paired = self.compiled(self._synthesize), self.compiled(self._pair)
        self.networks = {"generator": self.generator, "discriminator": self.discriminator}
        self.average("generator")
        self.optimizers = {
            "generator": _lazy_adam(self.generator, config, config.path_every if config.path_length else 0),
            "discriminator": _lazy_adam(self.discriminator, config, config.r1_every if config.r1 else 0),
        }
        self.augment = AugmentPipe().to(device)
        self.probability = AdaptiveProbability(config.ada_target or 0.6, config.ada_speed)
        self.path_regulariser = PathLengthRegulariser()

    def start_from(self, path: Path | str) -> list[str]:
        """Take weights of another run (a lower resolution's too) or of a StyleGAN2-ADA pickle, as far as they fit.

        Returns the names of those that stay untrained.
        """
        generator = load_trained(path, "generator")[1] if is_trained(path) else load_generator(path).state_dict()
        left = [f"generator.{key}" for key in load_matching(self.generator, generator)]
        left += [f"discriminator.{k}" for k in load_matching(self.discriminator, discriminator_weights(path))]
        if "generator" in self.averages:
            self.averages["generator"].load_state_dict(self.generator.state_dict())
        return left

    def step(self, number: int, batch: Batch) -> dict[str, Tensor]:
        """Generator, then discriminator, each with its lazy regulariser."""
        config, numbers = self.config, {}
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = group["full_lr"] * decay_factor(number, self.run.steps, config.decay)
        adversarial = config.adversarial > 0 and number >= config.adversarial_start
        self.discriminator.requires_grad_(False)
        self._generator_step(number, batch, adversarial, numbers)
        if adversarial:
            self.discriminator.requires_grad_(True)
            self._discriminator_step(number, batch, numbers)
        with torch.no_grad():  # half-life of about 70 steps, as in StyleGAN2
            self.generator.latent_avg.lerp_(self._mean_w, 0.01)
        return numbers

    def _synthesize(self, w_plus: Tensor) -> Tensor:
        return self.generator(w_plus, noise="random")

    def _latents(self, count: int) -> Tensor:
        return torch.randn(count, self.config.domain.generator.style_dim, device=self.device)

    def _draw(self, count: int) -> Tensor:
        """Draw pictures [count,3,R,R] with style mixing."""
        w_plus = style_mixed(self.generator, self._latents(count), self._latents(count), self.config.style_mixing)
        return self._synthesis(w_plus)

    def _generator_step(self, number: int, batch: Batch, adversarial: bool, numbers: dict[str, Tensor]) -> None:
        config = self.config
        if config.paired:
            self.paired_loss(batch, numbers).backward()
        else:
            self._note_mean_w(self.generator.mapping(self._latents(len(batch))))
        if adversarial:
            with self.mixed():
                logits = self.discriminator(self.augment(self._draw(len(batch))))
                loss = config.adversarial * generator_loss(logits)
            loss.backward()
            numbers["generator"] = loss
        if config.path_length and number % config.path_every == 0:
            count = max(1, len(batch) // config.path_batch_shrink)
            w_plus = style_mixed(self.generator, self._latents(count), self._latents(count), config.style_mixing)
            penalty = self.path_regulariser(path_lengths(self.generator, w_plus))
            (penalty * (config.path_length * config.path_every)).backward()
            numbers["path_length"] = self.path_regulariser.mean
        self.apply_gradients("generator")

    def _note_mean_w(self, w: Tensor) -> None:
        self._mean_w = w.detach().float().mean(dim=0)

    def paired_loss(self, batch: Batch, numbers: dict[str, Tensor]) -> Tensor:
        """Compare the generator's pictures with the true ones of the batch's latents, times the config's weight."""
        config = self.config
        if batch.latent is None:
            raise ValueError("The paired loss needs data that know their latents; set paired to 0 for a folder.")
        with self.mixed():
            w, losses = self._paired(batch.latent, batch.image, batch.feature_mask)
        self._note_mean_w(w)
        numbers |= losses
        return config.paired * losses["paired"]

    def _pair(self, z: Tensor, image: Tensor, feature_mask: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Make the pictures of latents and compare them with those that belong to them: w [B,D], and losses."""
        config = self.config
        w = self.generator.mapping(z)
        made = self.generator(self.generator.broadcast(w), noise="random")
        weight = 1 + config.paired_features * feature_mask
        # L1 keeps edges sharp, L2 brings large errors down first.
        difference = made - image
        losses = {"paired_l2": difference.detach().square().mean()}
        total = ((difference.abs() + difference.square()) * weight).mean()
        if config.paired_perceptual:
            losses["paired_perceptual"] = self.perceptual(made, image).mean()
            total = total + config.paired_perceptual * losses["paired_perceptual"]
        return w, {**losses, "paired": total}

    def _discriminator_step(self, number: int, batch: Batch, numbers: dict[str, Tensor]) -> None:
        config = self.config
        with self.mixed():
            with torch.no_grad():
                drawn = self._draw(len(batch))
            # Made and real pictures apart, so that the minibatch statistic never mixes them.
            made = self.discriminator(self.augment(drawn))
            real = self.discriminator(self.augment(batch.image))
            loss = discriminator_loss(real, made)
        loss.backward()
        numbers |= {"discriminator": loss, "real_logits": real.mean(), "fake_logits": made.mean()}
        if config.r1 and number % config.r1_every == 0:
            penalty = r1_loss(lambda x: self.discriminator(self.augment(x)), batch.image, config.r1, config.r1_every)
            penalty.backward()
            numbers["r1"] = penalty
        self.apply_gradients("discriminator")
        if config.ada_target is not None:
            self.augment.p.fill_(self.probability.update(self.processes.gather(real.detach().float())))
            numbers["augmentation"] = self.augment.p.clone()

    @torch.no_grad()
    def samples(self, batch: Batch) -> Tensor:
        """64 pictures of fixed latents from the averaged generator; with known latents also real and made pairs."""
        generator = self.averaged("generator").eval()
        random = torch.Generator().manual_seed(0)
        z = torch.randn(64, generator.spec.style_dim, generator=random).to(self.device)
        pictures = torch.cat(
            [generator(generator.broadcast(generator.mapping(part)), noise="stored") for part in z.split(8)]
        )
        if batch.latent is not None and len(batch) >= _SAMPLE_COLUMNS:
            made = generator(generator.broadcast(generator.mapping(batch.latent[:8])), noise="stored")
            pictures = torch.cat([batch.image[:8], made, pictures])
        return pictures.unflatten(0, (-1, _SAMPLE_COLUMNS))

    def extra_state(self) -> dict:
        """Augmentation's probability and the running path length."""
        return {
            "augment_p": self.augment.p.clone(),
            "probability": self.probability.state_dict(),
            "path_mean": self.path_regulariser.mean,
        }

    def load_extra_state(self, state: dict) -> None:
        """Take back what `extra_state` gave."""
        self.augment.p.copy_(state["augment_p"])
        self.probability.load_state_dict(state["probability"])
        self.path_regulariser.mean = state["path_mean"].to(self.device)


def _lazy_adam(network: nn.Module, config: GANConfig, every: int) -> Adam:
    """Adam with its rate and momenta scaled for a regulariser on every `every`-th step (Karras et al. 2020, B)."""
    ratio = every / (every + 1) if every else 1.0
    mapping = [p for name, p in network.named_parameters() if name.startswith("style.")]
    others = [p for name, p in network.named_parameters() if not name.startswith("style.")]
    groups = [{"params": others, "full_lr": config.lr * ratio}]
    if mapping:
        groups.append({"params": mapping, "full_lr": config.lr * ratio * config.mapping_rate})
    return Adam(groups, config.lr * ratio, tuple(b**ratio for b in config.betas), eps=1e-8)


def load_matching(network: nn.Module, weights: dict[str, Tensor]) -> list[str]:
    """Load the tensors that fit in name and shape; return the network's names that stay as they are."""
    own = network.state_dict()
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict(fitting, strict=False)
    return sorted(own.keys() - fitting.keys())
