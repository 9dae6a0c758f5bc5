"""Named configurations: the published settings, and those of the demo model.

`NAME` holds the paper's settings, `NAME-released` those of the released code where they differ (longer, with a lower
learning rate, the regulariser as a distance to F_w, the feature ramp, the table of edits); the editor's
`ffhq-1024-six` the paper's with six directions. All published settings are in float32, as their authors trained.

Where text and code can be read in two ways, the presets take the code's and the other is a setting: `halves=sum`,
`feature_regulariser=sum`, `domain.stack_start=block`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..domain import CARS_512, DEMO, FFHQ_1024, PHOTO, DomainSpec
from ..gradual.spec import GradualSpec, gradual_spec
from .config import (
    AdversarialConfig,
    AttributesConfig,
    E4EConfig,
    EditDraw,
    EditorConfig,
    GANConfig,
    InverterConfig,
    LossConfig,
    OptimizerConfig,
    RunConfig,
    load_file,
)
from .edit_tables import CARS, PAPER_FACES, RELEASED_FACES, SIX_FACES
from .errors import ConfigError
from .gradual_config import GradualConfig, MisalignConfig

# The settings of every stage.
CONFIGS = {
    "gan": GANConfig,
    "e4e": E4EConfig,
    "inverter": InverterConfig,
    "editor": EditorConfig,
    "attributes": AttributesConfig,
    "gradual": GradualConfig,
}

# Section 3 of the paper: Ranger at 2e-4, batch 8, phase 1's discriminator from step 14,000; faces and other domains
# differ in the identity network and its weight. Phase 2 goes on with phase 1's discriminator from its first step (the
# released run counts its steps on from phase 1's 300,000, past its 45,000).
_FACES = LossConfig()
_OTHERS = LossConfig(identity=0.5, identity_network="moco")
_PAPER = OptimizerConfig(lr=2e-4)
_RELEASED = OptimizerConfig(lr=1e-4)
_LATE = AdversarialConfig(start=45_000)
_AT_ONCE = AdversarialConfig(start=0)


def _published(steps: int) -> RunConfig:
    return RunConfig(steps=steps, batch=8, precision="fp32", log_every=500, sample_every=5_000, save_every=5_000)


def _inverters(domain: DomainSpec, losses: LossConfig) -> dict[str, InverterConfig]:
    paper = InverterConfig(domain, _published(37_500), _PAPER, losses)
    released = replace(
        paper,
        run=_published(300_000),
        optimizer=_RELEASED,
        adversarial=_LATE,
        feature_regulariser="distance",
        feature_ramp=10_000,
    )
    return {domain.name: paper, f"{domain.name}-released": released}


def _editors(
    domain: DomainSpec, losses: LossConfig, edits: tuple[EditDraw, ...], released_edits: tuple[EditDraw, ...]
) -> dict[str, EditorConfig]:
    paper = EditorConfig(domain, _published(20_000), _PAPER, losses, _AT_ONCE, edits=edits)
    released = replace(
        paper,
        run=_published(200_000),
        optimizer=_RELEASED,
        edits=released_edits,
        inverter_statistics="drifting",
    )
    return {domain.name: paper, f"{domain.name}-released": released}


# StyleGAN2's config F: 25 million pictures, batch 32, averages with a half-life of 10,000 pictures; R1 of 10 for faces
# and 100 for cars. It has no augmentation.
def _config_f(domain: DomainSpec, r1: float) -> GANConfig:
    run = replace(_published(781_250), batch=32, ema_halflife=10_000)
    return GANConfig(domain, run, r1=r1, ada_target=None)


# Rendered portraits know their latents, so the demo's generator learns by the paired loss, at 32, 64 and 128 px one
# after another, and adversarially at the end (see the model card). No picture is mirrored: the light has a side.
def demo_generator(resolution: int) -> DomainSpec:
    """Describe the demo domain's generator cut at a lower resolution, for the first steps of its training."""
    channels = DEMO.generator.channels[: resolution.bit_length() - 2]
    generator = replace(DEMO.generator, resolution=resolution, channels=channels)
    k = generator.n_layers - 2
    size = 4 * generator.layer_resolution(k)
    return replace(
        DEMO, name=f"demo-{resolution}", generator=generator, feature_layer=k, delta_layer=k, encoder_size=(size, size)
    )


