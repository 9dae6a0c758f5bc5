"""Text Direction: from two prompts to an offset in style space (StyleCLIP's global directions)."""

from __future__ import annotations

from pathlib import Path

from comfy_api.latest import io

from ..sfe_models.checkpoints.weights import STYLECLIP_MATRIX, STYLECLIP_STATISTICS, STYLECLIP_TEMPLATES
from ..sfe_models.choices import TEXT_THRESHOLD, VIT_B_32
from ..sfe_models.directions.base import DirectionError
from ..sfe_models.directions.finding.clip_text import TEMPLATES, ClipEmbedder, read_templates
from ..sfe_models.directions.finding.relevance_files import load_relevance, read_published_relevance
from ..sfe_models.directions.finding.styleclip_global import StyleCLIPGlobal
from . import sockets
from .base import Node
from .models import LoadedModel


class TextDirection(Node):
    """Make a direction from words."""

    TITLE = "Text Direction (SFE)"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_TextDirection",
            "Makes a direction from two descriptions, through CLIP. Needs a file on what the model's channels mean to "
            "CLIP: published for real faces; made once for others by `python -m sfe_models directions relevance`.",
            [
                sockets.SFEModel.Input("sfe_model", display_name="model", tooltip="From Load SFE."),
                io.String.Input("neutral", default="a face", tooltip="What the pictures show."),
                io.String.Input("target", default="a smiling face", tooltip="What they shall show."),
                io.Float.Input(
                    "disentanglement",
                    display_name="threshold",
                    default=TEXT_THRESHOLD,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Higher: fewer channels move, and less changes besides what was asked for.",
                ),
            ],
            [sockets.SFEDirection.Output("direction", tooltip="For 'custom_direction'. Strengths: -10 to 10.")],
            group="directions",
            search_aliases=["styleclip", "prompt edit"],
        )

    @classmethod
    def run(cls, sfe_model: LoadedModel, neutral: str, target: str, disentanglement: float) -> io.NodeOutput:
        relevance, templates = _relevance(sfe_model)
        clip = next((f / "clip" for f in sfe_model.folders if (f / "clip" / "config.json").is_file()), VIT_B_32)
        maker = StyleCLIPGlobal(ClipEmbedder.load(clip, templates=templates), relevance)
        return io.NodeOutput(maker.direction(neutral, target, disentanglement))


def _relevance(model: LoadedModel):
    """The relevance file beside the model, or the published files; and the templates that belong to it."""
    stem = model.name.removesuffix(".safetensors").rstrip("/").rpartition("/")[2]
    for folder in model.folders:
        own = folder / f"{stem}.relevance.safetensors"
        if own.is_file():
            return load_relevance(own), TEMPLATES
        for top in (folder, folder / "editings"):
            if (top / STYLECLIP_MATRIX.place).is_file():
                path: Path = top / STYLECLIP_TEMPLATES.place
                templates = read_templates(path) if path.is_file() else TEMPLATES
                matrix, statistics = top / STYLECLIP_MATRIX.place, top / STYLECLIP_STATISTICS.place
                return read_published_relevance(matrix, statistics), templates
    raise DirectionError(
        f"There is no {stem}.relevance.safetensors in {', '.join(map(str, model.folders))}, and no published "
        f"{STYLECLIP_MATRIX.place}. Make the file with `python -m sfe_models directions relevance --model MODEL "
        f"--output {stem}.relevance.safetensors`, or fetch the published ones with `directions fetch --text`."
    )
