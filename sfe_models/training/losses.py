"""Losses that several stages share."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.present import MissingWeightsError
from ..perception.attribute_network import load_attribute_network
from ..perception.face_classes import find_face_classes, load_face_classes
from ..perception.identity import find_arcface, find_moco, load_arcface, load_moco
from ..perception.lpips import find_lpips, load_lpips
from ..perception.mobilefacenet import find_mobilefacenet, load_mobilefacenet
from ..perception.mobilenet_distance import find_mobilenet, load_mobilenet_distance
from ..perception.parsing_unet import ParsingDistance, find_parsing_unet, load_parsing_unet
from ..perception.stlpips import find_stlpips, load_stlpips
from .config import AdversarialConfig, LossConfig
from .errors import ConfigError

ATTRIBUTES_FILE = "attributes.safetensors"
# Where smooth L1 turns from L2 to L1 (Girshick 2015, Fast R-CNN, turns at 1).
_BETA = 0.1


def generator_loss(logits: Tensor) -> Tensor:
    """Non-saturating loss: -log sigmoid of the logits of made pictures or codes (Goodfellow et al. 2014)."""
    return F.softplus(-logits).mean()


def discriminator_loss(real: Tensor, made: Tensor) -> Tensor:
    """Logistic loss of the logits of real and made pictures or codes."""
    return F.softplus(-real).mean() + F.softplus(made).mean()


def gradient_penalty(logits: Tensor, inputs: Tensor) -> Tensor:
    """R1 without its factor gamma / 2: mean squared norm of the logits' gradient (Mescheder et al. 2018).

    inputs: [B,...] that require gradients, from which the logits were computed.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1).mean()


def r1_loss(discriminator: nn.Module, real: Tensor, gamma: float, every: int) -> Tensor:
    """Lazy R1 for real pictures or codes [B,...], scaled for a step in `every` (Karras et al. 2020, section 3.1)."""
    real = real.detach().requires_grad_(True)
    return gradient_penalty(discriminator(real), real) * (gamma / 2 * every)


