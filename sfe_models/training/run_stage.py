"""Put a stage together from its configuration and the runs or files that it builds on, and train it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..directions.library import DirectionLibrary
from ..encoders.families import make_e4e, make_inverter
from ..encoders.mobile import MobileE4E, MobileInverter
from ..generators.families import make_generator
from ..generators.stylegan2.discriminator import Discriminator
from ..generators.stylegan2.spec import StyleGAN2Spec
from ..perception.attribute_network import save_attribute_network
from ..perception.mobilenet_distance import load_backbone
from ..precision import native_precision
from .attributes import AttributesStage
from .checkpoint import LAST, discriminator_weights, fill_from_run, has_discriminator, load_network, run_settings
from .data import Interleaved, open_pictures
from .distributed import Processes
from .drawn_edits import drawn_edits
from .e4e import E4EStage
from .editor import EditorStage, TrainedNetworks
from .errors import ConfigError
from .gan import GANStage, load_matching
from .gradual import GradualTraining
from .inverter import InverterStage
from .loop import train
from .losses import ATTRIBUTES_FILE, perceptual_network, reconstruction_loss
from .presets import CONFIGS
from .samples import GeneratedPictures
from .stage import Stage

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sources:
    """What a stage builds on: training runs, or files that `load_networks` reads.

    start: a run that has what this stage trains; a GAN also takes a StyleGAN2-ADA pickle, and what fits of a lower
    resolution's run; discriminator: a run or a pickle, None takes that of the Inverter's run, or starts an untrained
    one; backbone: MobileNetV2's published weights, for an untrained small encoder to start from; weights: folder of
    LPIPS, identity and attribute networks; directions: folders of direction files.
    """

    start: str | None = None
    generator: str | None = None
    e4e: str | None = None
    inverter: str | None = None
    discriminator: str | None = None
    backbone: str | None = None
    weights: str = "weights"
    directions: tuple[str, ...] = ()

    def need(self, name: str) -> str:
        """Return a source that the stage cannot do without; raises ConfigError."""
        value = getattr(self, name)
        if value is None:
            raise ConfigError(f"This stage needs --{name}: a training run's folder, or a file that holds the network.")
        return value


_WHY = {
    "bf16": "the device computes bfloat16 itself; --set run.precision=fp32 is exact.",
    "fp32": "the device only emulates bfloat16, which would be slower.",
}
# The network that a stage trains, as checkpoints name it; a GAN has a start of its own.
_LEARNERS = {
    "attributes": "attributes",
    "e4e": "e4e_encoder",
    "inverter": "inverter",
    "editor": "feature_editor",
    "gradual": "gradual",
}


def make_stage(config, sources: Sources, device: torch.device, processes: Processes) -> Stage:
    """Make the stage that a configuration is for, with its start's weights if there is one."""
    torch.manual_seed(config.run.seed)
    kind = next(name for name, cls in CONFIGS.items() if cls is type(config))
    stage = _new_stage(kind, config, sources, device, processes)
    if sources.backbone is not None and kind in ("e4e", "inverter"):
        start_backbone(stage.networks[_LEARNERS[kind]], sources.backbone)
    if sources.start is not None and kind in _LEARNERS:
        name = _LEARNERS[kind]
        fill_from_run(sources.start, name, *(held[name] for held in (stage.networks, stage.averages) if name in held))
    return stage


def _new_stage(stage: str, config, sources: Sources, device: torch.device, processes: Processes) -> Stage:
    if stage == "attributes":
        return AttributesStage(config, device, processes)
    if stage == "gan":
        perceptual = perceptual_network("attributes", sources.weights) if config.paired_perceptual else None
        gan = GANStage(config, device, processes, perceptual)
        if sources.start is not None:
            left = gan.start_from(sources.start)
            logger.info("Started anew: %s", ", ".join(left) or "nothing")
        return gan
    domain = config.domain
    _check_family(config)
    reconstruction = reconstruction_loss(config.losses, sources.weights)
    generator = load_network(sources.need("generator"), "generator", make_generator(domain.generator))
    if stage == "e4e":
        return E4EStage(config, generator, reconstruction, device, processes)
    if stage == "gradual":
        encoder = load_network(sources.need("e4e"), "e4e_encoder", make_e4e(domain))
        return GradualTraining(config, generator, encoder, reconstruction, device, processes)
    discriminator = _discriminator(config, sources)
    if stage == "inverter":
        inverter = InverterStage(config, generator, discriminator, reconstruction, device, processes)
        if sources.e4e is not None and not isinstance(inverter.inverter, MobileInverter):
            logger.warning("Only a small Inverter begins with the w of --e4e; this one begins without it.")
        elif sources.e4e is not None:
            start_code(inverter.inverter, load_network(sources.e4e, "e4e_encoder", make_e4e(domain)))
        return inverter
    encoder = load_network(sources.need("e4e"), "e4e_encoder", make_e4e(domain))
    inverter = load_network(sources.need("inverter"), "inverter", make_inverter(domain))
    edits = drawn_edits(config.edits, DirectionLibrary(domain, sources.directions))
    trained = TrainedNetworks(generator, encoder, inverter)
    return EditorStage(config, trained, discriminator, edits, reconstruction, device, processes)


