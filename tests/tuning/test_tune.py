"""PTI and GANI: the laws of section 8 of their specification, on both families."""

import dataclasses

import pytest
import torch

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.checkpoints.present import MissingWeightsError
from sfe_models.choices import PIVOTS, TUNING_METHODS
from sfe_models.directions.finding.sefa import sefa
from sfe_models.generators.stylegan2.spec import StyleGAN2Spec
from sfe_models.inputs import InputError
from sfe_models.training.config import LossConfig
from sfe_models.training.losses import reconstruction_loss
from sfe_models.tuning.config import TuningConfig
from sfe_models.tuning.gradient_modules import GradientModules, ScaleNorm, output_channels
from sfe_models.tuning.latent_space import LatentSpace
from sfe_models.tuning.ranger import Ranger
from sfe_models.tuning.steps import Early, Task, copied, tunable
from sfe_models.tuning.tune import tune_generator
from sfe_models.tuning.tuned import TunedGenerator, in_int8, load_tuned, packed, save_tuned

FEW = {"pti": TuningConfig("pti", steps=4, rate=3e-3), "gani": TuningConfig("gani", steps=12, rate=1e-2)}


@pytest.fixture(scope="session")
def code(alone):
    generator = alone.networks.generator
    return generator.broadcast(LatentSpace.of(generator).mean[None])


@pytest.fixture(scope="session", params=TUNING_METHODS)
def tuned(request, alone, person, code) -> TunedGenerator:
    return tune_generator(alone, person, FEW[request.param], code)


def error(pipeline, inversion, image):
    return (pipeline.edit(inversion) - image).square().mean()


def test_the_picture_comes_closer_and_the_base_stays(alone, person, code, tuned):
    before = {name: tensor.clone() for name, tensor in alone.networks.state_dict().items()}
    again = tune_generator(alone, person, FEW[tuned.record["method"]], code)
    assert all(torch.equal(before[name], tensor) for name, tensor in alone.networks.state_dict().items())
    assert not any(p.requires_grad or p.grad is not None for p in alone.networks.parameters())
    assert all(torch.equal(again.deltas[name], delta) for name, delta in tuned.deltas.items())  # one seed, one result
    curve = tuned.record["curve"]
    assert len(curve) == tuned.record["steps"] + 1 and curve[-1] < curve[0]
    model = tuned.pipeline(alone)
    assert error(model, tuned.inversion(model), person) < (alone.generate_from(code) - person).square().mean()


def test_only_convolutions_change(alone, tuned):
    base, now = alone.networks.generator, tuned.generator(alone.networks.generator)
    changed = {n for n, w in now.state_dict().items() if not torch.equal(w, base.state_dict()[n])}
    assert changed and changed <= set(tunable(base)) == set(tuned.deltas)
    assert now.fingerprint() == base.fingerprint()
    assert not any("rgb" in name or "to_picture" in name or "modulation" in name for name in changed)


@pytest.mark.parametrize("method", TUNING_METHODS)
def test_a_smaller_size_leaves_what_comes_after_it(alone, person, code, method):
    config = dataclasses.replace(FEW[method], size=16)
    generator = alone.networks.generator
    if 16 not in alone.spec.generator.picture_layers:
        with pytest.raises(InputError, match="size is 16 px; this generator makes pictures of 32 px"):
            tune_generator(alone, person, config, code)
        return
    tuned = tune_generator(alone, person, config, code)
    layer = alone.spec.generator.picture_layers[16]
    assert set(tuned.deltas) == set(tunable(generator, layer)) < set(tunable(generator))
    small = torch.nn.functional.avg_pool2d(person, 2)
    with torch.no_grad():
        before, after = (Early(g, layer)(code) for g in (generator, tuned.generator(generator)))
    assert before.shape == small.shape and (after - small).square().mean() < (before - small).square().mean()


