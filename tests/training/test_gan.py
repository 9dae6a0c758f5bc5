"""StyleGAN2's training: style mixing, path lengths, augmentation's probability, growing."""

from dataclasses import replace

import pytest
import torch
from training.tiny import SPEC, Dots, gan_config, make

from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.domain import tiny_domain
from sfe_models.generators.stylegan2.generator import StyleGAN2
from sfe_models.training.gan import PathLengthRegulariser, load_matching, path_lengths, style_mixed
from sfe_models.training.loop import train

DOTS = Dots(16)


@pytest.fixture(scope="module")
def generator():
    return random_networks(SPEC, folded=False).generator


def latents(count, seed):
    return torch.randn(count, 16, generator=torch.Generator().manual_seed(seed))


def test_share_0_gives_the_first_code_everywhere(generator):
    z, other = latents(8, 0), latents(8, 1)
    assert torch.equal(style_mixed(generator, z, other, 0.0), generator.broadcast(generator.mapping(z)))


def test_share_1_takes_the_other_code_from_a_cut_on_but_never_at_layer_0(generator):
    torch.manual_seed(0)
    z, other = latents(64, 0), latents(64, 1)
    w, w_other = (generator.broadcast(generator.mapping(x)) for x in (z, other))
    mixed = style_mixed(generator, z, other, 1.0)
    from_other = (mixed == w_other).all(dim=2)
    assert torch.equal(mixed, torch.where(from_other[..., None], w_other, w))
    assert not from_other[:, 0].any() and from_other[:, -1].all()
    assert not (from_other[:, :-1] & ~from_other[:, 1:]).any()  # once over, never back
    assert from_other.sum(dim=1).unique().tolist() == [1, 2, 3, 4, 5]


def test_share_is_a_share(generator):
    torch.manual_seed(0)
    mixed = style_mixed(generator, latents(500, 0), latents(500, 1), 0.3)
    share = (mixed[:, 0] != mixed[:, -1]).any(dim=1).float().mean()
    assert 0.22 < share < 0.38


def test_path_lengths_are_those_of_the_whole_jacobian():
    """|J^T y| with the Jacobian of every pixel for every code, for the same y."""
    spec = tiny_domain(16, 4)
    generator = random_networks(spec, folded=False).generator.double()
    w = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.manual_seed(5)
    lengths = path_lengths(generator, w.clone().requires_grad_(True), noise="stored")
    torch.manual_seed(5)
    y = torch.randn_like(generator(w)) / 16  # a picture of unit variance over its pixels
    for i in range(2):
        code = w[i : i + 1]
        jacobian = torch.autograd.functional.jacobian(lambda x: generator(x).flatten(), code)  # [768,1,6,4]
        gradient = torch.einsum("p,pnd->nd", y[i].flatten(), jacobian[:, 0])
        want = (gradient.square().sum() / 6).sqrt()  # the layers' mean
        torch.testing.assert_close(lengths[i], want, rtol=1e-9, atol=0)


def test_expected_squared_path_length_is_the_jacobians_norm():
    generator = random_networks(tiny_domain(16, 4), folded=False).generator
    w = torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(0))
    jacobian = torch.autograd.functional.jacobian(lambda x: generator(x).flatten(), w)
    torch.manual_seed(0)
    lengths = path_lengths(generator, w.expand(400, -1, -1).clone().requires_grad_(True), noise="stored")
    want = jacobian.square().sum() / 6 / (16 * 16)
    assert abs(lengths.square().mean() / want - 1) < 0.15


def test_path_length_has_a_gradient_for_the_weights(generator):
    trained = StyleGAN2(SPEC.generator)
    w = trained.broadcast(trained.mapping(latents(2, 0)))
    path_lengths(trained, w).mean().backward()
    assert trained.convs[0].conv.weight.grad.any() and trained.style[1].weight.grad.any()


def test_path_length_regulariser():
    regulariser, mean = PathLengthRegulariser(decay=0.25), 0.0
    for lengths in (torch.tensor([1.0, 3.0]), torch.tensor([4.0, 4.0])):
        mean += 0.25 * (float(lengths.mean()) - mean)
        want = float(((lengths - mean) ** 2).mean())
        assert float(regulariser(lengths)) == pytest.approx(want)
    assert float(regulariser.mean) == pytest.approx(mean)


