"""A tiny model of the rendered domain with directions, and a judge that sees what they do."""

from dataclasses import replace

import torch

from sfe_models.checkpoints.bundle import save_bundle
from sfe_models.checkpoints.random_weights import random_networks
from sfe_models.demo.attributes import sample_portraits
from sfe_models.demo.renderer import render
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.families.linear import LinearDirection
from sfe_models.directions.files import attached
from sfe_models.domain import DEMO, tiny_domain
from sfe_models.evaluation.comparison import as_saved
from sfe_models.perception.attribute_network import AttributeNetwork

SPEC = replace(tiny_domain(64, name="tiny-portraits"), subject=DEMO.subject)
MOVES = ("background_light", "brightness")
STILL = "gaze"


def directions(span=(-3.0, 3.0)):
    """Two directions that move what the judge reads, and one that moves nothing."""
    random = torch.Generator().manual_seed(5)
    vectors = [torch.randn(1, SPEC.generator.style_dim, generator=random) / 2 for _ in MOVES]
    vectors.append(torch.zeros(1, SPEC.generator.style_dim))
    return [
        LinearDirection(DirectionInfo(name, "test", SPEC.subject, span), vector)
        for name, vector in zip((*MOVES, STILL), vectors, strict=True)
    ]


@torch.no_grad()
def fitted_judge(networks):
    """An attribute network whose last layer is fitted to rendered portraits and to the directions of the model."""
    torch.manual_seed(0)
    names = (*MOVES, STILL)
    judge = AttributeNetwork(names, (8, 8, 16, 16), 48).eval().requires_grad_(False)
    portraits = sample_portraits(list(range(5000, 5040)))
    pictures = [as_saved(render(portraits, 64).image)]
    truth = [torch.stack([portraits.get(name) for name in names], dim=1)]
    generator = networks.generator
    z = torch.randn(24, SPEC.generator.style_dim, generator=torch.Generator().manual_seed(1))
    codes = generator.broadcast(generator.mapping(z))
    for column, direction in enumerate(directions()[:2]):
        for strength in (-4.0, -2.0, 0.0, 2.0, 4.0):
            pictures.append(as_saved(generator(direction.move(codes, torch.full((len(codes),), strength)))))
            scores = torch.full((len(codes), len(names)), 0.5)
            scores[:, column] = 0.5 + 0.12 * strength
            truth.append(scores)
    features = judge.penultimate_features(torch.cat(pictures)).double()
    features = torch.cat([features, torch.ones(len(features), 1)], dim=1)
    ridge = 1e-3 * torch.eye(features.shape[1])
    solution = torch.linalg.solve(features.T @ features + ridge, features.T @ torch.cat(truth).double()).float()
    judge.output.weight.copy_(solution[:-1].T)
    judge.output.bias.copy_(solution[-1])
    return judge


def networks():
    return random_networks(SPEC)


def bundle(path):
    return save_bundle(networks(), path, directions=attached(directions()))
