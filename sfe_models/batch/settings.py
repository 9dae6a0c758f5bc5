"""batch.json: what an output folder was made with, so that a second start with other settings is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from ..inputs import InputError
from .storage import Store

SETTINGS = "batch.json"
_FORMAT, _VERSION = "sfe-batch", 1


def fingerprint(settings: Mapping) -> str:
    """Name settings, of what JSON holds, by 12 hexadecimal digits."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def is_begun(output: Store) -> bool:
    """Whether a batch was started in a folder."""
    return output.read(SETTINGS) is not None


def settle(output: Store, settings: Mapping) -> str:
    """Keep the settings in an output folder, or compare them with those that are there; return their fingerprint.

    Raises InputError for other settings, with what differs.
    """
    found, text = fingerprint(settings), output.read(SETTINGS)
    if text is None:
        text = json.dumps(
            {"format": _FORMAT, "version": _VERSION, "fingerprint": found, "settings": settings}, indent=1
        )
        output.write(SETTINGS, [text, "\n"])
        return found
    try:
        kept = json.loads(text)
        same, before = kept["format"] == _FORMAT and kept["fingerprint"] == found, dict(kept["settings"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{output / SETTINGS} cannot be read as a batch's settings ({error}); give another --output."
        ) from error
    if not same:
        differing = [name for name in settings if before.get(name) != settings[name]]
        said = "; ".join(f"{name}: {_short(before.get(name))}, now {_short(settings[name])}" for name in differing)
        raise InputError(
            f"{output} holds pictures that were made with other settings ({said or 'another version'}). Give another "
            "--output for these settings, those settings again to go on, or remove the folder to begin anew."
        )
    return found


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}..."
