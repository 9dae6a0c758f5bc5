"""The menu of directions, and what the picker in the front end knows of each."""

from __future__ import annotations

from comfy_api.latest import io

from .direction_offer import Offer, offered, state
from .found_models import AUTO, PHOTO, meant

_DEFAULT = "smile"
_TOOLTIP = (
    "What to change. Only directions of the model's own kind of picture fit it; the node says what each does and which "
    "strengths are useful."
)
# The menu's option that `web/lib` reads what stands below from.
PICKER = "sfe_directions"


def direction_input(name: str = "direction") -> io.Combo.Input:
    """Make the menu; effects and useful ranges are the picker's."""
    offer = offered(state())
    names = list(dict.fromkeys(info.name for info, _ in offer.directions)) or [_DEFAULT]
    default = _DEFAULT if _DEFAULT in names else names[0]
    menu = io.Combo.Input(name, options=names, default=default, tooltip=_TOOLTIP)
    menu.extra_dict = {**menu.extra_dict, PICKER: _for_the_picker(offer)}  # no argument of Combo in 0.3.64
    return menu


def _for_the_picker(offer: Offer) -> dict:
    """JSON of what the direction picker shows; the server never reads it back."""
    return {
        "stands_for": {AUTO: meant(AUTO)},
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
                "except": [PHOTO] if not model and info.name in offer.not_for_photo else [],
            }
            for info, model in offer.directions
        ],
    }


def checked(direction) -> bool | str:
    """Accept names that the menu does not offer too: what there is, is looked up when the node runs."""
    if direction is None or isinstance(direction, str):  # None: comes over a wire
        return True
    return f"direction is {direction!r}; expected the name of a direction"
