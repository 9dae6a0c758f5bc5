"""Save and Load Tuned Generator: a person who was tuned to once is edited for ever."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.inputs import InputError
from ..sfe_models.tuning.tuned import load_tuned, save_tuned
from . import sockets
from .base import Node
from .inverting import tuned_model
from .kept_files import kept_file, new_file, state, written
from .models import LoadedModel


class SaveTuned(Node):
    """Write a tuned generator into the output folder."""

    TITLE = "Save Tuned Generator"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_SaveTuned",
            "Writes what tuning changed of the generator as one small file into ComfyUI's output folder.",
            [
                sockets.SFEModel.Input("sfe_model", display_name="model", tooltip="From Tune Generator."),
                io.String.Input("filename", default="sfe/tuned", tooltip="Below the output folder, without suffix."),
                io.Boolean.Input("overwrite", default=False, tooltip="Off: a new number is added for each file."),
            ],
            [io.String.Output("file", tooltip="The file's name, as Load Tuned Generator takes it.")],
            group="tuning",
            is_output_node=True,
            search_aliases=["keep tuned generator"],
        )

    @classmethod
    def run(cls, sfe_model: LoadedModel, filename: str, overwrite: bool) -> io.NodeOutput:
        if sfe_model.tuned is None:
            raise InputError(f"{sfe_model!r} is not tuned; connect the model of Tune Generator.")
        path = new_file(filename, overwrite)
        save_tuned(sfe_model.tuned, path)
        return written(path)


class LoadTuned(Node):
    """Read what Save Tuned Generator wrote."""

    TITLE = "Load Tuned Generator"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_LoadTuned",
            "Reads a generator that was tuned before, from ComfyUI's output or input folder. Invert then gives the "
            "picture that it was tuned to.",
            [
                sockets.SFEModel.Input("sfe_model", display_name="model", tooltip="The model that it was tuned from."),
                io.String.Input(
                    "file",
                    default="sfe/tuned.safetensors [output]",
                    tooltip="Below the output folder, or with [input] at its end below the input folder.",
                ),
            ],
            [sockets.SFEModel.Output("tuned_model", display_name="model", tooltip="As Tune Generator gives it.")],
            group="tuning",
            search_aliases=["restore tuned generator"],
        )

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None, **_) -> tuple:
        return state(file)

    @classmethod
    def run(cls, sfe_model: LoadedModel, file: str) -> io.NodeOutput:
        tuned = load_tuned(kept_file(file, "Save Tuned Generator"))
        return io.NodeOutput(tuned_model(sfe_model, tuned))
