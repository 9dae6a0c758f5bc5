"""The configurations of the demo model, whose people are rendered."""

from __future__ import annotations

from dataclasses import replace

from ..domain import DEMO, DomainSpec
from ..gradual.spec import gradual_spec
from .config import (
    AdversarialConfig,
    AttributesConfig,
    E4EConfig,
    EditorConfig,
    GANConfig,
    InverterConfig,
    LossConfig,
    OptimizerConfig,
    RunConfig,
)
from .gradual_config import GradualConfig, MisalignConfig


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
# F_k of twice the side, half the picture's: freckles and frames fit in (the model card compares).
_DEMO_FINE = replace(
    DEMO, name="demo-fine", feature_layer=9, delta_layer=9, inverter=replace(DEMO.inverter, strides=(2, 1, 1, 2))
)

DEMO_PRESETS: dict[str, dict] = {
    "gan": {
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
        "demo": E4EConfig(
            DEMO,
            _demo_run(1_500),
            _DEMO_OPTIMIZER,
            _DEMO_LOSSES,
            progressive_start=400,
            progressive_every=30,
            discriminator_lr=2e-4,
        ),
    },
    "inverter": {
        "demo": InverterConfig(
            DEMO,
            _demo_run(7_500),
            _DEMO_OPTIMIZER,
            _DEMO_INVERTER_LOSSES,
            AdversarialConfig(weight=0.0),
            feature_regulariser="distance",
        ),
        "demo-fine": InverterConfig(
            _DEMO_FINE,
            _demo_run(1_270, 32, clip=1.0, ema_halflife=20_000),
            OptimizerConfig("adam", 1.5e-3, (0.9, 0.99), decay=0.6),
            replace(_DEMO_INVERTER_LOSSES, l1=0.1, gradient=0.1),
            AdversarialConfig(weight=0.0),
            feature_regulariser="distance",
        ),
    },
    "editor": {
        "demo": EditorConfig(
            DEMO,
            _demo_run(2_980),
            _DEMO_OPTIMIZER,
            _DEMO_EDITOR_LOSSES,
            AdversarialConfig(weight=0.0),
            inversion_weight=5.0,
            start="difference",
        ),
        "demo-fine": EditorConfig(
            _DEMO_FINE,
            _demo_run(1_540, 32, clip=1.0, ema_halflife=20_000),
            OptimizerConfig("adam", 1e-3, (0.9, 0.99), decay=0.6),
            replace(_DEMO_EDITOR_LOSSES, l1=0.1, gradient=0.1),
            AdversarialConfig(weight=0.0),
            inversion_weight=3.0,
            start="difference",
        ),
    },
    "gradual": {
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
    },
    "attributes": {
        "demo": AttributesConfig(DEMO, _demo_run(4_000, 32)),
    },
}
