"""What the tests of training share: a family of pictures, small runs, and stages that take milliseconds a step."""

import json
from pathlib import Path

import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.families.stylespace import StyleOffsetDirection
from sfe_models.domain import tiny_domain
from sfe_models.generators.stylegan2.discriminator import Discriminator
from sfe_models.training.config import (
    AdversarialConfig,
    E4EConfig,
    EditorConfig,
    GANConfig,
    InverterConfig,
    LossConfig,
    OptimizerConfig,
    RunConfig,
)
from sfe_models.training.data import Batch
from sfe_models.training.distributed import Processes
from sfe_models.training.drawn_edits import DrawnEdit
from sfe_models.training.e4e import E4EStage
from sfe_models.training.editor import EditorStage, TrainedNetworks
from sfe_models.training.gan import GANStage
from sfe_models.training.inverter import InverterStage
from sfe_models.training.losses import ReconstructionLoss

SPEC = tiny_domain(16, 16)
CPU = torch.device("cpu")
ALONE = Processes()
ONLY_L2 = LossConfig(lpips=0.0, identity=0.0, size=None)
EARLY = AdversarialConfig(weight=0.05, start=2, lr=1e-3, r1=1.0, r1_every=3)
RANGER = OptimizerConfig("ranger", 3e-3, decay=0.3)


class Dots:
    """A coloured disc on a gradient, which a few numbers describe, under random small dots, which they do not.

    Batches know the latents of disc and gradient. details: how many dots; moved: is added to every latent, under the
    same dots.
    """

    def __init__(self, count, size=16, dim=16, details=6, first=0, moved=0.0):
        pictures, self.z = [], []
        y, x = torch.meshgrid(*[torch.linspace(-1, 1, size)] * 2, indexing="ij")
        for i in range(first, first + count):
            random = torch.Generator().manual_seed(i)
            z = torch.randn(dim, generator=random) + moved
            self.z.append(z)
            s = torch.tanh(0.7 * z)
            picture = (s[:3, None, None] + 0.5 * (s[3] * x + s[4] * y)).clamp(-1, 1) * 0.8
            distance = ((x - 0.5 * s[5]) ** 2 + (y - 0.5 * s[6]) ** 2).sqrt()
            disc = torch.sigmoid((0.45 + 0.2 * s[7] - distance) * size / 2)
            picture = picture * (1 - disc) + s[8:11, None, None] * disc
            for row, column in torch.randint(size - 1, (details, 2), generator=random).tolist():
                colour = torch.rand(3, 1, 1, generator=random) * 2 - 1
                picture[:, row : row + 2, column : column + 2] = colour
            pictures.append(picture)
        self.image, self.z = torch.stack(pictures), torch.stack(self.z)

    def __len__(self):
        return len(self.image)

    def __getitem__(self, indices):
        image = self.image[indices]
        return Batch(image, self.z[indices], torch.zeros_like(image[:, :1]))


def short(steps, batch=4, **settings):
    """A run that logs every step and writes only at its end."""
    rarely = 10**6
    base = {"log_every": 1, "sample_every": rarely, "save_every": rarely, "precision": "fp32", "workers": 0}
    return RunConfig(steps, batch, **(base | {"mirror": False} | settings))


def log(output):
    """The numbers of a run: a list for each name."""
    lines = [json.loads(line) for line in (Path(output) / "log.jsonl").read_text().splitlines()]
    return {name: [line[name] for line in lines if name in line] for name in sorted(set().union(*lines))}


def gan_config(steps, spec=SPEC, batch=4, ema_halflife=20, **settings):
    base = {"path_every": 2, "r1_every": 3, "ada_target": -0.9, "ada_speed": 100}
    return GANConfig(spec, short(steps, batch, ema_halflife=ema_halflife), **(base | settings))


def e4e_config(steps, spec=SPEC, batch=4, ema_halflife=20, **settings):
    base = {"progressive_start": 3, "progressive_every": 3, "pool": 6, "r1_every": 3}
    run = short(steps, batch, ema_halflife=ema_halflife)
    return E4EConfig(spec, run, RANGER, ONLY_L2, **(base | settings))


def inverter_config(steps, spec=SPEC, batch=4, ema_halflife=20, **settings):
    base = {"optimizer": RANGER, "losses": ONLY_L2, "adversarial": EARLY, "feature_ramp": 6}
    return InverterConfig(spec, short(steps, batch, ema_halflife=ema_halflife), **(base | settings))


def editor_config(steps, spec=SPEC, batch=4, ema_halflife=20, **settings):
    base = {"optimizer": RANGER, "losses": ONLY_L2, "adversarial": EARLY, "feature_ramp": 6}
    return EditorConfig(spec, short(steps, batch, ema_halflife=ema_halflife), **(base | settings))


def edits(spec=SPEC):
    """One W+ direction with a range of strengths, one StyleSpace direction with a table of them."""
    random = torch.Generator().manual_seed(1)
    linear = torch.randn(1, spec.generator.style_dim, generator=random) * 0.3
    widths = [spec.generator.layer_channels(i) for i in range(spec.generator.n_layers)]
    offsets = tuple(torch.randn(width, generator=random) * 0.3 for width in widths)
    return [
        DrawnEdit(LinearDirection(DirectionInfo("move", "test", spec.subject), linear), (), (-2.0, 2.0)),
        DrawnEdit(StyleOffsetDirection(DirectionInfo("style", "test", spec.subject), offsets), (-1.0, 0.5, 2.0), None),
    ]


def make(config, seed=0):
    """The stage of a configuration, its own weights drawn anew by `seed`, on fixed random networks before it."""
    given = random_networks(config.domain, folded=False)
    torch.manual_seed(seed)
    if isinstance(config, GANConfig):
        return GANStage(config, CPU, ALONE)
    loss = ReconstructionLoss(config.losses, None, None)
    if isinstance(config, E4EConfig):
        return E4EStage(config, given.generator, loss, CPU, ALONE)
    discriminator = Discriminator(config.domain.generator)
    if isinstance(config, InverterConfig):
        return InverterStage(config, given.generator, discriminator, loss, CPU, ALONE)
    trained = TrainedNetworks(given.generator, given.e4e_encoder, given.inverter)
    return EditorStage(config, trained, discriminator, edits(config.domain), loss, CPU, ALONE)
