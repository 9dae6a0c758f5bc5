"""Training of the small encoders around MobileStyleGAN: exact pairs, windows of F_k, parts that start at zero."""

import copy
from dataclasses import replace

import pytest
import torch
from photo.small import SPEC
from training.tiny import ALONE, CPU, ONLY_L2
from training.tiny import SPEC as TINY

from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.domain import PHOTO, DomainSpec
from sfe_models.encoders.families import make_e4e, make_feature_editor, make_inverter
from sfe_models.equations import feature_edit, invert, run_to_k, synthesize
from sfe_models.generators.families import make_generator
from sfe_models.photo.install import ENCODERS
from sfe_models.training.checkpoint import fill_from_run, load_network, load_trained, run_spec, trained_steps
from sfe_models.training.config import (
    AdversarialConfig,
    E4EConfig,
    EditorConfig,
    InverterConfig,
    OptimizerConfig,
    RunConfig,
)
from sfe_models.training.data import Batch, Interleaved
from sfe_models.training.drawn_edits import DrawnEdit
from sfe_models.training.e4e import E4EStage
from sfe_models.training.editor import EditorStage, TrainedNetworks
from sfe_models.training.errors import ConfigError
from sfe_models.training.inverter import InverterStage
from sfe_models.training.loop import mirrored
from sfe_models.training.losses import ReconstructionLoss
from sfe_models.training.patches import Window, synthesize_window, target_window
from sfe_models.training.run_stage import Sources, make_stage, start_code
from sfe_models.training.samples import GeneratedPictures, sample_codes

RUN = RunConfig(steps=20, batch=4, precision="fp32", samples=2, size=64, clip=1.0)
ADAM = OptimizerConfig("adam", 1e-3, (0.9, 0.99))
NONE = AdversarialConfig(weight=0.0)
WINDOWED = {"window": 8, "windows": 2}


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    generator = make_generator(SPEC.generator)
    generator.latent_avg = generator.mean_latent(256)
    return generator.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def batch(generator):
    """Two samples with their codes, then two other pictures."""
    made = GeneratedPictures(generator, 2, (64, 64))[[0, 1]]
    other = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Batch(torch.cat([made.image, other]), code=made.code)


class ByColour(torch.nn.Module):
    """Stands for an e4e encoder: codes that depend on the mean colour alone."""

    def forward(self, image, n_styles=None, stage=None):
        colour = torch.nn.functional.pad(image.mean(dim=(2, 3)), (0, SPEC.generator.style_dim - 3))
        return colour[:, None].expand(-1, n_styles or SPEC.n_styles, -1)


def loss():
    return ReconstructionLoss(replace(ONLY_L2, l1=0.3, gradient=0.3), None, None)


def test_the_description_survives_a_file():
    assert DomainSpec.from_json(SPEC.to_json()) == SPEC


def test_samples_are_made_of_their_codes(generator, tmp_path):
    pictures = GeneratedPictures(generator, 3, (32, 32), tmp_path)
    batch = pictures[[2, 0]]
    want = torch.nn.functional.adaptive_avg_pool2d(generator(batch.code).clamp(-1, 1), 32)
    torch.testing.assert_close(batch.image, want, rtol=0, atol=0.51 / 127.5)
    again = GeneratedPictures(generator, 3, (32, 32), tmp_path)
    assert again.made == 2 and torch.equal(again[[2, 0]].image, batch.image)
    assert torch.equal(again[[2, 0]].code, batch.code)


def test_kept_samples_are_not_taken_for_those_of_a_tuned_generator(generator, tmp_path):
    tuned = copy.deepcopy(generator)
    for layer in tuned.layers():
        for weight in layer.parameters():
            weight.mul_(1.5)
    assert torch.equal(sample_codes(tuned, [0]), sample_codes(generator, [0]))
    before = GeneratedPictures(generator, 1, (32, 32), tmp_path)[[0]].image
    assert not torch.equal(GeneratedPictures(tuned, 1, (32, 32), tmp_path)[[0]].image, before)


def test_samples_lie_within_the_spread_of_w_and_half_are_mixed(generator):
    codes = sample_codes(generator, range(64))
    mixed = (codes != codes[:, :1]).flatten(1).any(dim=1)
    assert 20 < mixed.sum() < 44
    assert torch.equal(codes, sample_codes(generator, range(64)))
    w = generator.mapping(torch.randn(500, 16))
    reach = (w - generator.latent_avg).norm(dim=1).max()
    assert (codes - generator.latent_avg).norm(dim=2).max() < 1.5 * reach


