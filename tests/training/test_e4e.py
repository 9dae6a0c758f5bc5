"""e4e's training: offsets that open one after another, and the pool of earlier latents."""

import torch
from training.tiny import CPU, Dots, e4e_config, make

from sfe_models.training.latent_discriminator import LatentDiscriminator, LatentPool


def test_offsets_open_one_after_another():
    stage = make(e4e_config(1, progressive_start=20, progressive_every=5))
    opened = [stage.progress(step) for step in (0, 19, 20, 24, 25, 30, 40, 10**6)]
    assert opened == [0, 0, 1, 1, 2, 3, 5, 5]


def test_closed_offsets_are_0_and_untrained():
    config = e4e_config(10, progressive_start=0, progressive_every=10**6)
    stage = make(config)
    seen = stage.encoder.eval()(torch.rand(2, 3, 32, 32), stage=1)
    assert not torch.equal(seen[:, 1], seen[:, 0])
    assert all(torch.equal(seen[:, i], seen[:, 0]) for i in range(2, 6))
    before = [{k: v.clone() for k, v in head.state_dict().items()} for head in stage.encoder.styles]
    stage.encoder.train()
    for step in range(3):
        stage.step(step, Dots(4)[[0, 1, 2, 3]])
    for i, (head, old) in enumerate(zip(stage.encoder.styles, before, strict=True)):
        changed = any(not torch.equal(v, old[k]) for k, v in head.state_dict().items())
        assert changed == (i <= 1)


def test_the_generator_is_left_alone():
    stage = make(e4e_config(4))
    before = {k: v.clone() for k, v in stage.generator.state_dict().items()}
    for step in range(4):
        stage.step(step, Dots(4)[[0, 1, 2, 3]])
    assert all(torch.equal(v, before[k]) for k, v in stage.generator.state_dict().items())
    assert all(p.grad is None for p in stage.generator.parameters())


def numbered(start, count):
    return torch.arange(start, start + count, dtype=torch.float32)[:, None]


def test_pool_gives_back_what_comes_until_it_is_full():
    pool = LatentPool(6)
    assert torch.equal(pool.query(numbered(0, 6)), numbered(0, 6))
    assert torch.equal(torch.stack(pool.latents), numbered(0, 6))


def test_full_pool_swaps_half_for_older_ones():
    torch.manual_seed(0)
    pool = LatentPool(20)
    pool.query(numbered(0, 20))
    kept, given = set(range(20)), []
    for start in range(20, 620, 4):
        asked = numbered(start, 4)
        answer = pool.query(asked)
        given += (answer == asked).flatten().tolist()
        # Nothing is lost, made up or kept twice: what comes in stays or comes out.
        kept |= set(asked.flatten().int().tolist())
        kept -= set(answer.flatten().int().tolist())
        assert sorted(kept) == sorted(int(x) for x in pool.latents) and len(pool.latents) == 20
    assert 0.42 < sum(given) / len(given) < 0.58


def test_pool_keeps_values_without_a_graph():
    pool = LatentPool(2)
    latents = torch.ones(2, 3, requires_grad=True)
    assert not pool.query(latents * 2).requires_grad
    assert not any(latent.requires_grad for latent in pool.latents)


def test_pool_of_none_gives_everything_back():
    pool = LatentPool(0)
    assert torch.equal(pool.query(numbered(0, 5)), numbered(0, 5)) and pool.state() == []


def test_pool_goes_on_from_its_state():
    torch.manual_seed(0)
    pool, other = LatentPool(4), LatentPool(4)
    pool.query(numbered(0, 7))
    other.load_state(pool.state(), CPU)
    torch.manual_seed(1)
    want = [pool.query(numbered(start, 3)) for start in (10, 20)]
    torch.manual_seed(1)
    assert torch.equal(torch.stack([other.query(numbered(start, 3)) for start in (10, 20)]), torch.stack(want))


def test_latent_discriminator_reads_single_latents():
    torch.manual_seed(0)
    network, w = LatentDiscriminator(8, layers=3), torch.randn(2, 5, 8)
    assert network(w).shape == (2, 5, 1)
    torch.testing.assert_close(network(w)[1, 3], network(w[1, 3]))
    assert sum(isinstance(m, torch.nn.Linear) for m in network.modules()) == 3
