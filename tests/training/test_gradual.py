"""Training of a gradual model: misalignments, and what a run changes."""

import pytest
import torch
from training.tiny import ALONE, CPU, ONLY_L2, RANGER, SPEC, Dots, log, short

from sfe_models.checkpoints.bundle import save_bundle
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.equations import e4e_code, resized
from sfe_models.gradual.pipeline import GradualPipeline
from sfe_models.gradual.spec import gradual_spec
from sfe_models.gradual.streams import edit, encode, reconstruct
from sfe_models.training.assemble import assemble_gradual
from sfe_models.training.checkpoint import load_checkpoint
from sfe_models.training.config import OptimizerConfig
from sfe_models.training.gradual import GradualTraining
from sfe_models.training.gradual_config import GradualConfig, MisalignConfig
from sfe_models.training.loop import train
from sfe_models.training.losses import ReconstructionLoss
from sfe_models.training.misalign import draw_gaps, draw_grid, misaligned

STILL = MisalignConfig(identity=1.0, dropping=0.0)
DOTS = Dots(24)


def config(steps, **settings):
    spec = gradual_spec(SPEC, dim=8, key="residual+features", keep=4)
    base = {"optimizer": RANGER, "losses": ONLY_L2, "alone": 4, "stage_every": 2}
    return GradualConfig(SPEC, short(steps, ema_halflife=20), spec, **base | settings)


def make(settings, seed=0):
    torch.manual_seed(seed)
    networks = random_networks(SPEC, folded=False).eval().requires_grad_(False)
    loss = ReconstructionLoss(settings.losses, None, None)
    return GradualTraining(settings, networks.generator, networks.e4e_encoder, loss, CPU, ALONE)


def drawn(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_pictures_that_stay_are_not_touched():
    x = drawn(3, 4, 16, 16)
    moved = misaligned(x, draw_grid(STILL, 3, CPU), draw_gaps(STILL, 3, CPU))
    assert torch.allclose(moved, x, atol=1e-5)


def test_a_shift_moves_every_stage_by_the_same_share():
    """A warp that only shifts: what lies at a place at 16 px lies at the same place at 32 px."""
    only_shift = MisalignConfig(0, 0, 0, 0.2, 0, 0, 0, dropping=0.0)
    torch.manual_seed(2)
    grid = draw_grid(only_shift, 1, CPU)
    fine = torch.zeros(1, 1, 32, 32)
    fine[..., 14:18, 14:18] = 1
    coarse = torch.nn.functional.avg_pool2d(fine, 2)

    def centre(x):
        x, ends = misaligned(x, grid, torch.ones(1, 1, 8, 8))[0, 0], (torch.arange(x.shape[-1]) + 0.5) / x.shape[-1]
        return torch.stack([(x.sum(1 - i) * ends).sum() / x.sum() for i in range(2)])

    assert torch.allclose(centre(fine), centre(coarse), atol=0.01)
    assert (centre(fine) - 0.5).abs().max() > 0.02


def test_gaps_empty_the_share_that_is_wanted():
    torch.manual_seed(0)
    gaps = draw_gaps(MisalignConfig(dropping=1.0, dropped=(0.2, 0.2), gap_cells=16), 8, CPU)
    assert abs(gaps.mean() - 0.8) < 0.03 and set(gaps.unique().tolist()) == {0.0, 1.0}


def test_both_losses_fall_and_what_is_frozen_stays(tmp_path):
    settings = config(30, misalign=STILL, optimizer=OptimizerConfig("adam", 1e-2, (0.9, 0.99)))
    stage = make(settings)
    before = [p.clone() for net in (stage.generator, stage.e4e_encoder) for p in net.state_dict().values()]
    train(stage, settings, DOTS, tmp_path)
    after = [p for net in (stage.generator, stage.e4e_encoder) for p in net.state_dict().values()]
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))
    numbers = log(tmp_path)
    assert sum(numbers["l2_details"][-8:]) < 0.8 * sum(numbers["l2_details"][:8])
    assert sum(numbers["distance"][-8:]) < sum(numbers["distance"][:8])


def test_a_resumed_run_is_bit_identical_to_one_without_a_break(tmp_path):
    settings = config(7)
    train(make(settings), settings, DOTS, tmp_path / "whole")
    for part, steps in enumerate((3, 2, 2)):  # a break before, at and after the first step with Aligners
        train(make(settings, part), settings, DOTS, tmp_path / "parts", stop_after=steps)
    whole, parts = (load_checkpoint(tmp_path / run) for run in ("whole", "parts"))
    for kind in ("networks", "averages"):
        for name, tensor in whole[kind]["gradual"].items():
            assert torch.equal(parts[kind]["gradual"][name], tensor), name


def test_aligners_can_learn_alone():
    settings = config(8, joint=False)
    stage = make(settings)
    for number in range(5):  # the last is the first with Aligners
        before = {name: tensor.clone() for name, tensor in stage.parts.state_dict().items()}
        numbers = stage.step(number, DOTS[[0, 1, 2, 3]])
    changed = {name for name, tensor in stage.parts.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed and all(".aligner." in name for name in changed) and "l2_details" not in numbers


@pytest.mark.parametrize("perturbed", [0.25, 1.0])  # the latter leaves none to be compared, if one is not kept
def test_one_picture_is_enough_for_a_step(perturbed):
    stage = make(config(2, alone=0, perturbed=perturbed))
    assert all(value.isfinite() for value in stage.step(0, DOTS[[0]]).values())


def test_a_run_becomes_a_model(tmp_path):
    """What a bundle of the run makes is what training saw, with BatchNorm folded."""
    networks = random_networks(SPEC)
    settings, bundle = config(6), save_bundle(networks, tmp_path / "model.safetensors")
    loss = ReconstructionLoss(settings.losses, None, None)
    stage = GradualTraining(settings, networks.generator, networks.e4e_encoder, loss, CPU, ALONE)
    train(stage, settings, DOTS, tmp_path / "run")
    made = assemble_gradual(tmp_path / "run", bundle, bundle)
    assert made.folded and made.gradual == settings.gradual
    image = DOTS[[0, 1]].image
    seen = resized(image, SPEC.encoder_size)
    styles = stage.generator.style_space(e4e_code(stage.e4e_encoder, stage.generator, seen))
    with torch.no_grad():
        parts = stage.averaged("gradual").eval()
        _, details = reconstruct(stage.generator, parts, styles, encode(stage.generator, parts, SPEC, seen, styles))
        wanted = stage.generator.picture(edit(stage.generator, parts, styles, details)[0])
    assert torch.allclose(GradualPipeline(made).edit(image), wanted, atol=1e-4)
