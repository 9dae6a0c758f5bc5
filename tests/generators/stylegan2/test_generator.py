"""Laws of StyleGAN2 alone: its RGB skip, its strips and its modulation. What all families keep: `test_families.py`."""

import pytest
import torch
import torch.nn.functional as F

from sfe_models.domain import StyleGAN2Spec, tiny_domain
from sfe_models.generators.stylegan2 import strips
from sfe_models.generators.stylegan2.generator import StyleGAN2
from sfe_models.generators.stylegan2.layers import ModulatedConv2d


def make(resolution=64, width=16, **options):
    torch.manual_seed(0)
    n = resolution.bit_length() - 2
    generator = StyleGAN2(StyleGAN2Spec(resolution, (width,) * n, style_dim=16, mapping_layers=2, **options))
    for name, parameter in generator.named_parameters():
        if name.endswith("noise.weight") or name.endswith("bias"):
            parameter.data += 0.3 * torch.randn_like(parameter)
    return generator.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def generator():
    return make()


def codes(generator, batch=2):
    random = torch.Generator().manual_seed(5)
    return torch.randn(batch, generator.spec.n_styles, 16, generator=random)


def test_first_styles_are_enough_for_the_first_layers(generator):
    w = codes(generator)
    whole = generator.run(generator.start(2), generator.style_space(w), 5)
    part = generator.run(generator.start(2), generator.style_space(w[:, :6], 5), 5)
    assert torch.equal(whole.features, part.features) and torch.equal(whole.carried[0], part.carried[0])
    other = w.clone()
    other[:, 5:] += 1
    moved = generator.run(generator.start(2), generator.style_space(other), 5)
    assert torch.equal(whole.features, moved.features) and not torch.equal(whole.carried[0], moved.carried[0])


@pytest.mark.parametrize("noise", ["stored", "none", 7])
@pytest.mark.parametrize("height", [8, 24, 100, 256])
def test_strips_equal_whole(noise, height, monkeypatch):
    generator = make(tiny_domain(256).generator.resolution)
    styles = generator.style_space(codes(generator))
    with torch.enable_grad():  # the path that training takes, whole layers
        whole = generator.synthesize(styles, noise=noise)
    monkeypatch.setattr(strips, "STRIP_BYTES", height * 256 * 16 * 4)
    torch.testing.assert_close(generator.synthesize(styles, noise=noise), whole, rtol=1e-4, atol=1e-4)
    state = generator.run(generator.start(2), styles, 11, noise=noise)
    made = generator.picture(generator.run(state, styles, noise=noise))
    torch.testing.assert_close(made, whole, rtol=1e-4, atol=1e-4)


def test_strips_keep_features_for_the_next_resolution():
    generator = make(512, 8)
    styles = generator.style_space(codes(generator, 1))
    with torch.enable_grad():
        whole = generator.synthesize(styles)
    torch.testing.assert_close(generator.synthesize(styles), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("upsample", [False, True])
def test_modulation_equals_per_sample_weights(upsample):
    torch.manual_seed(1)
    layer = ModulatedConv2d(6, 5, 3, 8, upsample=upsample).double()
    x, style = torch.randn(3, 6, 8, 8).double(), 1 + torch.randn(3, 6).double()
    got = layer(x, style, torch.zeros(5).double())
    for i in range(3):  # equations 1 and 3 of the StyleGAN2 paper
        weight = layer.weight[0] / 54**0.5 * style[i, None, :, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if upsample:
            blur = torch.outer(torch.tensor([1.0, 3, 3, 1]), torch.tensor([1.0, 3, 3, 1])).double() / 16
            want = F.conv_transpose2d(x[i : i + 1], weight.transpose(0, 1), stride=2)
            want = F.conv2d(F.pad(want, (1, 1, 1, 1)), blur.expand(5, 1, 4, 4), groups=5)
        else:
            want = F.conv2d(x[i : i + 1], weight, padding=1)
        torch.testing.assert_close(got[i : i + 1], want)


@torch.enable_grad()
def test_path_length_gradient_exists():
    generator = make(16).requires_grad_(True)
    w = codes(generator).requires_grad_(True)
    image = generator(w, noise="random")
    (gradient,) = torch.autograd.grad((image * torch.randn_like(image)).sum(), w, create_graph=True)
    gradient.square().sum().backward()
    assert generator.convs[0].conv.weight.grad.abs().sum() > 0


def test_clamp_bounds_every_layer():
    generator = make(32, conv_clamp=0.1)
    styles = generator.style_space(codes(generator))
    read = generator.run(generator.start(2), styles, read_layers=range(1, 8)).read
    assert max(features.abs().max() for features in read.values()) <= 0.1 * 2**0.5 + 1e-6
