"""Training's forward pass is the pipeline's, and it has gradients."""

from dataclasses import replace

import pytest
import torch
from training.tiny import ALONE, CPU, ONLY_L2, RANGER, SPEC, Dots

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.domain import CARS_512, InverterSpec, tiny_domain
from sfe_models.equations import cropped, delta_features, invert, padded, resized, run_to_k, synthesize
from sfe_models.pipeline import Pipeline
from sfe_models.training.config import AdversarialConfig, EditorConfig, InverterConfig, RunConfig
from sfe_models.training.data import Batch
from sfe_models.training.drawn_edits import DrawnEdit
from sfe_models.training.editor import EditorStage, TrainedNetworks
from sfe_models.training.inverter import InverterStage
from sfe_models.training.losses import ReconstructionLoss
from sfe_models.training.stage import side_by_side

WIDE = replace(
    CARS_512,
    name="wide",
    generator=tiny_domain(256, 8).generator,
    e4e=tiny_domain(256).e4e,
    inverter=InverterSpec(8, (8, 8, 16, 16), (1, 1, 1, 1), fuser_blocks=1),
    feature_layer=9,
    delta_layer=11,
    editor_blocks=1,
)


def close(got, want):
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


@pytest.fixture(params=["tiny", "wide"])
def model(request):
    """Unfolded networks, the pipeline of the same folded ones, and pictures."""
    spec = SPEC if request.param == "tiny" else WIDE
    image = torch.rand(2, 3, *spec.picture_size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return random_networks(spec, folded=False), Pipeline(random_networks(spec)), image


def test_inversion_is_the_pipelines(model):
    networks, pipeline, image = model
    spec = networks.spec
    with torch.no_grad():
        inverted, _ = invert(networks.inverter, networks.generator, spec, resized(image, spec.encoder_size))
        styles = networks.generator.style_space(inverted.w)
        made = synthesize(networks.generator, spec, styles, inverted.F_k, inverted.carried)
    pipeline.networks.feature_editor = None  # F_k itself is synthesized
    inversion = pipeline.invert(image)
    close(inverted.w, inversion.w)
    close(inverted.F_k, inversion.F_k)
    close(inverted.carried, inversion.carried)
    close(made, pipeline.edit(inversion))


def test_a_training_step_makes_the_pipelines_pictures(model):
    """Phase 1's and phase 2's steps (their sample grids show what they compute) against the same folded networks."""
    networks, pipeline, image = model
    spec, losses, loss = networks.spec, replace(ONLY_L2, size=None), ReconstructionLoss(ONLY_L2, None, None)
    config = InverterConfig(spec, RunConfig(1, 2, precision="fp32"), RANGER, losses, AdversarialConfig(weight=0.0))
    stage = InverterStage(config, networks.generator, None, loss, CPU, ALONE)
    stage.inverter.load_state_dict(networks.inverter.state_dict())
    _, made, made_w = stage.samples(Batch(image)).unflatten(1, (2, 3)).flatten(0, 1).unbind(1)
    inversion = pipeline.invert(image, all_styles=True)
    editor, pipeline.networks.feature_editor = pipeline.networks.feature_editor, None
    close(made, pipeline.edit(inversion))
    close(made_w, pipeline.generate_from(inversion.w))

    pipeline.networks.feature_editor = editor
    vector = torch.randn(1, spec.generator.style_dim, generator=torch.Generator().manual_seed(1))
    direction = LinearDirection(DirectionInfo("d", "test", spec.subject), vector)
    config = EditorConfig(spec, config.run, RANGER, losses, config.adversarial)
    trained = TrainedNetworks(networks.generator, networks.e4e_encoder, networks.inverter)
    stage = EditorStage(config, trained, None, [DrawnEdit(direction, (1.5,), None)], loss, CPU, ALONE)
    stage.editor.load_state_dict(networks.feature_editor.state_dict())
    with torch.no_grad():
        _, of_e4e, plain, edited = stage.samples(Batch(image[:1])).flatten(0, 1)
    close(of_e4e, pipeline.generate_from(inversion.w_e)[0])
    close(plain, pipeline.edit(inversion[:1])[0])
    close(edited, pipeline.edit(inversion[:1], [(direction, 1.5)])[0])


def test_delta_features_are_the_pipelines(model):
    networks, pipeline, image = model
    spec, generator = networks.spec, networks.generator
    inversion = pipeline.invert(image, all_styles=True)
    styles = generator.style_space(inversion.w_e)
    with torch.no_grad():
        features = delta_features(generator, spec, run_to_k(generator, spec, styles), styles)
    close(features, inversion.F_w_e)


def test_features_before_delta_are_never_in_reduced_precision():
    networks = random_networks(SPEC, folded=False)
    styles = networks.generator.style_space(torch.randn(2, 6, 16))
    want = run_to_k(networks.generator, SPEC, styles)
    with torch.autocast("cpu", torch.bfloat16):
        got = run_to_k(networks.generator, SPEC, styles)
    assert torch.equal(got.features, want.features) and torch.equal(got.carried[0], want.carried[0])


def test_every_weight_of_the_inverter_has_a_gradient():
    networks = random_networks(SPEC, folded=False)
    inverter = networks.inverter.requires_grad_(True)
    seen = resized(Dots(2)[[0, 1]].image, SPEC.encoder_size)
    inverted, _ = invert(inverter, networks.generator, SPEC, seen)
    styles = networks.generator.style_space(inverted.w)
    synthesize(networks.generator, SPEC, styles, inverted.F_k, inverted.carried).square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in inverter.parameters())


def test_crop_and_padding_are_inverse():
    square = torch.rand(1, 3, 256, 256)
    cut = cropped(square, WIDE)
    assert cut.shape == (1, 3, 192, 256) and torch.equal(cut, square[:, :, 32:224])
    back = padded(cut, WIDE)
    assert back.shape == square.shape and torch.equal(cropped(back, WIDE), cut)
    assert back[:, :, :32].eq(-1).all() and back[:, :, 224:].eq(-1).all()
    assert cropped(square, tiny_domain(256)) is square and padded(square, tiny_domain(256)) is square


def test_side_by_side():
    a, b = (torch.full((6, 3, 1, 1), v) + torch.arange(6.0)[:, None, None, None] for v in (0.0, 10.0))
    rows = side_by_side(a, b, per_row=2)
    assert rows[:, :, 0, 0, 0].tolist() == [[0, 10, 1, 11], [2, 12, 3, 13], [4, 14, 5, 15]]
    assert side_by_side(a).shape == (1, 4, 3, 1, 1)  # what fills no row is left out
    assert side_by_side(a[:1], b[:1]).shape == (1, 2, 3, 1, 1)
