"""The published configurations, in float32 as their authors trained.

`NAME` holds the paper's settings, `NAME-released` those of the released code where they differ (longer, with a lower
learning rate, the regulariser as a distance to F_w, the feature ramp, the table of edits); the editor's
`ffhq-1024-six` the paper's with six directions.

Where text and code can be read in two ways, the presets take the code's and the other is a setting: `halves=sum`,
`feature_regulariser=sum`, `domain.stack_start=block`.
"""

from __future__ import annotations

from dataclasses import replace

from ..domain import CARS_512, FFHQ_1024, DomainSpec
from ..gradual.spec import gradual_spec
from .config import (
    AdversarialConfig,
    E4EConfig,
    EditDraw,
    EditorConfig,
    GANConfig,
    InverterConfig,
    LossConfig,
    OptimizerConfig,
    RunConfig,
)
from .edit_tables import CARS, PAPER_FACES, RELEASED_FACES, SIX_FACES
from .gradual_config import GradualConfig

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


PUBLISHED_PRESETS: dict[str, dict] = {
    "gan": {
        "ffhq-1024": _config_f(FFHQ_1024, 10.0),
        "cars-512": _config_f(CARS_512, 100.0),
    },
    "e4e": {
        "ffhq-1024": E4EConfig(FFHQ_1024, _published(200_000), _RELEASED, _FACES),
        "cars-512": E4EConfig(CARS_512, _published(200_000), _RELEASED, _OTHERS),
    },
    "inverter": {
        **_inverters(FFHQ_1024, _FACES),
        **_inverters(CARS_512, _OTHERS),
    },
    "editor": {
        **_editors(FFHQ_1024, _FACES, PAPER_FACES, RELEASED_FACES),
        "ffhq-1024-six": EditorConfig(FFHQ_1024, _published(20_000), _PAPER, _FACES, _AT_ONCE, edits=SIX_FACES),
        **_editors(CARS_512, _OTHERS, CARS, CARS),
    },
    "gradual": {
        "ffhq-1024": GradualConfig(
            FFHQ_1024, _published(60_000), gradual_spec(FFHQ_1024), _PAPER, _FACES, alone=40_000, stage_every=5_000
        ),
    },
}