def test_mirroring_leaves_samples_as_they_are(batch):
    torch.manual_seed(0)
    flipped = [mirrored(batch).image for _ in range(8)]
    assert all(torch.equal(image[:2], batch.image[:2]) for image in flipped)
    assert any(torch.equal(image[2], batch.image[2].flip(2)) for image in flipped)


def test_batches_are_interleaved(generator):
    made, real = GeneratedPictures(generator, 3, (16, 16)), GeneratedPictures(generator, 5, (16, 16), first_seed=9)
    both = Interleaved(made, real, 0.5)[[4, 1, 3, 4]]
    assert len(Interleaved(made, real, 0.5)) == 5
    assert torch.equal(both.image, torch.cat([made[[1, 1]].image, real[[3, 4]].image]))
    assert torch.equal(both.code, made[[1, 1]].code)
    larger = GeneratedPictures(generator, 5, (32, 32), first_seed=9)
    both = Interleaved(made, larger, 0.5)[[0, 1]].image
    assert torch.equal(torch.nn.functional.avg_pool2d(both[:1], 2), made[[0]].image)


@pytest.mark.parametrize("place", [(0, 0), (3, 2), (8, 8)])
def test_a_window_shows_what_the_whole_picture_shows_there(generator, place):
    styles = generator.style_space(sample_codes(generator, [5, 6]))
    state = run_to_k(generator, SPEC, styles)
    whole = synthesize(generator, SPEC, styles, state.features, state.carried)
    window = Window(*place, 8)
    with torch.enable_grad():
        made = synthesize_window(generator, SPEC, styles, state.features, window)
    want = target_window(whole, SPEC, window)
    assert made.shape == want.shape == (2, 3, 24, 24)
    # Two 3 x 3 convolutions at 32 px reach two px of 64 px beyond the margin of one px of 16 px.
    torch.testing.assert_close(made[:, :, 4:-4, 4:-4], want[:, :, 4:-4, 4:-4], rtol=1e-4, atol=1e-5)


def test_an_untrained_inverter_and_editor_change_nothing(generator, batch):
    inverter, editor = make_inverter(SPEC).eval(), make_feature_editor(SPEC).eval()
    with torch.no_grad():
        inverted, _ = invert(inverter, generator, SPEC, batch.image)
        delta = torch.randn_like(inverted.F_k)
        assert torch.equal(inverted.F_k, inverted.F_w)
        assert torch.equal(feature_edit(editor, inverted.F_k, delta), inverted.F_k - delta)


def test_an_inverter_begins_with_the_codes_of_e4e(batch):
    torch.manual_seed(1)
    encoder, inverter = make_e4e(SPEC).eval(), make_inverter(SPEC).eval()
    for head in encoder.styles:
        torch.nn.init.normal_(head.weight)
    start_code(inverter, encoder)
    with torch.no_grad():
        w, _ = inverter(batch.image)
        assert torch.equal(w, encoder(batch.image)) and (w[:, 1:] != w[:, :1]).any()
    with pytest.raises(ConfigError, match="small encoders"):
        start_code(inverter, torch.nn.Identity())


def test_e4e_learns_codes_and_pictures(generator, batch):
    torch.manual_seed(2)
    config = E4EConfig(SPEC, RUN, ADAM, ONLY_L2, progressive_start=5, code=10.0, discriminator_weight=0.0, **WINDOWED)
    stage = E4EStage(config, generator, loss(), CPU, ALONE)
    numbers = [stage.step(i, batch) for i in range(20)]
    assert numbers[-1]["code"] < 0.8 * numbers[0]["code"]
    assert all(n["l2"].isfinite() and n["gradient"] > 0 for n in numbers)
    # Some of the samples may be compared as pictures too.
    both = E4EStage(replace(config, code_pictures=2), generator, loss(), CPU, ALONE)
    samples = Batch(batch.image[:2], code=batch.code)
    assert {"code", "l2"} <= set(both.step(0, samples)) and "l2" not in stage.step(20, samples)
    # Without a weight for codes samples are pictures like any other.
    plain = E4EStage(replace(config, code=0.0), generator, loss(), CPU, ALONE)
    assert "code" not in plain.step(0, batch)


