"""Which files of a folder are pictures."""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import Image


def picture_files(folder: Path | str) -> list[Path]:
    """List the pictures below a folder, sorted; see `seems_picture`.

    Files and folders whose name begins with a dot are passed over: macOS writes a `._1.png` beside each `1.png`.
    """
    folder = Path(folder)
    shown = (p for p in folder.rglob("*") if not any(n.startswith(".") for n in p.relative_to(folder).parts))
    return sorted(path for path in shown if path.is_file() and seems_picture(path))


def seems_picture(path: Path) -> bool:
    """Whether a file is a picture by its content, whatever its suffix.

    One that is a picture by its suffix alone seems so too: it is read and named as one that cannot be.
    """
    return path.suffix.lower() in Image.registered_extensions() or is_picture(path)


def is_picture(path: Path | str) -> bool:
    """Whether a file begins as a picture does; the rest of it may be damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path):
                return True
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
