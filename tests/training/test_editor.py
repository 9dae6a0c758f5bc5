"""Phase 2: what stays as it is, what is drawn, and that its pairs are the pipeline's deltas."""

from dataclasses import replace

import pytest
import torch
from training.tiny import SPEC, Dots, editor_config, edits, make

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError, DirectionInfo, StyleSpaceDirection
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.families.stylespace import StyleOffsetDirection
from sfe_models.directions.library import DirectionLibrary
from sfe_models.domain import CARS_512
from sfe_models.equations import invert
from sfe_models.evaluation.methods import with_inverter_code
from sfe_models.pipeline import Pipeline
from sfe_models.training.config import AdversarialConfig, EditDraw
from sfe_models.training.drawn_edits import DrawnEdit, drawn_edits
from sfe_models.training.edit_tables import CARS
from sfe_models.training.errors import ConfigError

DOTS = Dots(12)
IMAGE_BATCH = DOTS[[0, 1, 2, 3]]
IMAGE = IMAGE_BATCH.image
OTHER = replace(SPEC, subject="dots")  # has no published directions


def copied(network):
    return {key: tensor.clone() for key, tensor in network.state_dict().items()}


def statistics(state):
    return {key: tensor for key, tensor in state.items() if "running" in key or "num_batches" in key}


def run(stage, steps=5):
    torch.manual_seed(0)
    for step in range(steps):
        stage.step(step, DOTS[list(range(step, step + 4))])
        stage.update_averages(step)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_only_the_feature_editor_and_its_discriminator_learn():
    stage = make(editor_config(5))
    before = {name: copied(getattr(stage, name)) for name in ("generator", "e4e_encoder", "inverter", "editor")}
    run(stage)
    for name in ("generator", "e4e_encoder", "inverter"):
        assert same(copied(getattr(stage, name)), before[name]), name
        assert all(p.grad is None for p in getattr(stage, name).parameters())
    after = copied(stage.editor)
    trained = [key for key, _ in stage.editor.named_parameters()]
    assert not any(torch.equal(after[key], before["editor"][key]) for key in trained)
    assert not any(torch.equal(after[key], before["editor"][key]) for key in statistics(after))


def test_drifting_statistics():
    stage = make(editor_config(5, inverter_statistics="drifting"))
    before = copied(stage.inverter)
    run(stage, 2)
    stage.samples(DOTS[[0, 1]])  # evaluates it, and lets it drift on
    run(stage, 1)
    after = copied(stage.inverter)
    moved = {key for key in after if not torch.equal(after[key], before[key])}
    assert moved == statistics(before).keys()
    assert all(int(after[key]) == 3 for key in moved if "num_batches" in key)


def test_strength_0_changes_nothing():
    stage = make(editor_config(1))
    for edit in stage.edits:
        pair = stage.pair(IMAGE, edit, torch.zeros(4))
        assert not pair.delta.any() and torch.equal(pair.source, pair.target)


def test_a_strength_gives_a_delta_and_another_picture():
    stage = make(editor_config(1))
    for edit in stage.edits:
        pair = stage.pair(IMAGE, edit, torch.tensor([0.0, 1.0, 2.0, -1.0]))
        assert not pair.delta[0].any() and all(delta.any() for delta in pair.delta[1:])
        assert torch.equal(pair.source[0], pair.target[0]) and not torch.equal(pair.source[1:], pair.target[1:])


@pytest.mark.parametrize("number", [0, 1])
def test_pairs_are_the_pipelines(number):
    """delta = F(w_E) - F(w_E'), X_E = G(w_E), X_E' = G(w_E')."""
    stage, pipeline = make(editor_config(1)), Pipeline(random_networks(SPEC))
    edit, strength = stage.edits[number], torch.tensor([-1.0, 0.5, 2.0, 1.5])
    pair = stage.pair(IMAGE, edit, strength)
    inversion = pipeline.invert(IMAGE, all_styles=True)
    edited = pipeline.apply_direction(inversion, edit.direction, strength)
    torch.testing.assert_close(pair.delta, pipeline.compute_delta(edited).delta, rtol=1e-5, atol=1e-5)
    generator = pipeline.networks.generator
    torch.testing.assert_close(pair.source, pipeline.generate_from(inversion.w_e), rtol=1e-5, atol=1e-5)
    styles = edited.styles_e or generator.style_space(edited.w_e)
    torch.testing.assert_close(pair.target, generator.synthesize(styles), rtol=1e-5, atol=1e-5)


