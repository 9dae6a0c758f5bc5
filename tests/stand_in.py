"""Stand-in weights of the golden numbers, drawn by the rule that their kit states, for the generator and mappers.

Each tensor has its own stream: numpy's PCG64 seeded with [crc32("<component>/<key>"), seed].
"""

import zlib

import numpy as np
import torch

from sfe_models.directions.families.mapper import StyleCLIPMapper
from sfe_models.domain import StyleGAN2Spec, config_f_channels
from sfe_models.generators.stylegan2.generator import StyleGAN2


def stream(tag: str, seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([zlib.crc32(tag.encode()), seed])))


def normal(tag: str, seed: int, shape) -> torch.Tensor:
    return torch.from_numpy(np.asarray(stream(tag, seed).standard_normal(tuple(shape), dtype=np.float32)))


def draw(component: str, key: str, shape, seed: int) -> torch.Tensor:
    tag = f"{component}/{key}"
    if key.endswith("noise.weight"):
        return torch.from_numpy(stream(tag, seed).random(tuple(shape), dtype=np.float32)) * 0.1 + 0.05
    values = normal(tag, seed, shape)
    if key.endswith("modulation.bias"):
        return 1 + 0.1 * values
    if key.endswith("modulation.weight") or key.startswith("noises.") or len(shape) == 5 or key == "input.input":
        return values
    if key.startswith("style.") or "mapping." in key:
        return values * (100 if key.endswith("weight") else 10)
    return values * 0.1  # biases


class StandInWeights:
    """The small weight set, as `golden_adapters.load` expects it."""

    config = {"size": 128, "n_styles": 12, "components": ("styleclip.bobcut", "styleclip.purple_hair")}

    def __init__(self, seed: int):
        self.seed = seed

    @property
    def latent_avg(self) -> torch.Tensor:
        return normal("latent_avg", self.seed, [512]) * 0.3

    def __getitem__(self, component: str) -> dict[str, torch.Tensor]:
        with torch.device("meta"):
            if component == "generator":
                network, name = StyleGAN2(StyleGAN2Spec(128, config_f_channels(128))), "generator_128"
            else:
                levels = ("course_mapping", "medium_mapping", "fine_mapping")
                network, name = StyleCLIPMapper(512, levels[: 2 if component.endswith("bobcut") else 3]), component
        shapes = {key: tensor.shape for key, tensor in network.state_dict().items() if key != "latent_avg"}
        return {key: draw(name, key, shape, self.seed) for key, shape in shapes.items()}
