"""Laws of every family of generators: cut open, in batches and in float64 it makes the same picture."""

import copy
import json
from dataclasses import replace

import pytest
import torch
from generators.families import SPECS, codes, domain, make

from sfe_models.checkpoints.bundle import load_bundle, save_bundle
from sfe_models.checkpoints.load import DEMO_BUNDLE
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.checkpoints.reading import read_safetensors
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.domain import DEMO, DomainSpec, SpecError
from sfe_models.generators.base import StyleSpace, SynthesisState
from sfe_models.pipeline import Pipeline


@pytest.fixture(scope="module", params=SPECS)
def generator(request):
    return make(SPECS[request.param])


def layers_of(generator):
    return range(generator.spec.n_layers + 1)


def test_the_picture_is_of_the_stated_size_and_worth_seeing(generator):
    picture = generator(codes(generator.spec))
    assert picture.shape == (2, 3, 64, 64) and picture.dtype == torch.float32
    assert 0.05 < picture.std() < 2


def test_stopping_and_going_on_is_the_whole_run(generator):
    w = codes(generator.spec)
    styles, whole = generator.style_space(w), generator(w)
    for layer in layers_of(generator):
        state = generator.run(generator.start(2), styles, layer)
        assert state.layer == layer
        assert torch.equal(generator.picture(generator.run(state, styles)), whole)
    beyond = generator.spec.n_layers + 1
    with pytest.raises(ValueError, match=f"the last is {beyond - 1}"):
        generator.run(generator.start(2), styles, beyond)


def test_the_sizes_of_layers_are_those_of_the_spec(generator):
    spec, styles = generator.spec, generator.style_space(codes(generator.spec))
    read = generator.run(generator.start(2), styles, read_layers=layers_of(generator)[1:]).read
    assert list(read) == list(layers_of(generator)[1:])
    for layer, features in read.items():
        side = spec.layer_resolution(layer)
        assert features.shape == (2, spec.layer_channels(layer), side, side)


def test_read_layers_are_those_of_stopped_runs(generator):
    styles = generator.style_space(codes(generator.spec))
    wanted = (1, 4, generator.spec.n_layers)
    read = generator.run(generator.start(2), styles, read_layers=wanted).read
    assert set(read) == set(wanted)
    for layer, features in read.items():
        stopped = generator.run(generator.start(2), styles, layer, features_only=True)
        assert torch.equal(features, stopped.features) and not stopped.carried


def test_a_layer_reads_the_latents_before_it_and_nothing_else(generator):
    w = codes(generator.spec)
    for layer in layers_of(generator)[1:]:
        whole = generator.run(generator.start(2), generator.style_space(w), layer, features_only=True)
        first = generator.style_space(w[:, :layer], layer)
        assert torch.equal(generator.run(generator.start(2), first, layer, features_only=True).features, whole.features)
        later, last = w.clone(), w.clone()
        later[:, layer:] += 1
        last[:, layer - 1] += 1
        moved = [generator.run(generator.start(2), generator.style_space(code), layer) for code in (later, last)]
        assert torch.equal(moved[0].features, whole.features)
        assert not torch.equal(moved[1].features, whole.features)


def test_first_styles_are_those_of_a_shorter_run(generator):
    w = codes(generator.spec)
    whole = generator.style_space(w)
    for layer in layers_of(generator)[1:]:
        cut, made = generator.first_styles(whole, layer), generator.style_space(w, layer)
        assert len(cut.convs) == layer and len(cut.rgbs) == len(made.rgbs)
        for a, b in zip((*cut.convs, *cut.rgbs), (*made.convs, *made.rgbs), strict=True):
            assert torch.equal(a, b)


def test_style_maps_are_what_a_step_of_one_latent_does(generator):
    """By latent: A n for every style vector that the latent moves, and nothing for all others."""
    spec = generator.spec
    w, step = codes(spec, 1), codes(spec, 2)[1, 0]
    maps, before = generator.style_maps(), generator.style_space(w)
    assert len(maps) == spec.n_styles
    for latent, weights in enumerate(maps):
        moved = w.clone()
        moved[:, latent] += step
        after = generator.style_space(moved)
        pairs = zip((*after.convs, *after.rgbs), (*before.convs, *before.rgbs), strict=True)
        changes = [a[0] - b[0] for a, b in pairs if not torch.equal(a, b)]
        assert len(changes) == len(weights)
        for change, weight in zip(changes, weights, strict=True):
            torch.testing.assert_close(change, weight @ step, rtol=1e-4, atol=1e-5)


def test_own_features_put_back_change_nothing(generator):
    styles = generator.style_space(codes(generator.spec))
    state = generator.run(generator.start(2), styles, 5)
    same = generator.picture(generator.run(replace(state, features=state.features.clone()), styles))
    assert torch.equal(same, generator.synthesize(styles))
    other = generator.picture(generator.run(replace(state, features=1.1 * state.features), styles))
    assert not torch.equal(other, same)