def test_both_families_are_drawn():
    stage, seen = make(editor_config(40)), set()
    for edit in stage.edits:
        move = type(edit.direction).move

        def noted(self, *args, move=move):
            seen.add(isinstance(self, StyleSpaceDirection))
            return move(self, *args)

        object.__setattr__(edit.direction, "move", noted.__get__(edit.direction))
    run(stage, 8)
    assert seen == {True, False}


def test_strengths_stay_within_range_and_table():
    torch.manual_seed(0)
    ranged, listed = edits()
    drawn = ranged.strength(2000, torch.device("cpu"))
    assert -2 <= drawn.min() < -1.9 and 1.9 < drawn.max() <= 2
    drawn = listed.strength(2000, torch.device("cpu"))
    assert drawn.unique().tolist() == [-1.0, 0.5, 2.0]
    assert all(500 < (drawn == s).sum() < 850 for s in (-1.0, 0.5, 2.0))


def test_the_loss_is_inversion_and_edit_alike():
    stage = make(editor_config(1, feature_ramp=0))
    torch.manual_seed(3)
    losses = stage.step(0, DOTS[[0, 1, 2, 3]])
    want = (losses["l2_inversion"] + losses["l2_edit"]) / 2
    torch.testing.assert_close(losses["reconstruction"], want)


@pytest.mark.parametrize("weight", [0.0, 0.25])
def test_the_inversions_weight(weight):
    stage = make(editor_config(1, feature_ramp=0, inversion_weight=weight))
    torch.manual_seed(3)
    losses = stage.step(0, DOTS[[0, 1, 2, 3]])
    want = (weight * losses["l2_inversion"] + losses["l2_edit"]) / 2
    torch.testing.assert_close(losses["reconstruction"], want)


def test_halves_are_averaged_or_added(monkeypatch):
    gradients = []
    for halves in ("mean", "sum"):
        stage = make(editor_config(1, feature_ramp=0, halves=halves))

        def keep(name, editor=stage.editor):
            gradients.append([p.grad.clone() for p in editor.parameters()])

        monkeypatch.setattr(stage, "apply_gradients", keep)
        torch.manual_seed(3)
        stage.step(0, IMAGE_BATCH)
    for mean, total in zip(*gradients, strict=True):
        torch.testing.assert_close(total, 2 * mean, rtol=1e-4, atol=1e-7)


def test_edited_real_pictures_take_part_in_the_adversarial_loss(monkeypatch):
    edit = edits()[0]
    at_once = AdversarialConfig(weight=0.05, start=0)
    seen = {}
    for name, names in (("without", ()), ("with", ("move",))):
        stage = make(editor_config(1, adversarial=at_once, adversarial_edits=names))
        stage.edits = [replace(edit, range=(1.0, 1.0))]
        judged = stage.adversary.encoder_loss
        monkeypatch.setattr(stage.adversary, "encoder_loss", lambda x, n=name, f=judged: seen.update({n: x}) or f(x))
        torch.manual_seed(3)
        stage.step(0, IMAGE_BATCH)
    assert len(seen["without"]) == 4 and len(seen["with"]) == 8
    torch.testing.assert_close(seen["with"][:4], seen["without"])
    assert not torch.allclose(seen["with"][4:], seen["with"][:4], atol=1e-3)
    with pytest.raises(ConfigError, match="adversarial_edits has 'shine'"):
        make(editor_config(1, adversarial_edits=("shine",)))


def test_an_edited_real_picture_is_the_pipelines_edit():
    stage = make(editor_config(1))
    stage.editor.eval(), stage.inverter.eval()
    edit, strength = stage.edits[0], torch.tensor([-1.0, 0.5, 2.0, 1.5])
    pair = stage.pair(IMAGE, edit, strength)
    seen = torch.nn.functional.interpolate(IMAGE, (32, 32), mode="bilinear")
    with torch.no_grad():
        made = stage.edited_real(
            invert(stage.inverter, stage.generator, stage.domain, seen)[0], pair.delta, edit, strength
        )
    networks = random_networks(SPEC, folded=False)
    networks.feature_editor.load_state_dict(stage.editor.state_dict())
    want = Pipeline(networks).edit(IMAGE, [(edit.direction, strength)])
    torch.testing.assert_close(made, want, rtol=1e-4, atol=1e-4)