class ReconstructionLoss(nn.Module):
    """L2, perceptual, identity and parsing distance between pictures, weighted; zero weights need no network.

    perceptual, parsing: modules with pictures a, b [B,3,H,W] in [-1,1] to distances [B]; identity: one with `embed`, to
    unit vectors [B,E].
    """

    def __init__(
        self,
        config: LossConfig,
        perceptual: nn.Module | None,
        identity: nn.Module | None,
        parsing: nn.Module | None = None,
    ):
        super().__init__()
        self.config = config
        self.perceptual, self.identity, self.parsing = perceptual, identity, parsing

    def forward(self, made: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Compute the losses of made pictures [B,3,H,W]; "reconstruction" is the weighted sum."""
        config = self.config
        if config.size is not None and made.shape[-1] != config.size:
            size = made.shape[-2] * config.size // made.shape[-1], config.size
            made, target = (F.adaptive_avg_pool2d(x, size) for x in (made, target))
        elif made.shape != target.shape:
            made = F.adaptive_avg_pool2d(made, target.shape[-2:])
        losses = {"l2": F.mse_loss(made, target)}
        total = config.l2 * losses["l2"]
        if config.l1:
            losses["l1"] = F.l1_loss(made, target)
            total = total + config.l1 * losses["l1"]
        if config.smooth_l1:
            losses["smooth_l1"] = F.smooth_l1_loss(made, target, beta=_BETA)
            total = total + config.smooth_l1 * losses["smooth_l1"]
        if config.gradient:
            difference = made - target
            losses["gradient"] = difference.diff(dim=2).abs().mean() + difference.diff(dim=3).abs().mean()
            total = total + config.gradient * losses["gradient"]
        if config.lpips:
            losses["lpips"] = self.perceptual(made, target).mean()
            total = total + config.lpips * losses["lpips"]
        if config.identity:
            with torch.no_grad():
                wanted = self.identity.embed(target)
            losses["identity"] = 1 - (self.identity.embed(made) * wanted).sum(dim=1).mean()
            total = total + config.identity * losses["identity"]
        if config.parsing:
            losses["parsing"] = self.parsing(made, target).mean()
            total = total + config.parsing * losses["parsing"]
        return {**losses, "reconstruction": total}


def reconstruction_loss(config: LossConfig, weights: Path | str) -> ReconstructionLoss:
    """Load the networks that the weights of the losses ask for, from a folder of weight files.

    Raises MissingWeightsError with the file's name and where to put it, ConfigError for an unknown network.
    """
    perceptual = identity = parsing = None
    if config.lpips:
        perceptual = perceptual_network(config.perceptual_network, weights)
    if config.identity:
        loaders = {
            "arcface": lambda: load_arcface(find_arcface(weights)),
            "moco": lambda: load_moco(find_moco(weights)),
            "mobilefacenet": lambda: load_mobilefacenet(find_mobilefacenet(weights)),
            "attributes": lambda: load_attribute_network(find_attribute_network(weights)),
        }
        if config.identity_network not in loaders:
            raise ConfigError(f"identity_network is {config.identity_network!r}; expected {', '.join(loaders)}.")
        identity = loaders[config.identity_network]()
    if config.parsing:
        parsing = parsing_distance(config.parsing_network, weights)
    return ReconstructionLoss(config, perceptual, identity, parsing).eval().requires_grad_(False)


def parsing_distance(name: str, weights: Path | str) -> ParsingDistance:
    """Load a network that parses faces, as a distance of pictures a and b [B,3,H,W] in [-1,1] to [B]."""
    if name == "unet":
        return ParsingDistance(load_parsing_unet(find_parsing_unet(weights)))
    if name == "small":
        return ParsingDistance(load_face_classes(find_face_classes(weights)))
    raise ConfigError(f"parsing_network is {name!r}; expected unet or small.")


def perceptual_network(name: str, weights: Path | str) -> nn.Module:
    """Load a network of perceptual distances, pictures a and b [B,3,H,W] in [-1,1] to [B]."""
    if name in ("alex", "vgg"):
        return load_lpips(*find_lpips(weights, name)).eval().requires_grad_(False)
    if name == "stlpips":
        return load_stlpips(find_stlpips(weights)).eval().requires_grad_(False)
    if name == "mobilenet":
        return load_mobilenet_distance(find_mobilenet(weights))
    if name == "attributes":
        network = load_attribute_network(find_attribute_network(weights))
        return PerceptualDistance(network).eval().requires_grad_(False)
    raise ConfigError(f"perceptual_network is {name!r}; expected alex, vgg, stlpips, mobilenet or attributes.")


def find_attribute_network(weights: Path | str) -> Path:
    """Return the attribute network's file in a folder; raises MissingWeightsError."""
    path = Path(weights) / ATTRIBUTES_FILE
    if not path.is_file():
        raise MissingWeightsError(
            f"The attribute network of the rendered domain is not there: put {ATTRIBUTES_FILE} of a run of "
            f"`python -m sfe_models train attributes --config demo --data demo` into {weights}."
        )
    return path


class PerceptualDistance(nn.Module):
    """The perceptual distance of an attribute network, as a module of its own."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """a, b: [B,3,H,W] in [-1,1]. Returns [B]."""
        return self.network.perceptual_distance(a, b)


class PictureAdversary:
    """The picture discriminator that both SFE phases train beside their encoder."""

    def __init__(self, discriminator: nn.Module | None, config: AdversarialConfig, device: torch.device):
        self.config = config
        # By the names that a stage keeps them under; without a discriminator, as with weight 0, there is nothing.
        self.networks: dict[str, nn.Module] = {}
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        if discriminator is not None:
            self.networks = {"discriminator": discriminator.to(device)}
            self.optimizers = {"discriminator": torch.optim.Adam(discriminator.parameters(), config.lr, config.betas)}

    @property
    def discriminator(self) -> nn.Module:
        return self.networks["discriminator"]

    def active(self, step: int) -> bool:
        """Whether step `step` has an adversarial loss."""
        return self.config.weight > 0 and step >= self.config.start

    def encoder_loss(self, made: Tensor) -> Tensor:
        """Non-saturating loss of made pictures [B,3,R,R]."""
        self.discriminator.requires_grad_(False)
        return generator_loss(self.discriminator(made))

    def backward(self, step: int, made: Tensor, real: Tensor) -> dict[str, Tensor]:
        """Leave the discriminator's gradients for made and real pictures; the caller applies them."""
        self.discriminator.requires_grad_(True)
        made_logits, real_logits = self.discriminator(made.detach()), self.discriminator(real)
        # The released code takes the mean of both halves, not their sum.
        loss = discriminator_loss(real_logits, made_logits) / 2
        loss.backward()
        numbers = {"discriminator": loss, "real_logits": real_logits.mean(), "fake_logits": made_logits.mean()}
        if step % self.config.r1_every == 0:
            with torch.autocast(real.device.type, enabled=False):
                penalty = r1_loss(self.discriminator, real.float(), self.config.r1, self.config.r1_every)
            penalty.backward()
            numbers["r1"] = penalty
        return numbers
