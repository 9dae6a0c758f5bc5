"""A small model around a MobileStyleGAN of 64 px, and what a package could bring of it."""

import copy
from functools import lru_cache

import torch

from sfe_models.checkpoints.encoders_file import save_encoders
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.domain import DomainSpec, MobileE4ESpec, MobileInverterSpec, MobileStyleGANSpec

# F_k is block 1's output, 16 px.
SPEC = DomainSpec(
    "tiny-mobile",
    MobileStyleGANSpec((16, 16, 16, 8), style_dim=16, mapping_layers=2),
    subject="human faces",
    e4e=MobileE4ESpec(hidden=8),
    inverter=MobileInverterSpec(hidden=8, channels=8, blocks=1),
    feature_layer=7,
    delta_layer=7,
    encoder_size=(64, 64),
    editor_blocks=1,
    editor_width=8,
)
STEPS = {"e4e_encoder": 5, "inverter": 3, "feature_editor": 0}


@lru_cache
def _drawn(seed):
    return random_networks(SPEC, seed, folded=False)


def generator():
    """A copy of the generator."""
    return copy.deepcopy(_drawn(0).generator)


def networks(seed=0):
    """A copy of random networks, not folded; the generator is the same for every seed."""
    made = copy.deepcopy(_drawn(seed))
    made.generator = generator()
    return made


def packaged_encoders(path, seed=0, dtype=torch.float32):
    return save_encoders(networks(seed), path, dtype, STEPS, "Drawn at random.")