def _check_family(config) -> None:
    """Refuse what the generator's family does not offer, before anything is loaded. Raises ConfigError."""
    stylegan2 = isinstance(config.domain.generator, StyleGAN2Spec)
    if getattr(config, "window", None) is not None and stylegan2:
        raise ConfigError("window is for generators that carry nothing beside F_k; set window=null for a StyleGAN2.")
    if not stylegan2 and getattr(config, "adversarial", None) is not None and config.adversarial.weight:
        raise ConfigError("The discriminator is StyleGAN2's; set adversarial.weight=0 for another generator.")


def start_backbone(network, path: str) -> None:
    """Give a small encoder the published ImageNet weights of its backbone. Raises ConfigError for another encoder."""
    if not hasattr(network, "backbone"):
        raise ConfigError("--backbone is for the small encoders around MobileNetV2; this domain has others.")
    load_backbone(network.backbone, path)


def start_code(inverter: MobileInverter, encoder: MobileE4E) -> None:
    """Let a small Inverter's w begin as an e4e encoder's. Raises ConfigError for encoders without the same parts."""
    if not isinstance(inverter, MobileInverter) or not isinstance(encoder, MobileE4E):
        raise ConfigError("An Inverter begins with an e4e encoder's w (--e4e) only between the small encoders.")
    inverter.backbone.load_state_dict(encoder.backbone.state_dict())
    inverter.heads.load_state_dict(encoder.heads.state_dict())


def _discriminator(config, sources: Sources) -> Discriminator | None:
    if not config.adversarial.weight:
        return None
    discriminator = Discriminator(config.domain.generator)
    path = sources.discriminator
    if path is None and sources.inverter is not None and has_discriminator(sources.inverter):
        path = sources.inverter
    if path is None:
        logger.warning("Without --discriminator the adversarial loss begins with an untrained one.")
        return discriminator
    missing = load_matching(discriminator, discriminator_weights(path))
    if missing:
        raise ConfigError(f"The discriminator of {path} does not fit this domain ({missing[0]} differs).")
    return discriminator


def _precision(name: str, device: torch.device, output: Path | str) -> str:
    """Choose the precision of "auto": what the run in `output` has, else what the device computes itself."""
    if name == "auto" and (Path(output) / LAST).is_file():
        return run_settings(output)["precision"]
    chosen = native_precision(name, device)
    if chosen != name:
        logger.warning("run.precision is %s: %s", chosen, _WHY[chosen])
    return chosen


def run_stage(
    config,
    data: str,
    output: Path | str,
    sources: Sources,
    device: torch.device,
    cache: Path | str | None = None,
    stop_after: int | None = None,
) -> Path:
    """Train one stage, from the beginning or from its last checkpoint; returns that of the end."""
    processes = Processes.start(device)
    gan = CONFIGS["gan"] is type(config)
    height, width = config.domain.picture_size
    size = (height, width) if config.run.size is None else (config.run.size * height // width, config.run.size)
    pictures = open_pictures(
        data,
        size,
        config.run.pictures,
        details=not gan,  # a generator learns people; what only a feature can hold is left to F_k
        latent_dim=config.domain.generator.style_dim,
        cache=cache,
    )
    if not config.run.samples:
        config = replace(config, run=replace(config.run, pictures=len(pictures)))
    config = replace(config, run=replace(config.run, precision=_precision(config.run.precision, device, output)))
    stage = make_stage(config, sources, device, processes)
    if config.run.samples:
        samples = GeneratedPictures(stage.generator, config.run.pictures, config.domain.encoder_size, cache)
        pictures = Interleaved(samples, pictures, config.run.samples / config.run.batch)
    last = train(stage, config, pictures, output, processes, stop_after)
    if isinstance(stage, AttributesStage) and processes.rank == 0:
        save_attribute_network(stage.averaged("attributes"), Path(output) / ATTRIBUTES_FILE)
    processes.stop()
    return last