def _demo_run(steps: int, batch: int = 16, **settings) -> RunConfig:
    base = {
        "log_every": 100,
        "sample_every": 500,
        "save_every": 250,
        "mirror": False,
        "workers": 0,
        "ema_halflife": 5_000,
        "pictures": 16_000,
    }
    return RunConfig(steps=steps, batch=batch, **(base | settings))


def _demo_gan(resolution: int, steps: int, batch: int = 16, **settings) -> GANConfig:
    base = {
        "betas": (0.9, 0.99),
        "lr": 3e-3,
        "path_length": 0.0,
        "ada_target": None,
        "adversarial": 0.0,
        "paired": 1.0,
        "mapping_rate": 150.0,
        "decay": 0.5,
    }
    domain = DEMO if resolution == 128 else demo_generator(resolution)
    return GANConfig(domain, _demo_run(steps, batch), **(base | settings))


# The attribute network's distance is about 20 times as large as LPIPS; its embedding would add nothing to it.
_DEMO_LOSSES = LossConfig(lpips=0.04, identity=0.0, perceptual_network="attributes", size=None)
# Details are small in L2; the perceptual distance weighs less where they are to be kept.
_DEMO_INVERTER_LOSSES = replace(_DEMO_LOSSES, lpips=0.003)
_DEMO_EDITOR_LOSSES = replace(_DEMO_LOSSES, lpips=0.006)
# Details are drawn by the picture itself; edges, small in L2, by its gradient.
_DEMO_GRADUAL_LOSSES = LossConfig(l1=0.1, gradient=0.1, lpips=0.0, identity=0.0, size=None)
_DEMO_OPTIMIZER = OptimizerConfig("ranger", 2e-3, decay=0.4)


def _photo_run(steps: int, batch: int, **settings) -> RunConfig:
    base = {"precision": "fp32", "log_every": 25, "sample_every": 500, "save_every": 100, "workers": 0, "size": 256}
    return RunConfig(
        steps=steps, batch=batch, clip=1.0, **(base | {"ema_halflife": 2_000, "pictures": 8_000} | settings)
    )


# Without LPIPS's networks: on two cores a step must stay at a few seconds.
_PHOTO_LOSSES = LossConfig(l1=0.3, gradient=0.3, lpips=0.0, identity=0.0, size=None)
_PHOTO_PERCEPTUAL = replace(_PHOTO_LOSSES, lpips=0.02, perceptual_network="mobilenet")


# What the shipped model was trained on with in ten minutes of a GPU (the model card), each from the weights before.
def _gpu_run(steps: int, batch: int, **settings) -> RunConfig:
    base = {"size": 512, "log_every": 100, "ema_halflife": 8_000, "jitter": True}
    return _photo_run(steps, batch, **(base | settings))


def _gpu_adam(lr: float) -> OptimizerConfig:
    return OptimizerConfig("adam", lr, (0.9, 0.99), decay=0.7)


_PHOTO_INVERTER = InverterConfig(
    PHOTO,
    _photo_run(2_000, 8, samples=2, size=512),
    OptimizerConfig("adam", 7e-4, (0.9, 0.99), decay=0.5),
    _PHOTO_PERCEPTUAL,
    AdversarialConfig(weight=0.0),
    feature_regulariser="distance",
    regulariser=3e-3,
    window=16,
    windows=2,
    code=0.5,
    feature=0.1,
    frozen_w=1,
    w_rate=0.2,
    painted=0.3,
)
_PHOTO_EDITOR = EditorConfig(
    PHOTO,
    _photo_run(320, 3, size=512),
    OptimizerConfig("adam", 2e-4, (0.9, 0.99), decay=0.5),
    _PHOTO_PERCEPTUAL,
    AdversarialConfig(weight=0.0),
    window=16,
    windows=2,
)

