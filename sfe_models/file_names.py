"""Names of files that every system takes, and that lead nowhere else."""

from __future__ import annotations

import re

# What most file systems take, in bytes; room is left for numbers, suffixes and temporary names.
LONGEST = 255
_ROOM = 40
# Devices of Windows, with any suffix.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
# Separators and what Windows refuses or reads otherwise; control characters.
_REFUSED = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


def name_problem(name: str) -> str | None:
    """Say why a name, without its suffix, is none for a file; None if it is one. It may not contain separators."""
    if not name.strip(" ."):
        return "it is empty or holds nothing but dots and blanks"
    if found := _REFUSED.search(name):
        return f"it holds {found[0]!r}"
    if name.partition(".")[0].strip().lower() in _DEVICES:
        return "Windows keeps that name for a device"
    if name != name.strip(" ") or name.endswith("."):
        return "it begins or ends with a blank, or ends with a dot"
    if len(name.encode(errors="replace")) > LONGEST - _ROOM:
        return f"it is longer than {LONGEST - _ROOM} bytes"
    return None


def file_name(text: str) -> str:
    """Make the name of a file, without suffix, of any text: letters, digits and `_.+-`; no path, no hidden file."""
    name = re.sub(r"[^\w.+-]+", "_", text).strip("_.") or "unnamed"
    name = f"_{name}" if name.partition(".")[0].lower() in _DEVICES else name
    return name.encode()[: LONGEST - _ROOM].decode(errors="ignore")