def test_what_is_saved_is_read_bit_for_bit(alone, tuned, tmp_path):
    got = load_tuned(save_tuned(tuned, tmp_path / "tuned.safetensors"))
    assert got.record == tuned.record and got.variant == tuned.variant
    pictures = [t.pipeline(alone).generate_from(t.code) for t in (got, tuned)]
    assert torch.equal(*pictures)


def test_a_tuned_model_edits_along_directions_of_its_base(alone, tuned):
    model = tuned.pipeline(alone)
    direction = sefa(alone.networks.generator, "human faces", count=1)[0]
    inversion = tuned.inversion(model)
    assert torch.equal(model.edit(inversion, [(direction, 0.0)]), model.edit(inversion))
    wanted = model.generate_from(direction.move(tuned.code, torch.tensor([1.5])))
    torch.testing.assert_close(model.edit(inversion, [(direction, 1.5)]), wanted, rtol=1e-4, atol=1e-4)


def test_weights_move_by_shares_of_their_size(alone, person, code):
    base = tunable(alone.networks.generator)
    tuned = tune_generator(alone, person, TuningConfig("pti", steps=1, rate=1e-3), code)
    for name, scale in tuned.scales.items():
        wanted = 1e-3 * base[name].square().mean().sqrt()  # the first step of Adam is as long as its rate
        torch.testing.assert_close(127 * scale.max(), wanted, rtol=0.02, atol=0)


def test_inversions_of_base_and_tuned_are_told_apart(alone, tuned):
    model = tuned.pipeline(alone)
    with pytest.raises(InputError, match="another generator"):
        alone.start_edit(tuned.inversion(model))


def test_another_base_is_refused(alone, tuned):
    with pytest.raises(InputError, match="tuned from alone with the fingerprint"):
        tuned.pipeline(tuned.pipeline(alone))
    other = dataclasses.replace(tuned, domain="cats")
    with pytest.raises(InputError, match="tuned from cats"):
        other.pipeline(alone)


def test_another_picture_is_refused(alone, tuned, person):
    model = tuned.pipeline(alone)
    assert len(tuned.inversion(model, person)) == 1
    for image in (-person, torch.cat([person, person])):
        with pytest.raises(InputError, match="tuned to one picture"):
            tuned.inversion(model, image)


def test_no_localisation_moves_other_pictures_further(alone, person, code):
    def drift(local):
        config = TuningConfig("pti", steps=8, rate=1e-2, local=local)
        model = tune_generator(alone, person, config, code).generator(alone.networks.generator)
        z = torch.randn(4, 16, generator=torch.Generator().manual_seed(9))
        w = model.broadcast(model.mapping(z))
        return (model(w) - alone.networks.generator(w)).square().mean()

    with torch.no_grad():
        assert drift(10.0) < drift(0.0)


def test_localisation_at_every_second_step_counts_twice_there(alone, person, code):
    def losses(every):
        task = Task(
            alone.spec,
            Early(copied(alone.networks.generator)),
            code,
            person,
            reconstruction_loss(TuningConfig().losses, ""),
            TuningConfig(local=0.3, local_every=every),
        )
        moved = Early(copied(alone.networks.generator))
        for weight in moved.tunable().values():
            weight.add_(0.3)
        totals = (task.loss(moved, torch.Generator().manual_seed(0), number)[:2] for number in (0, 1))
        return [(total - own).item() for total, own in totals]

    each, second = losses(1), losses(2)
    assert each[0] > 0 and each[1] == pytest.approx(each[0], rel=1e-4)
    assert second == pytest.approx([2 * each[0], 0.0], rel=1e-4)


def test_works_inside_inference_mode(alone, person, code, tuned):
    with torch.inference_mode():
        got = tune_generator(alone, person + 0, FEW[tuned.record["method"]], code + 0)
        assert got.pipeline(alone).edit(got.inversion(got.pipeline(alone))).shape == person.shape
    assert got.variant == tuned.variant


