"""The sizes of MobileStyleGAN, and how latents of StyleGAN2 reach it."""

import pytest
import torch

from sfe_models.generators.base import SpecError
from sfe_models.generators.mobilestylegan.spec import FFHQ_MOBILE, MobileStyleGANSpec
from sfe_models.generators.stylegan2.spec import StyleGAN2Spec, config_f_channels

SMALL = MobileStyleGANSpec((16, 16, 12, 8), style_dim=16, mapping_layers=2)


def test_the_sizes_of_the_published_generator():
    assert (FFHQ_MOBILE.resolution, FFHQ_MOBILE.n_layers, FFHQ_MOBILE.n_styles) == (1024, 22, 23)
    stylegan2 = StyleGAN2Spec(1024, config_f_channels(1024))
    # F_k of both families: [512,64,64].
    assert FFHQ_MOBILE.layer_channels(13) == stylegan2.layer_channels(9) == 512
    assert FFHQ_MOBILE.layer_resolution(13) == stylegan2.layer_resolution(9) == 64
    assert FFHQ_MOBILE.picture_layers == {1024: 22}


@pytest.mark.parametrize("channels", [(16,), (16, 10), ()])
def test_widths_that_are_no_wavelets_are_refused(channels):
    with pytest.raises(SpecError, match="multiples of 4"):
        MobileStyleGANSpec(channels)


def test_latents_of_stylegan2_reach_the_layers_of_their_own_resolution():
    """A latent that StyleGAN2 reads at some side in px is read at that side here, and none is lost."""
    theirs = StyleGAN2Spec(SMALL.resolution, (16,) * 5)
    numbers = torch.arange(theirs.n_styles).float()[:, None]
    fitted = SMALL.fit_latents(numbers)[:, 0].long().tolist()
    assert len(fitted) == SMALL.n_styles
    for layer in range(1, SMALL.n_layers + 1):
        latent = fitted[layer - 1]
        assert theirs.layer_resolution(latent + 1) == SMALL.layer_resolution(layer)
    # The picture's latent is that of the last RGB layer; the two before feed convolutions of the picture's own size,
    # which this generator does not have.
    last = theirs.n_styles - 1
    assert fitted[-1] == last
    assert set(fitted) == set(range(last - 2)) | {last}
    assert fitted == sorted(fitted)


def test_the_published_layout_of_18_latents():
    fitted = FFHQ_MOBILE.fit_latents(torch.arange(18.0)[:, None])[:, 0].long().tolist()
    assert fitted == [0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11, 12, 13, 13, 14, 17]


def test_batches_of_codes_fit_as_single_ones_do():
    codes = torch.randn(2, 3, 10, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(SMALL.fit_latents(codes)[1, 2], SMALL.fit_latents(codes[1, 2]))
    with pytest.raises(SpecError, match="9 latents .* its own 11 or StyleGAN2's 10"):
        SMALL.fit_latents(codes[:, :, :9])
