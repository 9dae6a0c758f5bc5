"""Save and Load Inversion: people are inverted once and edited for ever."""

from __future__ import annotations

from comfy_api.latest import io

from ..sfe_models.inversion_file import load_inversion, save_inversion
from . import sockets
from .base import Node
from .kept_files import kept_file, kept_names, new_file, state, written
from .wires import Wire

_DEFAULT = "sfe/inversion.safetensors [output]"


class SaveInversion(Node):
    """Write an inversion into the output folder."""

    TITLE = "Save Inversion"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_SaveInversion",
            "Writes the inversion of all pictures of the batch as one file into ComfyUI's output folder.",
            [
                sockets.SFEInversion.Input("inversion", tooltip="From Invert."),
                io.String.Input(
                    "filename", default="sfe/inversion", tooltip="Below the output folder, without suffix."
                ),
                io.Boolean.Input("overwrite", default=False, tooltip="Off: a new number is added for each file."),
            ],
            [io.String.Output("file", tooltip="The file's name, as Load Inversion takes it.")],
            is_output_node=True,
            search_aliases=["keep inversion"],
        )

    @classmethod
    def run(cls, inversion: Wire, filename: str, overwrite: bool) -> io.NodeOutput:
        path = new_file(filename, overwrite)
        save_inversion(inversion.value, path)
        return written(path)


class LoadInversion(Node):
    """Read what Save Inversion wrote."""

    TITLE = "Load Inversion"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_LoadInversion",
            "Reads people who were inverted before, from ComfyUI's output or input folder.",
            [
                sockets.SFEModel.Input(
                    "sfe_model", display_name="model", tooltip="The model that they were inverted by."
                ),
                io.Combo.Input(
                    "file",
                    options=kept_names() or [_DEFAULT],
                    default=_DEFAULT,
                    tooltip="What Save Inversion wrote, or a file that was put into the input folder. Press R to see "
                    "new ones.",
                ),
            ],
            [sockets.SFEInversion.Output("inversion", tooltip="As Invert gives it.")],
            search_aliases=["restore inversion"],
        )

    @classmethod
    def validate_inputs(cls, input_types) -> bool | str:
        """Take a name over a wire too, as Save Inversion gives it out."""
        taken = {"sfe_model": ("SFE_MODEL",), "file": ("STRING", "COMBO")}
        wrong = [f"{name} is {kind}" for name, kind in input_types.items() if kind not in taken.get(name, (kind,))]
        return ", ".join(wrong) or True

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None, **_) -> tuple:
        return state(file)

    @classmethod
    def run(cls, sfe_model, file: str) -> io.NodeOutput:
        path = kept_file(file, "Save Inversion")
        inversion = load_inversion(path)
        sfe_model.pipeline.check_inversion(inversion, path.name)
        return io.NodeOutput(Wire.of(sfe_model, inversion))