def test_seconds_end_a_run(alone, person, code):
    config = TuningConfig("pti", steps=10_000, seconds=0.05)
    assert tune_generator(alone, person, config, code).record["steps_done"] < 10_000


def test_what_progress_raises_ends_the_run(alone, person, code):
    seen = []

    def stop(now):
        seen.append(now)
        if now.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune_generator(alone, person, FEW["pti"], code, progress=stop)
    assert [now.done for now in seen] == [1, 2] and seen[0].seconds_left > 0 and seen[0].image.shape == person.shape
    assert [now.tuned for now in seen] == [1, 2]


def test_a_code_is_found_first_with_progress_and_may_be_interrupted(alone, person, monkeypatch):
    monkeypatch.setattr("sfe_models.tuning.tune._CODE_STEPS", 3)
    seen = []

    def watch(now):
        seen.append(now)
        if now.done == last:
            raise KeyboardInterrupt

    last = 0
    tune_generator(alone, person, TuningConfig("pti", steps=2), progress=watch)
    assert [(now.done, now.tuned, now.steps) for now in seen] == [(i, max(0, i - 3), 5) for i in range(1, 6)]
    assert seen[2].seconds_left is None and seen[3].seconds_left > 0
    for last in (2, 3):
        seen.clear()
        with pytest.raises(KeyboardInterrupt):
            tune_generator(alone, person, TuningConfig("pti", steps=2), progress=watch)
        assert len(seen) == last


def test_a_code_that_no_longer_comes_closer_ends_its_search_alone(alone, person, monkeypatch):
    monkeypatch.setattr("sfe_models.tuning.tune._CODE_STEPS", 80)
    monkeypatch.setattr("sfe_models.tuning.optimise._W_RATE", 1e-9)
    monkeypatch.setattr("sfe_models.tuning.optimise._W_PLUS_RATE", 1e-9)
    seen = []
    tune_generator(alone, person, TuningConfig("pti", steps=1), progress=seen.append)
    assert len(seen) < 80 and (seen[-1].done, seen[-1].tuned) == (81, 1)


def test_the_usual_pivot_of_a_family(alone):
    spec = alone.spec.generator
    for method in TUNING_METHODS:
        usual = TuningConfig.usual(method, spec, steps=7)
        assert usual.steps == 7 and usual.pivot == ("e4e" if isinstance(spec, StyleGAN2Spec) else "w+")
        assert TuningConfig.usual(method, spec, pivot="w").pivot == "w"
        assert usual.share == (1.0 if isinstance(spec, StyleGAN2Spec) else 0.01)


def test_a_share_scales_what_gradient_modules_do(alone, person, code):
    first = [TuningConfig("gani", steps=1, rate=1e-12, share=share) for share in (0.5, 0.25)]
    half, quarter = (tune_generator(alone, person, config, code) for config in first)
    for name, scale in half.scales.items():
        torch.testing.assert_close(scale, 2 * quarter.scales[name], rtol=1e-3, atol=1e-9)


