"""Discover Directions: what the generator itself can vary (SeFa, GANSpace)."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..sfe_models.directions.finding.pca import component_direction, w_components
from ..sfe_models.directions.finding.sefa import sefa
from ..sfe_models.directions.finding.traversal import seed_codes, traversal, traversal_picture
from ..sfe_models.directions.layers import parse_layers
from ..sfe_models.pipeline import InputError
from . import sockets
from .base import Node
from .links import output_is_used
from .models import LoadedModel, ready
from .pictures import pil_to_image
from .progress import Progress

_ID, _TRAVERSAL = "SFE_DiscoverDirections", 1
_SEFA, _GANSPACE = "SeFa", "GANSpace"
_STEPS, _ROWS, _BATCH = 5, (0, 1, 2), 1024


class DiscoverDirections(Node):
    """Find a direction without labels, and show what it does."""

    TITLE = "Discover Directions"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            _ID,
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
    def fingerprint_inputs(cls, **_) -> bool:
        return output_is_used(_ID, _TRAVERSAL)

    @classmethod
    def run(cls, sfe_model: LoadedModel, method: str, index: int, layers: str, samples: int = 20000) -> io.NodeOutput:
        spec = sfe_model.pipeline.spec
        chosen = parse_layers(layers, spec.n_styles)
        with ready(sfe_model) as pipeline:
            generator = pipeline.networks.generator
            if method == _SEFA:
                direction = sefa(generator, spec.subject, chosen, index + 1)[index]
            elif method == _GANSPACE:
                if chosen != tuple(range(chosen[0], chosen[-1] + 1)):
                    raise InputError(f"'layers' is {layers!r}; GANSpace moves one range of layers, such as 4-7.")
                progress = Progress(samples).report
                components = w_components(generator, index + 1, samples, 0, _BATCH, progress=progress)
                span = chosen[0], chosen[-1] + 1
                direction = component_direction(components, index, spec.n_styles, spec.subject, *span)
            else:
                raise InputError(f"'method' is {method!r}; expected {_SEFA} or {_GANSPACE}.")
            if not output_is_used(_ID, _TRAVERSAL):
                return io.NodeOutput(direction, None)
            strengths = torch.linspace(*direction.info.strength_range, _STEPS).tolist()
            grid = traversal(generator, direction, strengths, seed_codes(generator, _ROWS))
        return io.NodeOutput(direction, pil_to_image(traversal_picture(grid, strengths, direction.info.name)))
