"""A domain of 16 px trained from nothing through all stages: what a feature holds that a W+ code cannot.

About a minute on one core; the pictures' small dots are what W+ has no place for.
"""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from training.tiny import ALONE, CPU, ONLY_L2, Dots, log, short

from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.domain import tiny_domain
from sfe_models.encoders.e4e import E4EEncoder
from sfe_models.encoders.inverter import Inverter
from sfe_models.generators.stylegan2.discriminator import Discriminator
from sfe_models.generators.stylegan2.generator import StyleGAN2
from sfe_models.pipeline import Pipeline
from sfe_models.training.assemble import assemble
from sfe_models.training.checkpoint import load_network
from sfe_models.training.config import (
    AdversarialConfig,
    E4EConfig,
    EditorConfig,
    GANConfig,
    InverterConfig,
    OptimizerConfig,
)
from sfe_models.training.drawn_edits import DrawnEdit
from sfe_models.training.e4e import E4EStage
from sfe_models.training.editor import EditorStage, TrainedNetworks
from sfe_models.training.gan import GANStage
from sfe_models.training.inverter import InverterStage
from sfe_models.training.loop import train
from sfe_models.training.losses import ReconstructionLoss

SPEC = replace(tiny_domain(16, 32, "dots-16"), subject="dots")
OPTIMIZER = OptimizerConfig("ranger", 1e-2, decay=0.5)
NO_ADVERSARY = AdversarialConfig(weight=0.0)


def run(steps):
    return short(steps, 8, ema_halflife=500, log_every=50)


def direction(generator):
    """Towards a lighter disc: the mean change of w when its colour's latents rise."""
    push = torch.zeros(32)
    push[8:11] = 1.5
    z = torch.randn(1000, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        vector = (generator.mapping(z + push) - generator.mapping(z)).mean(dim=0, keepdim=True)
    return LinearDirection(DirectionInfo("lighter", "test", "dots", (-2.0, 2.0)), vector)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder with a run of every stage."""
    folder, data = tmp_path_factory.mktemp("nothing"), Dots(2000, dim=32, details=10)
    loss = ReconstructionLoss(ONLY_L2, None, None)

    def generator():
        return load_network(folder / "gan", "generator", StyleGAN2(SPEC.generator))

    torch.manual_seed(0)
    gan = GANConfig(SPEC, run(300), lr=1e-2, betas=(0.9, 0.99), path_length=0.0, ada_target=None, r1=1.0, decay=0.5)
    gan = replace(gan, paired=1.0, mapping_rate=30.0, adversarial=0.05, adversarial_start=150)
    train(GANStage(gan, CPU, ALONE), gan, data, folder / "gan")

    e4e = E4EConfig(SPEC, run(500), OPTIMIZER, ONLY_L2, 150, 10, discriminator_lr=2e-4)
    train(E4EStage(e4e, generator(), loss, CPU, ALONE), e4e, data, folder / "e4e")

    inverter = InverterConfig(SPEC, run(500), OPTIMIZER, ONLY_L2, NO_ADVERSARY, "distance")
    discriminator = Discriminator(SPEC.generator)
    train(InverterStage(inverter, generator(), discriminator, loss, CPU, ALONE), inverter, data, folder / "inverter")

    editor = EditorConfig(SPEC, run(250), OPTIMIZER, ONLY_L2, NO_ADVERSARY)
    trained = TrainedNetworks(
        generator(),
        load_network(folder / "e4e", "e4e_encoder", E4EEncoder(SPEC)),
        load_network(folder / "inverter", "inverter", Inverter(SPEC)),
    )
    edits = [DrawnEdit(direction(trained.generator), (), (-2.0, 2.0))]
    train(EditorStage(editor, trained, discriminator, edits, loss, CPU, ALONE), editor, data, folder / "editor")
    return folder


@pytest.fixture(scope="module")
def held_out():
    return Dots(64, dim=32, details=10, first=100_000).image


def test_every_stage_has_learnt(trained):
    for stage, name in (("gan", "paired_l2"), ("e4e", "l2"), ("inverter", "l2_from_F"), ("editor", "l2_edit")):
        numbers = log(trained / stage)[name]
        assert numbers[-1] < 0.7 * numbers[0], stage


def test_the_inverter_beats_e4e_on_pictures_it_has_not_seen(trained, held_out):
    pipeline = Pipeline(assemble(SPEC, *(trained / stage for stage in ("gan", "e4e", "inverter"))))
    inversion = pipeline.invert(held_out, all_styles=True)
    e4e, from_w = (F.mse_loss(pipeline.generate_from(code), held_out) for code in (inversion.w_e, inversion.w))
    inverter = F.mse_loss(pipeline.edit(inversion), held_out)
    assert 1.5 * inverter < e4e
    assert 1.2 * inverter < from_w  # it is the feature that does it


def test_the_feature_editor_keeps_the_details_and_edits(trained, held_out):
    stages = ("gan", "e4e", "inverter", "editor")
    pipeline = Pipeline(assemble(SPEC, *(trained / stage for stage in stages)))
    inversion, lighter = pipeline.invert(held_out, all_styles=True), direction(pipeline.networks.generator)
    e4e = pipeline.generate_from(inversion.w_e)
    inverted = pipeline.edit(inversion)
    assert 1.2 * F.mse_loss(inverted, held_out) < F.mse_loss(e4e, held_out)
    # The change is that which the direction makes to generated pictures.
    change = pipeline.edit(inversion, [(lighter, 1.5)]) - inverted
    wanted = pipeline.generate_from(lighter.move(inversion.w_e, torch.full((64,), 1.5))) - e4e
    alike = F.cosine_similarity(change.flatten(1), wanted.flatten(1)).mean()
    assert alike > 0.5