def test_what_makes_w_stays_until_its_step(generator, batch):
    torch.manual_seed(3)
    config = InverterConfig(
        SPEC, RUN, ADAM, ONLY_L2, NONE, feature_regulariser="distance", regulariser=1e-3, frozen_w=2, **WINDOWED
    )
    stage = InverterStage(config, generator, None, loss(), CPU, ALONE)
    assert set(stage.networks) == set(stage.optimizers) == {"inverter"}
    inverter = stage.inverter
    before = {name: tensor.clone() for name, tensor in inverter.state_dict().items()}

    def same(part):
        return all(torch.equal(before[n], t) for n, t in inverter.state_dict().items() if n.startswith(part))

    stage.step(0, batch)
    stage.step(1, batch)
    assert same("backbone") and same("heads") and not same("expand") and not same("pixels")
    stage.step(2, batch)
    assert not same("backbone") and not same("heads")


def test_an_inverter_learns_the_codes_and_features_of_samples(generator, batch):
    torch.manual_seed(3)
    adam = OptimizerConfig("adam", 5e-3, (0.9, 0.99))
    config = InverterConfig(SPEC, RUN, adam, ONLY_L2, NONE, frozen_w=1, code=1.0, feature=9.0, painted=1.0, **WINDOWED)
    stage = InverterStage(config, generator, None, loss(), CPU, ALONE)
    numbers = [stage.step(i, batch) for i in range(30)]
    assert numbers[-1]["feature"] < 0.9 * numbers[1]["feature"] and numbers[-1]["code"] < 0.9 * numbers[1]["code"]
    # Samples have no picture loss: in pictures that only they differ in, the others' losses are the same.
    other = Batch(torch.cat([-batch.image[:2], batch.image[2:]]), code=batch.code)
    stage.inverter.eval()
    torch.manual_seed(4)
    one = stage.reconstruct(batch.image, None, batch.code)[1]
    torch.manual_seed(4)
    two = stage.reconstruct(other.image, None, other.code)[1]
    torch.testing.assert_close(one["l2"], two["l2"])
    assert not torch.allclose(one["feature"], two["feature"])


def test_what_makes_w_may_learn_slower_and_details_may_be_painted_on(generator, batch):
    moved = {}
    for rate in (1.0, 0.1):
        torch.manual_seed(3)
        config = InverterConfig(SPEC, RUN, ADAM, ONLY_L2, NONE, frozen_w=1, w_rate=rate, painted=1.0, **WINDOWED)
        stage = InverterStage(config, generator, None, loss(), CPU, ALONE)
        stage.step(0, batch)
        before = [p.clone() for p in stage.inverter.heads.parameters()]
        stage.step(1, batch)
        pairs = zip(before, stage.inverter.heads.parameters(), strict=True)
        moved[rate] = max((after - b).abs().max().item() for b, after in pairs)
    # Adam's first step is its learning rate.
    assert moved[1.0] == pytest.approx(1e-3, rel=0.02) and moved[0.1] == pytest.approx(1e-4, rel=0.02)


def test_gradients_are_clipped(generator, batch):
    config = InverterConfig(SPEC, replace(RUN, clip=1e-3), OptimizerConfig("adam", 0.0), ONLY_L2, NONE, **WINDOWED)
    stage = InverterStage(config, generator, None, loss(), CPU, ALONE)
    norms = []
    stage.optimizers["inverter"].step = lambda: norms.append(
        torch.cat([p.grad.flatten() for p in stage.inverter.parameters() if p.grad is not None]).norm()
    )
    stage.step(0, batch)
    assert 0 < norms[0] <= 1.001e-3


