"""Discover Directions: what the generator itself can vary (SeFa, GANSpace)."""

from __future__ import annotations

from dataclasses import dataclass

from comfy_api.latest import io

from ..sfe_models.directions.base import Direction, evenly_spaced
from ..sfe_models.directions.finding.pca import component_direction, w_components
from ..sfe_models.directions.finding.sefa import sefa
from ..sfe_models.directions.finding.traversal import seed_codes, traversal, traversal_picture
from ..sfe_models.directions.layers import parse_layers
from ..sfe_models.domain import DomainSpec
from ..sfe_models.generators.base import Generator
from ..sfe_models.inputs import InputError
from . import previews, sockets
from .base import Node
from .drawn import by_generator
from .models import LoadedModel
from .pictures import pil_to_image
from .progress import Progress

_SEFA, _GANSPACE = "SeFa", "GANSpace"
_STEPS, _ROWS, _BATCH = 5, (0, 1, 2), 1024


class DiscoverDirections(Node):
    """Find a direction without labels, and show what it does."""

    TITLE = "Discover Directions"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_DiscoverDirections",
            "Finds what the generator varies most, without any pictures. Try the indices; the traversal shows what "
            "each one does to three samples.",
            [
                sockets.SFEModel.Input("sfe_model", display_name="model", tooltip="From Load SFE."),
                io.Combo.Input(
                    "method",
                    options=[_SEFA, _GANSPACE],
                    default=_SEFA,
                    tooltip="SeFa: from the weights, at once. GANSpace: principal components of sampled codes.",
                ),
                io.Int.Input("index", default=0, min=0, max=511, tooltip="Which one, the strongest first."),
                io.String.Input(
                    "layers",
                    default="all",
                    tooltip="all, coarse, medium, fine, or numbers: 0-3, 7 (GANSpace: a range).",
                ),
                io.Int.Input(
                    "samples", default=20000, min=1000, max=1000000, optional=True, tooltip="GANSpace: codes to sample."
                ),
            ],
            [
                sockets.SFEDirection.Output("direction", tooltip="For 'custom_direction' of Apply Direction."),
                io.Image.Output(
                    "traversal", tooltip="Three samples, moved from one end of the useful range to the other."
                ),
            ],
            group="directions",
            search_aliases=["sefa", "ganspace", "pca"],
        )

    @classmethod
    def run(cls, sfe_model: LoadedModel, method: str, index: int, layers: str, samples: int = 20000) -> io.NodeOutput:
        found = _Search(method, index, layers, samples, sfe_model.pipeline.spec)
        direction = by_generator(sfe_model, found.direction)
        strengths = evenly_spaced(*direction.info.strength_range, _STEPS)
        grid = by_generator(sfe_model, lambda g: traversal(g, direction, strengths, seed_codes(g, _ROWS)))
        picture = pil_to_image(traversal_picture(grid, strengths, direction.info.name))
        return io.NodeOutput(direction, picture, ui=previews.images(picture))


@dataclass(frozen=True)
class _Search:
    """What is looked for: the node's inputs, and the model's sizes."""

    method: str
    index: int
    layers: str
    samples: int
    spec: DomainSpec

    def direction(self, generator: Generator) -> Direction:
        """Find it; raises InputError."""
        n_styles, subject = self.spec.n_styles, self.spec.subject
        chosen = parse_layers(self.layers, self.spec.generator)
        if self.method == _SEFA:
            return sefa(generator, subject, chosen, self.index + 1)[self.index]
        if self.method != _GANSPACE:
            raise InputError(f"'method' is {self.method!r}; expected {_SEFA} or {_GANSPACE}.")
        first, end = chosen[0], chosen[-1] + 1
        if chosen != tuple(range(first, end)):
            raise InputError(f"'layers' is {self.layers!r}; GANSpace moves one range of layers, such as 4-7.")
        progress = Progress(self.samples).report
        components = w_components(generator, self.index + 1, self.samples, 0, _BATCH, progress=progress)
        return component_direction(components, self.index, n_styles, subject, first, end)
