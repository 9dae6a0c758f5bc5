"""What a bug report needs: versions, device, models and directions that are found, files of detectors, free disk."""

from __future__ import annotations

import argparse
import logging
import platform
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path

import torch

from .. import __version__
from ..checkpoints.bundle import bundle_spec, load_bundle_generator
from ..checkpoints.errors import CheckpointError
from ..checkpoints.found import file_metadata, find_models
from ..checkpoints.load import BUILT_IN
from ..checkpoints.places import PHOTO_FILE, models_folder
from ..checkpoints.present import find_file
from ..checkpoints.weights import BISENET, FARL, SHAPE_PREDICTOR, YUNET
from ..directions.files import describe_own_file, own_paths, read_tensors
from ..precision import choose_device, choose_dtype

_PACKAGES = ("torch", "numpy", "pillow", "safetensors", "einops", "kornia", "scipy", "huggingface_hub", "tqdm")
_EXTRAS = ("transformers", "scikit-learn", "dlib-bin", "pytorch_optimizer", "tensorboard")
# What decides which types and convolutions a processor is fast with.
_FLAGS = ("avx2", "avx512", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_tile", "sve", "bf16")
# Files that are no models, of which a folder may hold thousands, are named up to here.
_MOST = 10
_DETECTORS = {"yunet": YUNET, "dlib": SHAPE_PREDICTOR, "FaRL": FARL, "BiSeNet": BISENET}
# Paths in sentences: of Unix and of Windows, but no addresses.
_PATH = re.compile(r"(?<![\w:/.>])(?:/|[A-Za-z]:[\\/])[^\s,;'\"()]+")

# Where a link leads, of which the name alone is told; it may hold blanks.
_LINK = re.compile(r"(is a link to )[^,]*[/\\]([^,/\\]*)")


def run_doctor(options: argparse.Namespace) -> None:
    folders = [Path(folder) for folder in options.folders] or [Path("models"), models_folder()]
    sections: dict[str, Callable[[], Iterable[str]]] = {
        "versions": _versions,
        "device": _device,
        "models": lambda: _models(folders),
        "directions": lambda: _directions(folders),
        "detectors": lambda: _detectors(folders),
        "free disk": lambda: _disk(folders),
    }
    for title, lines in sections.items():
        print(title)
        for line in _survived(lines):
            print(f"  {_private(line, folders)}")


def _survived(lines: Callable[[], Iterable[str]]) -> Iterator[str]:
    """Give lines, then what was warned of meanwhile and what stopped them."""
    warned = _Warnings(logging.WARNING)
    root = logging.getLogger()
    before, root.handlers = root.handlers, [warned]
    try:
        yield from lines()
    except Exception as error:  # whatever is broken here is what the report is for
        yield f"could not be told: {type(error).__name__}: {error}"
    finally:
        root.handlers = before
    yield from warned.lines


class _Warnings(logging.Handler):
    """Keep what is logged."""

    def __init__(self, level: int):
        super().__init__(level)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _private(text: str, folders: Iterable[Path]) -> str:
    """Keep paths below the folders that are looked into; of others only the name is told, of home only that it is."""
    text = _LINK.sub(r"\1.../\2", " ".join(text.split()))
    kept = sorted({str(folder.absolute()) for folder in folders}, key=len, reverse=True)
    for i, place in enumerate(kept):
        text = text.replace(place, f"<{i}>")
    text = _PATH.sub(lambda found: ".../" + re.split(r"[/\\]", found[0].rstrip("./\\"))[-1], text)
    home = str(Path.home())
    for i, place in enumerate(kept):
        text = text.replace(f"<{i}>", "~" + place.removeprefix(home) if place.startswith(home) else place)
    return text


def _versions() -> Iterator[str]:
    yield f"sfe_models {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    for names in (_PACKAGES, _EXTRAS):
        yield ", ".join(f"{name} {_version(name)}" for name in names)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "is not there"


def _device() -> Iterator[str]:
    device = choose_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    yield f"{device.type}: {name}, computes in {str(choose_dtype('auto', device)).removeprefix('torch.')} by default"
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    flags = [flag for flag in _FLAGS if capabilities.get(flag)]
    yield f"processor: {', '.join(flags) or 'none of ' + ', '.join(_FLAGS)}; {torch.get_num_threads()} threads"


def _models(folders: Iterable[Path]) -> Iterator[str]:
    for name, path in BUILT_IN.items():
        yield _bundle(name, path)
    found = find_models([folder for folder in folders if folder.is_dir()])
    for name, path in found.models.items():
        yield (
            f"{name}: a folder of files as they are published, not looked into"
            if path.is_dir()
            else _bundle(name, path)
        )
    for name, reason in found.damaged.items():
        yield f"{name} {reason}"
    others = [f"{name} {reason}" for name, reason in found.others.items()]
    yield from others[:_MOST]
    if len(others) > _MOST:
        yield f"and {len(others) - _MOST} more files that are no choice"
    for folder in folders:
        if folder.is_file():
            yield f"{folder} is a file; give the folder that holds it"
    if not any(Path(name).name == PHOTO_FILE for name in found.models):
        yield f"{PHOTO_FILE} is in none of the folders; `download photo` fetches it"


def _bundle(name: str, path: Path) -> str:
    try:
        about, spec = file_metadata(path), bundle_spec(path)
        generator = about.get("generator") or load_bundle_generator(path).fingerprint()  # older ones do not say it
    except CheckpointError as error:
        return f"{name} cannot be used: {error}"
    size = f"{path.stat().st_size / 1e6:.0f} MB"
    return f"{name}: {spec.name}, {about.get('dtype', 'a generator alone')}, {size}, generator {generator}"


def _directions(folders: Iterable[Path]) -> Iterator[str]:
    paths, left_out = own_paths([folder for folder in folders if folder.is_dir()]), []
    for path in paths:
        try:
            describe_own_file(path, None)
            read_tensors(path)
        except (ValueError, OSError) as error:
            left_out.append(f"left out: {path.name}: {error}")
    yield f"{len(paths) - len(left_out)} files that can be read"
    yield from left_out


def _detectors(folders: Iterable[Path]) -> Iterator[str]:
    places = [folder for folder in folders if folder.is_dir()]
    for name, file in _DETECTORS.items():
        path = find_file(file, places)
        if path is None:
            how = "fetched when it is needed" if file.hub or file.address else f"from {file.origin}"
            yield f"{name}: {file.name} is not there; {how}"
        elif file.size is not None and path.stat().st_size != file.size:
            yield f"{name}: {file.name} has {path.stat().st_size} bytes, expected {file.size}; fetch it again"
        else:
            yield f"{name}: {file.name} is there"


def _disk(folders: Iterable[Path]) -> Iterator[str]:
    for folder in folders:
        place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
        yield f"{folder}: {shutil.disk_usage(place).free / 1e9:.1f} GB{'' if folder.exists() else ' (not there yet)'}"