def test_batch_equals_loop(generator):
    w = codes(generator.spec, 3)
    loop = torch.cat([generator(w[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(generator(w), loop, rtol=1e-5, atol=1e-5)


def test_joined_and_cut_states_are_those_of_single_runs(generator):
    styles = generator.style_space(codes(generator.spec, 3))
    state = generator.run(generator.start(3), styles, 5)
    parts = [generator.run(generator.start(1), styles[i : i + 1], 5) for i in range(3)]
    joined = SynthesisState.cat(parts)
    torch.testing.assert_close(joined.features, state.features, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state[1:2].features, parts[1].features, rtol=1e-5, atol=1e-5)
    both = StyleSpace.cat([styles[:1], styles[1:]])
    assert torch.equal(generator.synthesize(both), generator.synthesize(styles))


def test_with_gradients_the_picture_is_the_same(generator):
    """Whole layers, which training takes, and the strips of inference."""
    w = codes(generator.spec).requires_grad_()
    with torch.enable_grad():
        picture = generator(w)
        (gradient,) = torch.autograd.grad(picture.square().sum(), w)
    torch.testing.assert_close(picture.detach(), generator(w.detach()), rtol=1e-4, atol=1e-5)
    assert (gradient.abs().amax(dim=2) > 0).all()


def test_agrees_with_float64(generator):
    wide = copy.deepcopy(generator).double()
    w = codes(generator.spec)
    torch.testing.assert_close(generator(w).double(), wide(w.double()), rtol=1e-4, atol=1e-5)


def test_noise_kinds(generator):
    w = codes(generator.spec)
    assert torch.equal(generator(w, noise=3), generator(w, noise=3))
    assert not torch.equal(generator(w, noise=3), generator(w, noise=4))
    assert not torch.equal(generator(w), generator(w, noise="none"))
    assert not torch.equal(generator(w, noise="random"), generator(w, noise="random"))
    with pytest.raises(ValueError, match="expected 'stored'"):
        generator(w, noise="pink")


def test_truncation_and_mean(generator):
    generator = copy.deepcopy(generator)
    generator.latent_avg.copy_(generator.mean_latent(1000))
    z = torch.randn(4, 16, generator=torch.Generator().manual_seed(2))
    assert torch.equal(generator.mapping(z, 0.0), generator.latent_avg.expand(4, -1))
    middle = (generator.mapping(z) + generator.latent_avg) / 2
    torch.testing.assert_close(generator.mapping(z, 0.5), middle)


def test_latents_of_one_or_all_layers_fit_and_others_are_refused(generator):
    spec = generator.spec
    w = codes(spec)
    assert torch.equal(spec.fit_latents(w), w)
    assert torch.equal(spec.fit_latents(w[:, :1]), w[:, :1].expand_as(w))
    with pytest.raises(SpecError, match="expected its own"):
        spec.fit_latents(w[:, :3])


# Models of either family


@pytest.mark.parametrize("family", SPECS)
def test_a_domain_is_read_as_it_was_written(family):
    assert DomainSpec.from_json(domain(family).to_json()) == domain(family)


def test_descriptions_of_before_there_were_families_are_stylegan2():
    written = read_safetensors(DEMO_BUNDLE).metadata["domain"]
    assert "family" not in json.loads(written)["generator"]  # else the next line shows nothing
    assert DomainSpec.from_json(written) == DEMO
    old = {"name": "old", "generator": {"resolution": 64, "channels": [16] * 5, "style_dim": 16, "mapping_layers": 2},
           "feature_layer": 5, "delta_layer": 5, "encoder_size": [64, 64]}  # fmt: skip
    assert DomainSpec.from_json(json.dumps(old)).generator == SPECS["stylegan2"]
    old["generator"]["family"] = "stylegan7"
    with pytest.raises(SpecError, match="stylegan7"):
        DomainSpec.from_json(json.dumps(old))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("family", SPECS)
def test_a_bundle_is_read_as_it_was_written(family, dtype, tmp_path):
    networks = random_networks(domain(family)).cast(dtype)
    got = load_bundle(save_bundle(networks, tmp_path / "one.safetensors"))
    assert got.spec == networks.spec and got.dtype == networks.dtype == dtype
    for (name, a), (other, b) in zip(networks.state_dict().items(), got.state_dict().items(), strict=True):
        assert name == other and a.dtype == b.dtype and torch.equal(a, b)
    narrow = {name for name, tensor in got.generator.state_dict().items() if tensor.dtype != torch.float32}
    assert bool(narrow) == (family == "stylegan2" and dtype != torch.float32)


@pytest.mark.parametrize("family", SPECS)
def test_a_whole_edit_works(family, image):
    pipeline = Pipeline(random_networks(domain(family)))
    spec = pipeline.spec
    inversion = pipeline.invert(image)
    vector = codes(spec.generator, 1)[0]
    direction = LinearDirection(DirectionInfo("some", "own", spec.subject), vector)
    plain = pipeline.synthesize(pipeline.feature_edit(inversion))
    edits = [pipeline.apply_direction(inversion, direction, strength) for strength in (0.0, 1.0)]
    unmoved, moved = (pipeline.synthesize(pipeline.feature_edit(pipeline.compute_delta(edit))) for edit in edits)
    assert plain.shape == (2, 3, 64, 64)
    assert torch.equal(unmoved, plain) and not torch.equal(moved, plain)


@pytest.mark.parametrize(("family", "codes_run"), [("stylegan2", 4), ("mobilestylegan", 2)])
def test_delta_runs_w_only_where_the_generator_carries_something(family, codes_run, image):
    pipeline = Pipeline(random_networks(domain(family)))
    vector = codes(pipeline.spec.generator, 1)[0]
    direction = LinearDirection(DirectionInfo("some", "own", pipeline.spec.subject), vector)
    edit = pipeline.apply_direction(pipeline.invert(image), direction, 1.0)
    rows = []
    pipeline.networks.generator.layers()[0].register_forward_pre_hook(lambda module, given: rows.append(len(given[0])))
    pipeline.compute_delta(edit)
    assert sum(rows) == codes_run
