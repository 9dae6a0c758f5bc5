"""The directions that there are: published ones, those of all models, and own files."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from ..sfe_models.checkpoints.errors import CheckpointError
from ..sfe_models.checkpoints.load import BUILT_IN
from ..sfe_models.directions.base import DirectionError, DirectionInfo
from ..sfe_models.directions.files import FOLDER, describe_own_files, described_in_bundle
from ..sfe_models.directions.published import names_of_persons, published_directions
from .found_models import DOWNLOAD, PHOTO, direction_folders, found
from .paths import changed_at

logger = logging.getLogger(__name__)
# The published directions that are offered even before their files are there: those of the model to download.
_ALWAYS = "human faces"
# What a state has besides bundles and folders of own files: that there are folders of published files, which may show
# anything that there are published directions for; and which published vectors are there.
_FOLDERS, _VECTORS = "folders", "vectors"
_VECTOR_FOLDERS = (".", FOLDER, "editings")


@dataclass(frozen=True)
class Offer:
    """What the menu can offer. directions: with the model that each belongs to, "" for all of its subject.

    not_for_photo: names of published directions that the photographic model cannot take: they move a StyleGAN2's own
    layers, or their files, which come with the published model, are not there. subjects: what each model of Load SFE
    shows, None if it does not say; absent where its files would have to be read.
    """

    directions: tuple[tuple[DirectionInfo, str], ...]
    not_for_photo: frozenset[str]
    subjects: dict[str, str | None]


def state() -> tuple:
    """What the offer depends on: models, and the files in folders named `directions`; JSON, as ComfyUI saves it."""
    models = found().models
    whole = ((_FOLDERS, "", ()),) if any(name.endswith("/") for name in models) else ()
    bundles = [(path, name) for name, path in (BUILT_IN | models).items() if not name.endswith("/")]
    folders = [(place, "") for top in direction_folders() for place in (top, top / FOLDER) if place.name == FOLDER]
    vectors = [top / sub for top in direction_folders() for sub in _VECTOR_FOLDERS if (top / sub).is_dir()]
    there = _vectors_there(tuple(map(str, vectors)), tuple(folder.stat().st_mtime_ns for folder in vectors))
    own = ((str(path), name, changed_at(path)) for path, name in (*bundles, *folders) if path.exists())
    return (*whole, (_VECTORS, "", there), *own)


@lru_cache(maxsize=1)
def _vectors_there(folders: tuple[str, ...], changed: tuple[int, ...]) -> tuple[str, ...]:
    """The published directions whose file lies in one of the folders. changed: what changes with them."""
    rows = published_directions()
    return tuple(row.info.name for row in rows if row.file and any(Path(f, row.file).is_file() for f in folders))


@lru_cache(maxsize=256)
def _described(bundle: str, changed: tuple) -> tuple[str | None, list[DirectionInfo]]:
    """What a bundle shows, and its directions. changed: what changes with the file. Raises CheckpointError."""
    return described_in_bundle(bundle)


@lru_cache(maxsize=1)
def offered(seen: tuple) -> Offer:
    """Read all descriptions; what cannot be read is named in the log and left out."""
    shown, found_ones, own, subjects = {_ALWAYS}, [], [], {DOWNLOAD: _ALWAYS, PHOTO: _ALWAYS}
    rows, there = published_directions(), ()
    for path, model, changed in seen:
        if path == _FOLDERS:
            shown.update(row.info.subject for row in rows)
        elif path == _VECTORS:
            there = changed
        elif Path(path).is_dir():
            own.append(Path(path))
        else:
            try:
                subjects[model], infos = _described(path, changed)
                found_ones += [(info, model) for info in infos]
            except (CheckpointError, DirectionError) as error:
                logger.warning("Directions left out of the menu: %s", error)
    shown.update(subjects.values())
    persons = names_of_persons()
    found_ones = [(row.info, "") for row in rows if row.info.subject in shown] + found_ones
    found_ones = [(info, model) for info, model in found_ones if info.name not in persons]
    taken = {info.name for info, _ in found_ones}
    infos = [(file.info, file.path.name) for file in describe_own_files(own, None)[0]]
    found_ones += [(replace(info, name=name) if info.name in taken else info, "") for info, name in infos]
    families = list(dict.fromkeys((info.subject, info.family) for info, _ in found_ones))
    found_ones.sort(key=lambda one: families.index((one[0].subject, one[0].family)))
    unfit = {row.info.name for row in rows if row.own_layers or (row.file and row.info.name not in there)}
    return Offer(tuple(found_ones), frozenset(unfit), subjects)
