"""A direction names the generator that it was found from; another one is refused, and who says nothing passes."""

import json

import pytest
import torch

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.directions.base import DirectionError, DirectionInfo
from sfe_models.directions.families.composition import averaged
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.files import describe_own_file, read_own_file, save_own_file
from sfe_models.directions.finding.boundaries import BoundaryTraining, conditional_direction, train_boundary
from sfe_models.directions.finding.channels import ChannelEffect, channels_direction
from sfe_models.directions.finding.pca import component_direction, w_components
from sfe_models.directions.finding.pictures import picture_difference, style_difference
from sfe_models.directions.finding.scored_samples import sample_scored
from sfe_models.directions.finding.sefa import sefa
from sfe_models.directions.finding.statistics import channel_statistics
from sfe_models.directions.finding.traversal import seed_codes, traversal
from sfe_models.directions.layers import on_layers_only
from sfe_models.domain import tiny_domain
from sfe_models.pipeline import Pipeline

SPEC = tiny_domain(32)
EFFECT = ChannelEffect(1, 2, 1.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def generator():
    return random_networks(SPEC).generator


@pytest.fixture(scope="module")
def other():
    """Networks of the same sizes with other weights."""
    return random_networks(SPEC, 1)


def of(generator):
    return LinearDirection(DirectionInfo("d", "test", SPEC.subject, generator=generator), torch.ones(1, 16))


def boundary(generator):
    samples = sample_scored(generator, lambda pictures: pictures.mean(dim=(1, 2, 3)), 40)
    return train_boundary(samples, "score", None, BoundaryTraining(fraction=0.3)).direction


FINDERS = {
    "sefa": lambda g: sefa(g, None, count=1)[0],
    "ganspace": lambda g: component_direction(w_components(g, 1, 20), 0, g.spec.n_styles, None),
    "boundary": boundary,
    "channels": lambda g: channels_direction([EFFECT], channel_statistics(g, 10), None, "c"),
    "style space of pictures": lambda g: style_difference(g, *seed_codes(g, (1, 2)).split(1), None, "p"),
}


@pytest.mark.parametrize("finder", FINDERS)
def test_what_is_found_from_a_generator_names_it(generator, finder):
    assert FINDERS[finder](generator).info.generator == generator.fingerprint()


def test_a_difference_of_codes_is_of_the_generator_that_is_named(generator):
    codes = seed_codes(generator, (1, 2)).split(1)
    assert picture_difference(*codes, None, "p", generator="f00d").info.generator == "f00d"
    assert picture_difference(*codes, None, "p").info.generator is None


def test_another_generator_is_refused(generator, other):
    direction, pipeline = on_layers_only(of(generator.fingerprint()), "coarse", SPEC.generator), Pipeline(other)
    both = f"{generator.fingerprint()}, these have {other.generator.fingerprint()}"
    with pytest.raises(DirectionError, match=f"'d' was found from another generator .*{both}. Find it anew"):
        pipeline.apply_direction(pipeline.invert(torch.zeros(1, 3, 32, 32)), direction, 1.0)
    with pytest.raises(DirectionError, match="another generator"):
        traversal(other.generator, direction, [0.0], seed_codes(other.generator, [0]))
    assert traversal(generator, direction, [0.0], seed_codes(generator, [0])).shape == (3, 32, 32)


def test_who_says_nothing_passes(other):
    pipeline, direction = Pipeline(other), of(None)
    edit = pipeline.apply_direction(pipeline.invert(torch.zeros(1, 3, 32, 32)), direction, 1.0)
    assert (edit.w != edit.inversion.w).all()


def test_own_files_keep_it(tmp_path):
    path = save_own_file(of("f00d"), tmp_path / "d.safetensors")
    assert read_own_file(describe_own_file(path, None), SPEC.generator).info.generator == "f00d"
    assert "generator" not in json.loads(save_own_file(of(None), tmp_path / "e.npy").with_suffix(".json").read_text())
    path.with_suffix(".json").write_text('{"generator": ""}')
    with pytest.raises(DirectionError, match="'generator' is ''; expected a generator's fingerprint"):
        describe_own_file(path, None)


def test_what_is_made_of_several_is_of_their_generator():
    assert averaged([of("a"), of(None), of("a")]).info.generator == "a"
    with pytest.raises(DirectionError, match="generators a and b cannot be averaged"):
        averaged([of("a"), of("b")])
    with pytest.raises(DirectionError, match="different generators, a and b"):
        conditional_direction(of("a"), [of("b")])
