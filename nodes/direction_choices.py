"""The directions that a menu offers: those of all models that are there, grouped by family."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from comfy_api.latest import io

from ..sfe_models.checkpoints.errors import CheckpointError
from ..sfe_models.checkpoints.load import DEMO_BUNDLE
from ..sfe_models.directions.base import DirectionError, DirectionInfo
from ..sfe_models.directions.files import FOLDER, describe_own_files
from ..sfe_models.directions.published import names_of_persons, published_directions
from .found_models import DEMO, DOWNLOAD, PHOTO, changed_at, described, direction_folders, found

logger = logging.getLogger(__name__)
# The published directions that are offered even before their files are there: those of the model to download.
_ALWAYS = "human faces"
# A folder of published files may show anything that there are published directions for.
_FOLDERS = "folders"
_DEFAULT = "smile"
_TOOLTIP = (
    "What to change. Only directions of the model's own kind of picture fit it; the node says what each does and which "
    "strengths are useful."
)
# The menu's option that `web/lib` reads what stands below from.
PICKER = "sfe_directions"


@dataclass(frozen=True)
class Offer:
    """What the menu can offer. directions: with the model that each belongs to, "" for all of its subject.

    subjects: what each model of Load SFE shows, None if it does not say; absent where its files would have to be read.
    """

    directions: tuple[tuple[DirectionInfo, str], ...]
    subjects: dict[str, str | None]


def direction_input(name: str = "direction") -> io.Combo.Input:
    """Make the menu; effects and useful ranges are the picker's."""
    offer = _offered(state())
    infos = [info for info, _ in offer.directions]
    names = list(dict.fromkeys(info.name for info in infos)) or [_DEFAULT]
    default = _DEFAULT if _DEFAULT in names else names[0]
    menu = io.Combo.Input(name, options=names, default=default, tooltip=_TOOLTIP)
    menu.extra_dict = {**menu.extra_dict, PICKER: _for_the_picker(offer)}  # no argument of Combo in 0.3.64
    return menu


def _for_the_picker(offer: Offer) -> dict:
    """JSON of what the direction picker shows; the server never reads it back."""
    return {
        "subjects": offer.subjects,
        "directions": [
            {
                "name": info.name,
                "family": info.family,
                "subject": info.subject,
                "range": info.strength_range and [float(end) for end in info.strength_range],
                "effect": info.effect,
                "source": info.source,
                "model": model,
            }
            for info, model in offer.directions
        ],
    }


def checked(direction) -> bool | str:
    """Accept names that the menu does not offer too: what there is, is looked up when the node runs."""
    if direction is None or isinstance(direction, str):  # None: comes over a wire
        return True
    return f"direction is {direction!r}; expected the name of a direction"


def state() -> tuple:
    """What the offer depends on: models, and the files in folders named `directions`."""
    models = found().models
    whole = ((_FOLDERS, "", ()),) if any(name.endswith("/") for name in models) else ()
    bundles = [(DEMO_BUNDLE, DEMO), *((path, name) for name, path in models.items() if not name.endswith("/"))]
    folders = [(place, "") for top in direction_folders() for place in (top, top / FOLDER) if place.name == FOLDER]
    return (*whole, *((str(path), name, changed_at(path)) for path, name in (*bundles, *folders) if path.exists()))


@lru_cache(maxsize=1)
def _offered(seen: tuple) -> Offer:
    """Read all descriptions; what cannot be read is named in the log and left out."""
    shown, offered, own, subjects = {_ALWAYS}, [], [], {DOWNLOAD: _ALWAYS, PHOTO: _ALWAYS}
    for path, model, changed in seen:
        if path == _FOLDERS:
            shown.update(row.info.subject for row in published_directions())
        elif Path(path).is_dir():
            own.append(Path(path))
        else:
            try:
                subjects[model], infos = described(path, changed)
                offered += [(info, model) for info in infos]
            except (CheckpointError, DirectionError) as error:
                logger.warning("Directions left out of the menu: %s", error)
    shown.update(subjects.values())
    persons = names_of_persons()
    offered = [(row.info, "") for row in published_directions() if row.info.subject in shown] + offered
    offered = [(info, model) for info, model in offered if info.name not in persons]
    taken = {info.name for info, _ in offered}
    infos = [(file.info, file.path.name) for file in describe_own_files(own, None)[0]]
    offered += [(replace(info, name=name) if info.name in taken else info, "") for info, name in infos]
    families = list(dict.fromkeys((info.subject, info.family) for info, _ in offered))
    offered.sort(key=lambda one: families.index((one[0].subject, one[0].family)))
    return Offer(tuple(offered), subjects)