def test_lazy_regularisers_scale_adam():
    stage = make(gan_config(1, lr=2e-3, path_every=4, r1_every=16, mapping_rate=0.01))
    ratios = {"generator": 4 / 5, "discriminator": 16 / 17}
    for name, ratio in ratios.items():
        group = stage.optimizers[name].param_groups[0]
        assert group["full_lr"] == pytest.approx(2e-3 * ratio)
        assert group["betas"] == pytest.approx((0.0, 0.99**ratio))
    mapping = stage.optimizers["generator"].param_groups[1]
    assert mapping["full_lr"] == pytest.approx(2e-3 * 4 / 5 * 0.01)
    assert {id(p) for p in mapping["params"]} == {id(p) for p in stage.generator.style.parameters()}


def test_mean_latent_follows_the_mapping(tmp_path):
    config = gan_config(150, adversarial=0.0, path_length=0.0, ema_halflife=0)
    stage = make(config)
    assert not stage.generator.latent_avg.any()
    train(stage, config, DOTS, tmp_path)
    want = stage.generator.mapping(latents(4000, 3)).mean(dim=0)
    left = (stage.generator.latent_avg - want).norm() / want.norm()
    assert left < 0.5  # 0.99^150 = 0.22, and the noise of small batches


def test_paired_loss_wants_latents(tmp_path):
    class Plain(Dots):
        def __getitem__(self, indices):
            return type(super().__getitem__([0]))(self.image[indices])

    config = gan_config(1, paired=1.0)
    with pytest.raises(ValueError, match="set paired to 0"):
        train(make(config), config, Plain(8), tmp_path)


@pytest.mark.parametrize("perceptual", [0.0, 0.5])
def test_paired_loss_by_hand(perceptual):
    """|x| + x^2 of the difference to the latent's own picture, where the mask says so more, and its gradient."""

    class Largest(torch.nn.Module):
        def forward(self, a, b):
            return (a - b).abs().amax(dim=(1, 2, 3))

    config = gan_config(1, paired=2.0, paired_features=3.0, paired_perceptual=perceptual, ada_target=None)
    stage = make(config)
    stage.perceptual = Largest()
    batch = replace(DOTS[[0, 1]], feature_mask=(DOTS.image[:2, :1] > 0).float())
    numbers = {}
    loss = stage.paired_loss(batch, numbers)
    generator = stage.generator
    made = generator(generator.broadcast(generator.mapping(batch.latent)))  # its noise still has strength 0
    total = 0.0
    for x, mask in zip(made - batch.image, batch.feature_mask, strict=True):
        total = total + ((x.abs() + x**2) * (1 + 3 * mask)).sum() / (2 * 3 * 16 * 16)
        total = total + perceptual * x.abs().max() / 2
    torch.testing.assert_close(loss, 2 * total)
    torch.testing.assert_close(numbers["paired_l2"], (made - batch.image).square().mean())
    weight = generator.convs[0].conv.weight
    (got,), (want,) = (torch.autograd.grad(x, weight) for x in (loss, 2 * total))
    torch.testing.assert_close(got, want)


def test_a_generator_grows_from_a_lower_resolution(tmp_path):
    """The layers up to the lower resolution make the same features; the start's averages are those that count."""
    config = gan_config(3)
    train(make(config), config, DOTS, tmp_path)
    trained = make(config)
    trained.load_state(torch.load(tmp_path / "last.pt"))
    grown = make(gan_config(1, tiny_domain(32, 16)), seed=1)
    left = grown.start_from(tmp_path)
    assert left and not any("style" in name or "conv1.conv" in name and "generator.conv1." in name for name in left)
    assert all("b32" in name or ".convs." in name or "to_rgbs" in name or "noise" in name for name in left)
    w = torch.randn(2, 8, 16)
    before, after = trained.averages["generator"], grown.generator
    want = before.run(before.start(2), before.style_space(w[:, :6]), 5)
    got = after.run(after.start(2), after.style_space(w), 5)
    assert torch.equal(got.features, want.features) and torch.equal(got.carried[0], want.carried[0])
    assert torch.equal(after.latent_avg, before.latent_avg)
    for key, tensor in grown.averages["generator"].state_dict().items():
        assert torch.equal(tensor, after.state_dict()[key])


def test_the_same_resolution_leaves_nothing(tmp_path):
    config = gan_config(2)
    train(make(config), config, DOTS, tmp_path)
    assert make(config, seed=1).start_from(tmp_path) == []


def test_load_matching_takes_what_fits():
    torch.manual_seed(0)
    target, source = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    bias = target.bias.clone()
    weights = {"weight": source.weight.detach(), "bias": torch.zeros(5), "other": torch.zeros(1)}
    assert load_matching(target, weights) == ["bias"]
    assert torch.equal(target.weight, source.weight) and torch.equal(target.bias, bias)
