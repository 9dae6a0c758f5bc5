"""The configurations of the photographic model, for two cores and for a GPU."""

from __future__ import annotations

from dataclasses import replace

from ..domain import PHOTO
from ..gradual.spec import GradualSpec
from .config import AdversarialConfig, E4EConfig, EditorConfig, InverterConfig, LossConfig, OptimizerConfig, RunConfig
from .gradual_config import GradualConfig, MisalignConfig


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

PHOTO_PRESETS: dict[str, dict] = {
    "e4e": {
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
    },
    "editor": {
        "photo": _PHOTO_EDITOR,
        "photo-gpu": replace(_PHOTO_EDITOR, run=_gpu_run(1_520, 10), optimizer=_gpu_adam(4e-4), delta_code="source"),
    },
    "gradual": {
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
}
