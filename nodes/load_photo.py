"""Load Photo: a picture of one's own, or another one as long as there is none."""

from __future__ import annotations

import os
from pathlib import Path

import folder_paths
from comfy_api.latest import io

from ..sfe_models.inputs import InputError
from ..sfe_models.pictures.image_io import load_photo
from .base import Node
from .paths import PathError, changed_at, inside
from .pictures import channels_last


class LoadPhoto(Node):
    """Read a picture of ComfyUI's input folder, or pass on what is connected."""

    TITLE = "Load Photo (SFE)"

    @classmethod
    def define_schema(cls) -> io.Schema:
        return cls.schema(
            "SFE_LoadPhoto",
            "Loads a photo of your own. Until you choose one, the connected picture is taken, so that a graph runs.",
            [
                io.Combo.Input(
                    "file",
                    options=["", *_pictures()],
                    default="",
                    display_name="your photo",
                    upload=io.UploadType.image,
                    image_folder=io.FolderType.input,
                    tooltip="A picture of the input folder; the button brings one there. Empty: the connected one.",
                ),
                io.Image.Input("image", optional=True, tooltip="What is taken while no photo is chosen."),
                io.String.Input(
                    "landmarks",
                    default="",
                    optional=True,
                    force_input=True,
                    tooltip="Where the face of the connected picture is.",
                ),
            ],
            [
                io.Image.Output("photo", tooltip="The chosen photo, upright, or the connected picture."),
                io.String.Output(
                    "points", display_name="landmarks", tooltip="Those of the connected picture; empty for a photo."
                ),
            ],
            search_aliases=["load image", "upload photo", "my photo"],
        )

    @classmethod
    def validate_inputs(cls, file) -> bool | str:
        try:
            if not file or _path(file).is_file():
                return True
        except PathError as error:
            return str(error)
        return f"'your photo' is {file[:80]!r}, which is not in ComfyUI's input folder; choose another one."

    @classmethod
    def fingerprint_inputs(cls, file: str, **_) -> tuple:
        return changed_at(_path(file)) if file else ()

    @classmethod
    def run(cls, file: str, image=None, landmarks: str = "") -> io.NodeOutput:
        if file:
            return io.NodeOutput(channels_last(load_photo(_path(file)).pixels[None] / 255), "")
        if image is None:
            raise InputError("No photo is chosen and nothing is connected to 'image'; choose a photo.")
        return io.NodeOutput(image, landmarks or "")


def _pictures() -> list[str]:
    folder = folder_paths.get_input_directory()
    names = [entry.name for entry in os.scandir(folder) if entry.is_file()] if os.path.isdir(folder) else []
    return sorted(folder_paths.filter_files_content_types(names, ["image"]))


def _path(file: str) -> Path:
    """The file of a name, which may end with its folder in brackets, as the front end's mask editor writes it."""
    name, folder = folder_paths.annotated_filepath(file)
    return inside(folder or folder_paths.get_input_directory(), name, "your photo")
