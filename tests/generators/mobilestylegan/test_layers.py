"""Wavelets and strips of MobileStyleGAN."""

import pytest
import torch
import torch.nn.functional as F
from generators.families import SPECS, codes, make

from sfe_models.generators.mobilestylegan import generator as module
from sfe_models.generators.mobilestylegan import strips
from sfe_models.generators.mobilestylegan.layers import inverse_haar
from sfe_models.generators.mobilestylegan.strips import band_order


def haar(x):
    """The forward transform, written as a convolution: [B,C,2r,2r] to bands [B,4C,r,r] in the generator's order."""
    low, high = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64) / 2**0.5
    # LL, LH, HL, HH as the published files have them: LH is the difference of the rows, HL that of the columns.
    filters = [torch.outer(down, across) for down, across in ((low, low), (high, low), (low, high), (high, high))]
    channels = x.shape[1]
    weight = torch.stack(filters)[:, None].repeat(channels, 1, 1, 1)
    bands = F.conv2d(x, weight, stride=2, groups=channels).unflatten(1, (channels, 4))
    return torch.cat([bands[:, :, 0], bands[:, :, 1:].flatten(1, 2)], dim=1)


def picture():
    return torch.randn(2, 5, 8, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_the_inverse_of_the_forward_transform():
    torch.testing.assert_close(inverse_haar(haar(picture())), picture())


def test_the_transform_is_orthonormal():
    bands = haar(picture())
    torch.testing.assert_close(inverse_haar(bands).square().sum(), bands.square().sum())


def test_channels_band_by_band_are_all_channels_once():
    order = band_order(20)
    assert sorted(order.tolist()) == list(range(20))
    # LL as it is, then LH, HL and HH, of which each third belongs to one channel.
    assert order[:5].tolist() == [0, 1, 2, 3, 4]
    assert order[5:10].tolist() == [5, 8, 11, 14, 17] and order[10].item() == 6 and order[15].item() == 7


@pytest.mark.parametrize("noise", ["stored", "none", 7])
@pytest.mark.parametrize("height", [4, 6, 14, 64])
def test_strips_equal_whole(noise, height, monkeypatch):
    generator = make(SPECS["mobilestylegan"])
    spec, styles = generator.spec, generator.style_space(codes(generator.spec))
    monkeypatch.setattr(module, "MIN_RESOLUTION", 1000)
    whole = generator.run(generator.start(2), styles, read_layers=(4, 7, 10), noise=noise)
    monkeypatch.setattr(module, "MIN_RESOLUTION", 8)
    monkeypatch.setattr(strips, "STRIP_BYTES", height * 32 * 8 * 4)
    made = generator.run(generator.start(2), styles, noise=noise)
    assert not made.features.numel()  # else nothing was made in strips
    close = {"rtol": 1e-4, "atol": 1e-5}
    torch.testing.assert_close(generator.picture(made), generator.picture(whole), **close)
    for stop in (4, 7, 10):
        state = generator.run(generator.start(2), styles, stop, noise=noise, features_only=True)
        torch.testing.assert_close(state.features, whole.read[stop], **close)
        going_on = generator.run(state, styles, noise=noise)
        torch.testing.assert_close(generator.picture(going_on), generator.picture(whole), **close)
    read = generator.run(generator.start(2), styles, read_layers=(6,), noise=noise)
    torch.testing.assert_close(generator.picture(read), generator.picture(whole), **close)
    assert list(read.read) == [6] and spec.n_layers == read.layer


def test_in_strips_too_a_run_can_be_ended_before_every_block(monkeypatch):
    """Who ends work from outside does it in hooks of modules."""
    generator, reached = make(SPECS["mobilestylegan"]), []
    monkeypatch.setattr(module, "MIN_RESOLUTION", 8)
    for number, block in enumerate(generator.blocks):
        block.register_forward_pre_hook(lambda *_, number=number: reached.append(number))
    generator.synthesize(generator.style_space(codes(generator.spec)))
    count = len(generator.blocks)
    assert reached == [*range(count), *range(count)]  # two pictures
