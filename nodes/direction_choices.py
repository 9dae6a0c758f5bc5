"""The directions that a menu offers: those of all models that are there, grouped by family."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from comfy_api.latest import io

from ..sfe_models.checkpoints.bundle import bundle_directions, bundle_spec
from ..sfe_models.checkpoints.errors import CheckpointError
from ..sfe_models.checkpoints.load import DEMO_BUNDLE
from ..sfe_models.directions.base import DirectionError, DirectionInfo
from ..sfe_models.directions.library import published_directions
from ..sfe_models.directions.own_files import FOLDER, find_own_files
from .found_models import changed_at, direction_folders, model_names, model_path

logger = logging.getLogger(__name__)
# The published directions that are offered even before their files are there: those of the model to download.
_ALWAYS = "human faces"
# A folder of published files may show anything that there are published directions for.
_FOLDERS = "folders"
_DEFAULT = "smile"


def direction_input(name: str = "direction") -> io.Combo.Input:
    """Make the menu, with effects and useful ranges in its tooltip."""
    infos = _offered(state())
    names = list(dict.fromkeys(info.name for info in infos)) or [_DEFAULT]
    lines = ["What to change. The useful strengths and what a positive one does, by family:"]
    family = None
    for info in infos:
        if info.family != family:
            family = info.family
            lines.append(f"{family} ({info.subject}):")
        span = " {:g} to {:g}".format(*info.strength_range) if info.strength_range else ""
        lines.append(f"  {info.name}{span}{f': {info.effect}' if info.effect else ''}")
    default = _DEFAULT if _DEFAULT in names else names[0]
    return io.Combo.Input(name, options=names, default=default, tooltip="\n".join(lines))


def state() -> tuple:
    """What the offer depends on: models, and the files in folders named `directions`."""
    whole = ((_FOLDERS, ()),) if any(name.endswith("/") for name in model_names()) else ()
    bundles = [DEMO_BUNDLE, *(model_path(name) for name in model_names() if name.endswith(".safetensors"))]
    folders = [place for top in direction_folders() for place in (top, top / FOLDER) if place.name == FOLDER]
    return (*whole, *((str(path), changed_at(path)) for path in (*bundles, *folders) if path.exists()))


@lru_cache(maxsize=1)
def _offered(seen: tuple) -> tuple[DirectionInfo, ...]:
    """Read all descriptions; what cannot be read is named in the log and left out."""
    subjects, infos = {_ALWAYS}, []
    for path, _ in seen:
        try:
            if path == _FOLDERS:
                subjects.update(entry.info.subject for entry in published_directions())
            elif Path(path).is_dir():
                infos += [own.info for own in find_own_files([Path(path)], _ALWAYS)]
            else:
                infos += [direction.info for direction in bundle_directions(path)]
                subjects.add(bundle_spec(path).subject)
        except (CheckpointError, DirectionError) as error:
            logger.warning("Directions left out of the menu: %s", error)
    infos = [entry.info for entry in published_directions() if entry.info.subject in subjects] + infos
    families = list(dict.fromkeys((info.subject, info.family) for info in infos))
    return tuple(sorted(infos, key=lambda info: families.index((info.subject, info.family))))