def test_the_editor_learns_on_windows(generator, batch):
    torch.manual_seed(4)
    direction = LinearDirection(DirectionInfo("d", "test", SPEC.subject, (-2.0, 2.0)), torch.randn(1, 16))
    adam = OptimizerConfig("adam", 1e-4, (0.9, 0.99))
    config = EditorConfig(SPEC, replace(RUN, steps=30), adam, ONLY_L2, NONE, window=16, inversion_weight=0.0)
    encoder, inverter = make_e4e(SPEC).eval(), make_inverter(SPEC).eval().requires_grad_(False)
    edits = [DrawnEdit(direction, (2.0,), None)]
    stage = EditorStage(config, TrainedNetworks(generator, encoder, inverter), None, edits, loss(), CPU, ALONE)
    numbers = []
    for i in range(30):
        torch.manual_seed(5)  # the same edit and window, so that losses can be compared
        numbers.append(stage.step(i, batch))
    assert numbers[-1]["reconstruction"] < numbers[15]["reconstruction"] < numbers[0]["reconstruction"]
    torch.testing.assert_close(2 * numbers[3]["l2"].detach(), numbers[3]["l2_edit"])
    assert stage.samples(Batch(batch.image[:1])).shape[2:] == (3, 64, 64)
    smaller = Batch(torch.nn.functional.avg_pool2d(batch.image, 2))
    assert stage.step(30, smaller)["reconstruction"].isfinite() and stage.samples(smaller).shape[2:] == (3, 32, 32)
    smaller = Batch(torch.nn.functional.avg_pool2d(batch.image, 2))
    assert stage.step(30, smaller)["reconstruction"].isfinite() and stage.samples(smaller).shape[2:] == (3, 32, 32)


def test_delta_may_belong_to_the_code_that_e4e_finds_in_the_source(generator, batch):
    direction = LinearDirection(DirectionInfo("d", "test", SPEC.subject, (-2.0, 2.0)), torch.randn(1, 16))
    trained = TrainedNetworks(generator, ByColour(), make_inverter(SPEC).eval().requires_grad_(False))
    edits, strength, pairs = [DrawnEdit(direction, (2.0,), None)], torch.full((4,), 2.0), {}
    for code in ("e4e", "source"):
        config = EditorConfig(SPEC, RUN, ADAM, ONLY_L2, NONE, window=16, delta_code=code)
        stage = EditorStage(config, trained, None, edits, loss(), CPU, ALONE)
        pairs[code] = stage.pair(batch.image, edits[0], strength)
    # The pictures are those of the first code; delta is what a pair that begins with X_E would have.
    torch.testing.assert_close(pairs["source"].source, pairs["e4e"].source)
    again = replace(stage.config, delta_code="e4e")
    wanted = EditorStage(again, trained, None, edits, loss(), CPU, ALONE).pair(pairs["e4e"].source, edits[0], strength)
    torch.testing.assert_close(pairs["source"].delta, wanted.delta)
    assert (pairs["source"].delta - pairs["e4e"].delta).abs().max() > 1e-4


def test_the_backbone_of_e4e_may_see_the_whole_picture(batch):
    whole, half = (replace(SPEC, e4e=replace(SPEC.e4e, shrink=shrink)) for shrink in (1, 2))
    assert DomainSpec.from_json(SPEC.to_json().replace(', "shrink": 2', "")).e4e == half.e4e  # as older files have it
    of_half = make_e4e(half).eval()
    of_whole = make_e4e(whole).eval()
    of_whole.load_state_dict(of_half.state_dict())
    smaller = torch.nn.functional.avg_pool2d(batch.image, 2)
    assert torch.equal(of_whole(smaller), of_half(batch.image))


def test_training_begins_with_what_the_package_brings():
    encoder = load_network(ENCODERS, "e4e_encoder", make_e4e(PHOTO))
    assert run_spec(ENCODERS) == PHOTO and trained_steps(ENCODERS, "e4e_encoder") > 0
    weights = load_trained(ENCODERS, "e4e_encoder")[1]
    assert all(torch.equal(tensor, weights[name]) for name, tensor in encoder.state_dict().items())
    inverter = make_inverter(PHOTO)
    start_code(inverter, encoder)
    fill_from_run(ENCODERS, "inverter", inverter)


@pytest.mark.parametrize(
    "config, message",
    [
        (InverterConfig(SPEC, RUN, window=8), "adversarial.weight=0"),
        (InverterConfig(TINY, RUN, adversarial=NONE, window=8), "window=null"),
        (E4EConfig(TINY, RUN, window=8), "window=null"),
    ],
)
def test_what_a_family_does_not_offer_is_said_before_anything_is_loaded(config, message):
    with pytest.raises(ConfigError, match=message):
        make_stage(config, Sources(generator="nowhere"), CPU, ALONE)
