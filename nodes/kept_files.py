"""Files of the pack's own in ComfyUI's output and input folders: where they go, and where they are found again."""

from __future__ import annotations

import re
from pathlib import Path

import folder_paths
from comfy_api.latest import io

from ..sfe_models.file_names import name_problem
from ..sfe_models.inputs import InputError
from .paths import PathError, annotated, changed_at, files_below, inside

_SUFFIX = ".safetensors"
_FOLDERS = {"output": folder_paths.get_output_directory, "input": folder_paths.get_input_directory}


def new_file(filename: str, overwrite: bool) -> Path:
    """Return where a file of this name goes below the output folder, numbered where the name is taken."""
    folder = Path(folder_paths.get_output_directory())
    stem = filename.removesuffix(_SUFFIX)
    path, number = inside(folder, stem + _SUFFIX, "filename"), 1
    for part in re.split(r"[/\\]", stem):
        if problem := name_problem(part):
            raise PathError(f"'filename' is {filename[:80]!r}: {problem}. Give a name such as sfe/anna.")
    while path.exists() and not overwrite:
        path, number = inside(folder, f"{stem}_{number:05}{_SUFFIX}", "filename"), number + 1
    return path


def written(path: Path) -> io.NodeOutput:
    """Give out the name of a file below the output folder, and list it in the history."""
    below = path.relative_to(folder_paths.get_output_directory()).as_posix()
    entry = {"filename": path.name, "subfolder": below.rpartition("/")[0], "type": "output"}
    return io.NodeOutput(f"{below} [output]", ui={"files": [entry]})


def kept_names() -> list[str]:
    """The safetensors files below both folders, each with its folder in brackets, as `kept_file` takes them."""
    return [
        f"{name} [{kind}]"
        for kind, folder in _FOLDERS.items()
        for name in sorted(files_below(folder()))
        if name.endswith(_SUFFIX)
    ]


def kept_file(file: str, saver: str) -> Path:
    """Find a file by the name that a node gave out. saver: that node, for the error."""
    path = _path(file)
    if not path.is_file():
        raise InputError(f"There is no file {path}. 'file' is the name that {saver} gives out.")
    return path


def state(file: str | None) -> tuple:
    """What changes with a file; nothing where it cannot be told, as running says what is wrong."""
    try:
        return () if file is None else changed_at(_path(file))
    except (PathError, OSError):
        return ()


def _path(file: str) -> Path:
    name, kind = annotated(file)
    return inside(_FOLDERS[kind](), name, "file")
