"""A generator's fingerprint: the same for the same weights whatever their dtype, another one for any others."""

import copy

import pytest
import torch

from sfe_models.checkpoints.bundle import load_bundle, save_bundle
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.domain import MobileStyleGANSpec, tiny_domain
from sfe_models.generators.families import make_generator

DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def style(seed):
    return random_networks(tiny_domain(32), seed).generator


def mobile(seed):
    torch.manual_seed(seed)
    return make_generator(MobileStyleGANSpec(channels=(16, 16, 8), style_dim=8, mapping_layers=2))


@pytest.fixture(params=["stylegan2", "mobilestylegan"])
def made(request):
    """Make a generator from a seed."""
    return mobile if request.param == "mobilestylegan" else style


def test_it_is_a_few_digits_and_belongs_to_the_weights(made):
    first = made(0).fingerprint()
    assert len(first) == 16 and int(first, 16)
    assert made(0).fingerprint() == first != made(1).fingerprint()


@torch.enable_grad()
def test_every_training_step_changes_it(made):
    generator = made(0)
    before = generator.fingerprint()
    generator.requires_grad_(True)
    optimizer = torch.optim.Adam(generator.parameters(), 1e-3)
    w = torch.randn(1, generator.spec.n_styles, generator.spec.style_dim)
    generator(w).square().mean().backward()
    optimizer.step()
    assert generator.fingerprint() != before


def test_neither_halves_nor_what_is_measured_change_it(made):
    generator = made(0)
    before = generator.fingerprint()
    assert copy.deepcopy(generator).half().fingerprint() == before
    assert copy.deepcopy(generator).half().float().fingerprint() == before
    generator.latent_avg.add_(1)  # measured where a file lacks it
    assert generator.fingerprint() == before


def test_casting_saving_and_loading_keep_it(tmp_path):
    networks = random_networks(tiny_domain(32))
    before = networks.generator.fingerprint()
    for dtype in DTYPES:
        path = save_bundle(copy.deepcopy(networks).cast(dtype), tmp_path / "b.safetensors")
        for other in (None, *DTYPES):
            assert load_bundle(path, other).generator.fingerprint() == before
