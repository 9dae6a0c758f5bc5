"""The families of generators, each by its spec."""

from __future__ import annotations

from .base import Generator, GeneratorSpec
from .mobilestylegan.generator import MobileStyleGAN
from .mobilestylegan.spec import MobileStyleGANSpec
from .stylegan2.generator import StyleGAN2
from .stylegan2.spec import StyleGAN2Spec

_FAMILIES = {StyleGAN2Spec: StyleGAN2, MobileStyleGANSpec: MobileStyleGAN}


def make_generator(spec: GeneratorSpec) -> Generator:
    """Make an untrained generator of the spec's family."""
    return _FAMILIES[type(spec)](spec)
