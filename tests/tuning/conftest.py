"""A generator alone of each family as a model, and a picture that it could have made."""

import pytest
import torch
from generators.families import codes, make

from sfe_models.domain import BareGenerator
from sfe_models.generators.mobilestylegan.spec import MobileStyleGANSpec
from sfe_models.generators.stylegan2.spec import StyleGAN2Spec
from sfe_models.networks import SFENetworks
from sfe_models.pipeline import Pipeline

# Both make pictures of 32 px.
SMALL = {
    "stylegan2": StyleGAN2Spec(32, (16,) * 4, style_dim=16, mapping_layers=2),
    "mobilestylegan": MobileStyleGANSpec((16, 16, 8), style_dim=16, mapping_layers=2),
}


@pytest.fixture(scope="session", params=SMALL)
def alone(request) -> Pipeline:
    """Shared by all tests; none may change it."""
    about = BareGenerator("alone", SMALL[request.param], "human faces")
    return Pipeline(SFENetworks.alone(make(about.generator), about.domain()))


@pytest.fixture(scope="session")
def person(alone) -> torch.Tensor:
    """One picture of the generator's own, [1,3,32,32], of a code that lies in W."""
    generator = alone.networks.generator
    w = generator.mapping(codes(alone.spec.generator)[:1, 0])
    return alone.generate_from(generator.broadcast(w)).clamp(-1, 1)