def test_a_model_with_encoders_is_tuned_at_the_pivot_that_is_asked_for(pipeline, image, monkeypatch):
    monkeypatch.setattr("sfe_models.tuning.tune._CODE_STEPS", 2)
    codes = {p: tune_generator(pipeline, image[:1], TuningConfig(steps=1, pivot=p)).code for p in PIVOTS}
    assert torch.equal(codes["e4e"], pipeline.invert(image[:1], all_styles=True).w_e)
    one = {pivot: torch.equal(code, code[:, :1].expand_as(code)) for pivot, code in codes.items()}
    assert one == {"e4e": False, "w": True, "w+": False} and not torch.equal(codes["e4e"], codes["w+"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "sgd"}, "'sgd'.*pti or gani"),
        ({"pivot": "z"}, "'z'.*e4e, w, w"),
        ({"steps": 0}, "0 steps"),
        ({"rate": 0.0}, "rate of 0.0"),
        ({"local_every": 0}, "every 0 steps"),
        ({"share": 0.0}, "share of 0.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        TuningConfig(**settings)


def test_a_batch_is_refused(alone, person):
    with pytest.raises(InputError, match="2 pictures.*one generator a picture"):
        tune_generator(alone, torch.cat([person, person]), FEW["pti"])


def test_numbers_that_are_none_keep_nothing(alone, person, code):
    with pytest.raises(InputError, match="not finite.*lower --rate"):
        tune_generator(alone, person, FEW["pti"], torch.full_like(code, torch.nan))
    stopped = TuningConfig("pti", steps=10_000, seconds=1e-9)
    with pytest.raises(InputError, match="not finite.*lower --rate"):
        tune_generator(alone, person, stopped, torch.full_like(code, torch.nan))


def test_a_missing_loss_file_is_named(alone, person, code, tmp_path):
    config = TuningConfig("pti", losses=LossConfig(lpips=0.8, identity=0.0))
    with pytest.raises(MissingWeightsError, match="alex"):
        tune_generator(alone, person, config, code, weights=tmp_path)


def test_another_file_is_no_tuned_generator(tmp_path, networks):
    from sfe_models.checkpoints.bundle import save_bundle

    with pytest.raises(CheckpointError, match="no tuned generator"):
        load_tuned(save_bundle(networks, tmp_path / "whole.safetensors"))


# The parts of GANI's modules.


def test_without_v_the_correction_is_the_gradient(alone):
    weights = tunable(alone.networks.generator)
    modules = GradientModules(weights)
    for block in modules.modules():
        if hasattr(block, "outer"):
            torch.nn.init.zeros_(block.outer)
    corrected = modules(weights)
    assert all(torch.equal(corrected[name], weight) for name, weight in weights.items())


def test_one_module_for_each_number_of_channels(alone):
    weights = tunable(alone.networks.generator)
    assert len(GradientModules(weights).by_channels) == len({output_channels(weight) for weight in weights.values()})


def test_scale_norm_forgets_the_size():
    x = torch.randn(3, 8)
    torch.testing.assert_close(ScaleNorm(8)(x), ScaleNorm(8)(1000 * x))
    torch.testing.assert_close(ScaleNorm(8)(x).norm(dim=1), torch.full((3,), 8**0.5))


def test_ranger_goes_down_a_bowl():
    x = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    optimizer = Ranger([x], 0.3)
    for _ in range(120):
        optimizer.zero_grad()
        x.square().sum().backward()
        optimizer.step()
    assert x.abs().max() < 0.3


def test_int8_is_within_half_a_step_of_each_channel():
    delta = torch.randn(1, 4, 3, 3, 3) * torch.tensor([1e-4, 1.0, 3.0, 0.0])[None, :, None, None, None]
    rounded, scales = in_int8({"a": delta})
    back = rounded["a"].float() * scales["a"][None, :, None, None, None]
    bound = delta.abs().amax(dim=(0, 2, 3, 4)) / 127 / 2 * 1.001
    assert ((back - delta).abs().amax(dim=(0, 2, 3, 4)) <= bound + 1e-12).all()


@pytest.mark.parametrize(("tolerance", "kinds"), [(1.0, {"int8"}), (1e-9, {"int8", "float16"}), (0.0, {"float32"})])
def test_what_would_show_is_kept_wider(alone, person, code, monkeypatch, tolerance, kinds):
    monkeypatch.setattr("sfe_models.tuning.tuned._TOLERANCE", tolerance)
    base = tunable(copied(alone.networks.generator))
    random = torch.Generator().manual_seed(0)
    deltas = {name: 0.01 * torch.randn(weight.shape, generator=random) for name, weight in base.items()}
    tuned = packed(deltas, code, person, alone, {})
    assert tuned.record["stored"] in kinds
    exact = TunedGenerator(deltas, {}, code, person, *alone.made_by).pipeline(alone).generate_from(code)
    assert (tuned.pipeline(alone).generate_from(code) - exact).square().mean() <= tolerance