def test_delta_of_the_inverters_code():
    stage, pipeline = make(editor_config(1, delta_code="inverter")), Pipeline(random_networks(SPEC))
    edit, strength = stage.edits[0], torch.tensor([-1.0, 0.5, 2.0, 1.5])
    pair = stage.pair(IMAGE, edit, strength)
    inversion = with_inverter_code(pipeline, pipeline.invert(IMAGE))
    delta = pipeline.compute_delta(pipeline.apply_direction(inversion, edit.direction, strength)).delta
    torch.testing.assert_close(pair.delta, delta, rtol=1e-5, atol=1e-5)
    with pytest.raises(ConfigError, match="delta_code"):
        editor_config(1, delta_code="F_k")


def test_H_can_start_as_the_difference():
    stage = make(editor_config(1, start="difference"))
    features, delta = torch.randn(2, 2, SPEC.feature_channels, 8, 8)
    torch.testing.assert_close(stage.editor(features, delta), features - delta)
    run(stage, 1)
    assert not torch.allclose(stage.editor(features, delta), features - delta, atol=1e-5)
    with pytest.raises(ConfigError, match="start"):
        editor_config(1, start="F_k")
    with pytest.raises(ConfigError, match="stack_start"):
        editor_config(1, replace(SPEC, stack_start="block"), start="difference")


def test_the_ramp_begins_with_F_w():
    """At step 0 of a ramp, real pictures are made from w alone; H learns from the edits only."""
    stage = make(editor_config(5, feature_ramp=10))
    stage.edits = [replace(stage.edits[0], range=(0.0, 0.0))]
    torch.manual_seed(0)
    losses = stage.step(0, DOTS[[0, 1, 2, 3]])
    networks = random_networks(SPEC, folded=False)
    seen = torch.nn.functional.interpolate(IMAGE, (32, 32), mode="bilinear")
    with torch.no_grad():
        w = networks.inverter(seen)[0] + networks.generator.latent_avg
        want = (networks.generator(w) - IMAGE).square().mean()
    torch.testing.assert_close(losses["l2_inversion"], want, rtol=1e-5, atol=1e-6)


def bundled(name, span):
    return LinearDirection(DirectionInfo(name, "test", "dots", span), torch.ones(1, 16))


def test_an_empty_table_means_every_direction_within_its_range():
    offsets = StyleOffsetDirection(DirectionInfo("b", "test", "dots", (-3.0, 1.0)), (torch.ones(16),) * 5)
    library = DirectionLibrary(OTHER, bundled=[bundled("a", (-2.0, 2.0)), offsets, bundled("no range", None)])
    drawn = drawn_edits((), library)
    assert [(edit.direction.info.name, edit.range) for edit in drawn] == [("a", (-2.0, 2.0)), ("b", (-3.0, 1.0))]


def test_a_table_names_directions_with_their_strengths():
    library = DirectionLibrary(OTHER, bundled=[bundled("a", (-2.0, 2.0)), bundled("b", None)])
    drawn = drawn_edits((EditDraw("b", (1.0, 2.0)), EditDraw("a", range=(0.0, 1.0))), library)
    assert [edit.direction.info.name for edit in drawn] == ["b", "a"]
    assert drawn[0] == DrawnEdit(library.get("b"), (1.0, 2.0), None) and drawn[1].range == (0.0, 1.0)


def test_the_cars_are_drawn_from_the_published_files(shared):
    drawn = drawn_edits(CARS, DirectionLibrary(CARS_512, [shared / "data/directions"]))
    assert [(edit.direction.info.name, edit.strengths) for edit in drawn] == [(r.direction, r.strengths) for r in CARS]


def test_no_direction_at_all():
    with pytest.raises(DirectionError, match="no direction to train the Feature Editor with"):
        drawn_edits((), DirectionLibrary(OTHER))
    with pytest.raises(DirectionError, match="There is no direction 'shine'"):
        drawn_edits((EditDraw("shine", (1.0,)),), DirectionLibrary(OTHER))
