"""A picture at a reduced size is the generator's own, of that size."""

import dataclasses

import pytest
import torch

from sfe_models.generators.base import StyleSpace, SynthesisState
from sfe_models.generators.stylegan2.generator import StyleGAN2
from sfe_models.inputs import InputError


def cut(generator, resolution):
    """The same generator without its last resolutions, which is one of its own right."""
    spec = generator.spec
    count = resolution.bit_length() - 2
    smaller = StyleGAN2(dataclasses.replace(spec, resolution=resolution, channels=spec.channels[:count])).eval()
    smaller.load_state_dict({k: v for k, v in generator.state_dict().items() if k in smaller.state_dict()})
    return smaller


@pytest.fixture
def features(pipeline, image, directions):
    return pipeline.feature_edit(
        pipeline.compute_delta(pipeline.apply_direction(pipeline.invert(image), directions[0], 2.0))
    )


def test_it_is_the_picture_of_a_generator_that_ends_there(pipeline, features):
    assert len(pipeline.preview_resolutions) > 1
    for resolution in pipeline.preview_resolutions:
        smaller = cut(pipeline.networks.generator, resolution)
        layers = smaller.spec.n_layers
        styles = pipeline.networks.generator.style_space(features.edit.w)
        styles = StyleSpace(styles.convs[:layers], styles.rgbs[: (layers + 1) // 2])
        state = SynthesisState(pipeline.spec.feature_layer, features.F_k, features.carried)
        with torch.no_grad():
            expected = smaller.picture(smaller.run(state, styles))
        assert expected.shape[2] == resolution
        torch.testing.assert_close(pipeline.synthesize(features, resolution), expected, rtol=1e-5, atol=1e-5)


def test_the_last_one_is_the_whole_picture(pipeline, features):
    full = pipeline.spec.generator.resolution
    assert pipeline.preview_resolutions[-1] == full
    assert torch.equal(pipeline.synthesize(features, full), pipeline.synthesize(features))


@pytest.mark.parametrize("resolution", [4, 100, 4096])
def test_a_size_that_is_none_of_its_own_is_refused(pipeline, features, resolution):
    with pytest.raises(InputError, match="can be stopped at"):
        pipeline.synthesize(features, resolution)
