"""Load SFE: from a name in the menu to a model whose weights ComfyUI manages."""

from __future__ import annotations

import comfy.model_management as management
import torch
from comfy_api.latest import io

from ..sfe_models.checkpoints.places import PHOTO
from ..sfe_models.directions.files import bundle_directions
from ..sfe_models.gradual.files import load_any
from ..sfe_models.photo.draft import drafts_of
from ..sfe_models.pipeline import Pipeline
from ..sfe_models.precision import DTYPES, choose_dtype
from . import found_models, sockets
from .base import Node
from .models import manage
from .paths import changed_at


class LoadModel(Node):
    """Load a model once; every node that uses it shares its weights."""

    TITLE = "Load SFE"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_LoadModel",
            "Loads a StyleFeatureEditor model: 'photo' for photographs, 'demo' for rendered portraits, or your own "
            "bundles, generators and folders of published files in models/sfe.",
            [
                io.Combo.Input(
                    "model",
                    options=found_models.model_names(),
                    default=found_models.AUTO,
                    tooltip="auto: photo where it is installed, else demo. photo: real faces at 1024 px; fetched when "
                    "the pack is installed (38 MB, non-commercial). demo: built in. A .safetensors bundle or a folder "
                    "in models/sfe. The last choice fetches the published model for real faces (2.6 GB, "
                    "non-commercial) into models/sfe/ffhq-1024, once.",
                ),
                io.Combo.Input(
                    "precision",
                    options=["auto", *DTYPES],
                    default="auto",
                    display_name="dtype",
                    tooltip="auto takes the fastest that the device computes natively; float32 is the exact one.",
                ),
            ],
            [sockets.SFEModel.Output("sfe_model", display_name="model", tooltip="For Invert and the nodes after it.")],
            search_aliases=["stylefeatureeditor", "sfe loader", "stylegan", "face editing model"],
        )

    @classmethod
    def validate_inputs(cls, model) -> bool | str:
        return model is None or found_models.why_not(str(model)) or True  # None: comes over a wire

    @classmethod
    def fingerprint_inputs(cls, model: str, **_) -> tuple:
        if model == found_models.DOWNLOAD or found_models.why_not(model):
            return ()
        return changed_at(found_models.model_path(model))

    @classmethod
    def run(cls, model: str, precision: str) -> io.NodeOutput:
        model = found_models.meant(model)
        path = found_models.model_path(model)
        dtype = choose_dtype(precision, management.get_torch_device())
        # Weights made inside inference mode could not be moved outside of it.
        with torch.inference_mode(False), torch.no_grad():
            pipeline = load_any(path, dtype, photo=found_models.found().models.get(PHOTO))
            if isinstance(pipeline, Pipeline):
                pipeline.drafts = drafts_of(pipeline.networks.generator)
        bundled = () if path.is_dir() else tuple(bundle_directions(path))
        return io.NodeOutput(manage(model, pipeline, found_models.direction_folders(path), bundled))
