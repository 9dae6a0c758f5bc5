"""Laws of every family: strength 0 changes nothing; linear families add up and cancel; batch equals loop."""

import pytest
import torch

from sfe_models.directions.base import DirectionInfo, StyleSpaceDirection
from sfe_models.directions.families.composition import averaged
from sfe_models.directions.families.ganspace import GANSpaceDirection
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.families.mapper import LEVELS, StyleCLIPMapper, StyleCLIPMapperDirection
from sfe_models.directions.families.stylespace import StyleChannelsDirection, StyleOffsetDirection
from sfe_models.directions.layers import on_layers_only
from sfe_models.domain import tiny_domain
from sfe_models.generators.base import StyleSpace

N, D = 10, 6
INFO = DirectionInfo("test", "test", "human faces")


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def mapper():
    torch.manual_seed(0)
    return StyleCLIPMapper(D, tuple(LEVELS))


GANSPACE = GANSpaceDirection(INFO, torch.eye(D)[0], draw(D), 2.0, 2, 5)
OFFSET = StyleOffsetDirection(INFO, tuple(draw(3, seed=i) for i in range(9)), tuple(draw(2) for _ in range(5)), 1 / 1.5)
LINEAR = {
    "interfacegan": LinearDirection(INFO, draw(1, D), 0.5),
    "boundary": LinearDirection(INFO, draw(N, D)),
    "style channels": StyleChannelsDirection(INFO, ((1, 2), (4, 0))),
    "styleclip_global": OFFSET,
}
LINEAR |= {
    "masked": on_layers_only(LINEAR["boundary"], "coarse", tiny_domain(64).generator),
    "masked style space": on_layers_only(OFFSET, "0-3, 8", tiny_domain(64).generator),
    "averaged": averaged([LINEAR["boundary"], LINEAR["interfacegan"]]),
    "averaged style space": averaged([OFFSET, LINEAR["style channels"]]),
}
OTHERS = {"styleclip_mapper": StyleCLIPMapperDirection(INFO, mapper())}


def codes(direction, batch=3):
    if isinstance(direction, StyleSpaceDirection):
        convs = tuple(draw(batch, 3, seed=20 + i) for i in range(9))
        return StyleSpace(convs, tuple(draw(batch, 2, seed=40 + i) for i in range(5)))
    return draw(batch, N, D, seed=60)


def flat(code):
    return torch.cat((*code.convs, *code.rgbs), dim=1) if isinstance(code, StyleSpace) else code


STRENGTH = torch.tensor([1.5, -0.5, 3.0])


@pytest.mark.parametrize("name", [*LINEAR, *OTHERS])
def test_strength_0_is_the_identity_and_batch_equals_loop(name):
    direction = (LINEAR | OTHERS)[name]
    code = codes(direction)
    assert torch.equal(flat(direction.move(code, torch.zeros(3))), flat(code))
    moved = flat(direction.move(code, STRENGTH))
    assert not torch.allclose(moved, flat(code))
    for i in range(3):
        alone = flat(direction.move(code[i : i + 1], STRENGTH[i : i + 1]))
        assert torch.allclose(alone, moved[i : i + 1], atol=1e-6)


@pytest.mark.parametrize("name", list(LINEAR))
def test_linear_families_add_up_and_a_step_and_its_negative_cancel(name):
    direction = LINEAR[name]
    code = codes(direction)
    two_steps = direction.move(direction.move(code, STRENGTH), torch.ones(3))
    assert torch.allclose(flat(two_steps), flat(direction.move(code, STRENGTH + 1)), atol=1e-5)
    there = direction.move(code, STRENGTH)
    assert torch.allclose(flat(direction.move(there, -STRENGTH)), flat(code), atol=1e-5)


def test_a_ganspace_direction_at_its_own_coordinate_is_the_identity():
    code = codes(GANSPACE)
    assert torch.equal(GANSPACE.move(code, GANSPACE.coordinate(code)), code)
    assert not torch.allclose(GANSPACE.move(code, torch.zeros(3)), code)
