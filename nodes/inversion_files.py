"""Save and Load Inversion: people are inverted once and edited for ever."""

from __future__ import annotations

import re
from pathlib import Path

import folder_paths
from comfy_api.latest import io

from ..sfe_models.file_names import name_problem
from ..sfe_models.inputs import InputError
from ..sfe_models.inversion_file import load_inversion, save_inversion
from . import sockets
from .base import Node
from .found_models import changed_at
from .paths import PathError, annotated, inside
from .wires import Wire

_SUFFIX = ".safetensors"
_FOLDERS = {"output": folder_paths.get_output_directory, "input": folder_paths.get_input_directory}


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
        folder = Path(folder_paths.get_output_directory())
        stem = filename.removesuffix(_SUFFIX)
        path, number = inside(folder, stem + _SUFFIX, "filename"), 1
        for part in re.split(r"[/\\]", stem):
            if problem := name_problem(part):
                raise PathError(f"'filename' is {filename[:80]!r}: {problem}. Give a name such as sfe/anna.")
        while path.exists() and not overwrite:
            path, number = inside(folder, f"{stem}_{number:05}{_SUFFIX}", "filename"), number + 1
        save_inversion(inversion.value, path)
        below = path.relative_to(folder).as_posix()
        entry = {"filename": path.name, "subfolder": below.rpartition("/")[0], "type": "output"}
        return io.NodeOutput(f"{below} [output]", ui={"files": [entry]})


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
                io.String.Input(
                    "file",
                    default="sfe/inversion.safetensors [output]",
                    tooltip="Below the output folder, or with [input] at its end below the input folder.",
                ),
            ],
            [sockets.SFEInversion.Output("inversion", tooltip="As Invert gives it.")],
            search_aliases=["restore inversion"],
        )

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None, **_) -> tuple:
        if file is None:
            return ()
        try:
            return changed_at(_path(file))
        except (PathError, OSError):  # run() says what is wrong
            return ()

    @classmethod
    def run(cls, sfe_model, file: str) -> io.NodeOutput:
        path = _path(file)
        if not path.is_file():
            raise InputError(f"There is no file {path}. 'file' is the name that Save Inversion gives out.")
        inversion = load_inversion(path)
        sfe_model.pipeline.check_inversion(inversion, path.name)
        return io.NodeOutput(Wire.of(sfe_model, inversion))


def _path(file: str) -> Path:
    name, kind = annotated(file)
    return inside(_FOLDERS[kind](), name, "file")