PRESETS: dict[str, dict] = {
    "gan": {
        "ffhq-1024": _config_f(FFHQ_1024, 10.0),
        "cars-512": _config_f(CARS_512, 100.0),
        "demo-32": _demo_gan(32, 3_000, 32, lr=8e-3),
        "demo": _demo_gan(128, 6_000, lr=6e-3, paired_features=8.0, paired_perceptual=0.03),
        "demo-adversarial": _demo_gan(
            128,
            1_300,
            8,
            lr=2e-3,
            betas=(0.0, 0.99),
            mapping_rate=30.0,
            decay=0.3,
            adversarial=0.05,
            paired_perceptual=0.2,
            r1=0.1,
        ),
    },
    "e4e": {
        "ffhq-1024": E4EConfig(FFHQ_1024, _published(200_000), _RELEASED, _FACES),
        "cars-512": E4EConfig(CARS_512, _published(200_000), _RELEASED, _OTHERS),
        "demo": E4EConfig(
            DEMO,
            _demo_run(1_500),
            _DEMO_OPTIMIZER,
            _DEMO_LOSSES,
            progressive_start=400,
            progressive_every=30,
            discriminator_lr=2e-4,
        ),
        "photo": E4EConfig(
            PHOTO,
            _photo_run(3_000, 48, samples=44),
            OptimizerConfig("adam", 1e-3, (0.9, 0.99), decay=0.6),
            _PHOTO_LOSSES,
            progressive_start=200,
            progressive_every=20,
            discriminator_weight=0.0,
            code=10.0,
            window=16,
        ),
        "photo-gpu": E4EConfig(
            PHOTO,
            _gpu_run(1_160, 56, samples=36, size=256),
            _gpu_adam(6e-4),
            replace(_PHOTO_PERCEPTUAL, lpips=0.05, identity=0.2, identity_network="mobilefacenet", size=256),
            progressive_start=0,
            progressive_every=1,
            discriminator_weight=0.0,
            code=5.0,
            code_pictures=8,
        ),
    },
    "inverter": {
        "photo": _PHOTO_INVERTER,
        "photo-gpu": replace(
            _PHOTO_INVERTER, run=_gpu_run(990, 16, samples=4, jitter=False), optimizer=_gpu_adam(4e-4)
        ),
        **_inverters(FFHQ_1024, _FACES),
        **_inverters(CARS_512, _OTHERS),
        "demo": InverterConfig(
            DEMO,
            _demo_run(7_500),
            _DEMO_OPTIMIZER,
            _DEMO_INVERTER_LOSSES,
            AdversarialConfig(weight=0.0),
            feature_regulariser="distance",
        ),
    },
    "editor": {
        "photo": _PHOTO_EDITOR,
        "photo-gpu": replace(_PHOTO_EDITOR, run=_gpu_run(1_520, 10), optimizer=_gpu_adam(4e-4), delta_code="source"),
        **_editors(FFHQ_1024, _FACES, PAPER_FACES, RELEASED_FACES),
        "ffhq-1024-six": EditorConfig(FFHQ_1024, _published(20_000), _PAPER, _FACES, _AT_ONCE, edits=SIX_FACES),
        **_editors(CARS_512, _OTHERS, CARS, CARS),
        "demo": EditorConfig(
            DEMO,
            _demo_run(2_980),
            _DEMO_OPTIMIZER,
            _DEMO_EDITOR_LOSSES,
            AdversarialConfig(weight=0.0),
            inversion_weight=5.0,
            start="difference",
        ),
    },
    "gradual": {
        "ffhq-1024": GradualConfig(
            FFHQ_1024, _published(60_000), gradual_spec(FFHQ_1024), _PAPER, _FACES, alone=40_000, stage_every=5_000
        ),
        "demo": GradualConfig(
            DEMO,
            _demo_run(1_700, 8, pictures=4_000, log_every=25, save_every=50, ema_halflife=2_000),
            gradual_spec(DEMO, key="residual+features"),
            OptimizerConfig("adam", 1.5e-3, (0.9, 0.99), decay=0.5),
            _DEMO_GRADUAL_LOSSES,
            MisalignConfig(identity=0.35),
            alone=200,
            stage_every=30,
            aligned=0.5,
        ),
        "photo-gpu": GradualConfig(
            PHOTO,
            _gpu_run(2_000, 8),
            GradualSpec((10, 13, 16), (128, 128, 64), key="residual+features"),
            _gpu_adam(1e-3),
            _PHOTO_PERCEPTUAL,
            MisalignConfig(identity=0.35),
            alone=350,
            stage_every=60,
            aligned=0.5,
        ),
    },
    "attributes": {"demo": AttributesConfig(DEMO, _demo_run(4_000, 32))},
}


def find_config(stage: str, name_or_file: str):
    """Return a stage's named configuration, or read it from a JSON file. Raises ConfigError."""
    named = PRESETS[stage]
    if name_or_file in named:
        return named[name_or_file]
    if Path(name_or_file).suffix.lower() == ".json" or Path(name_or_file).is_file():
        return load_file(CONFIGS[stage], name_or_file)
    raise ConfigError(
        f"There is no {stage} configuration {name_or_file!r}; expected {', '.join(named)} or a .json file."
    )
