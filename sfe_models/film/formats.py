"""How films are written: containers and codecs. Nothing of PyAV is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import FilmError

# What a film's name may end in, the container's name in FFmpeg, and the codecs that it is written with (the first is
# the default).
CONTAINERS = {
    ".mp4": ("mp4", ("h264", "hevc")),
    ".m4v": ("mp4", ("h264", "hevc")),
    ".mov": ("mov", ("h264", "hevc")),
    ".mkv": ("matroska", ("h264", "hevc", "vp9", "ffv1")),
    ".webm": ("webm", ("vp9",)),
}


@dataclass(frozen=True)
class Codec:
    """An encoder of FFmpeg. quality: its usual CRF, smaller is better, None for one without loss; most: the worst."""

    encoder: str
    quality: int | None
    most: int = 0
    options: Mapping[str, str] = field(default_factory=dict)


# Qualities at which an edited face shows no trace of the coding; files are some times larger than a phone's.
CODECS = {
    "h264": Codec("libx264", 16, 51, {"preset": "medium"}),
    "hevc": Codec("libx265", 18, 51, {"preset": "medium", "x265-params": "log-level=error"}),
    "vp9": Codec("libvpx-vp9", 22, 63, {"b": "0", "row-mt": "1", "deadline": "good", "cpu-used": "4"}),
    "ffv1": Codec("ffv1", None, 0, {"level": "3", "slicecrc": "1"}),
}


def film_format(
    path: Path | str, codec: str | None = None, quality: int | None = None
) -> tuple[str, Codec, int | None]:
    """Tell a film's container by its suffix, its codec and its quality. Raises FilmError."""
    suffix = Path(path).suffix.lower()
    if suffix not in CONTAINERS:
        raise FilmError(f"{path} does not end in a film format's suffix; use {', '.join(CONTAINERS)}.")
    container, codecs = CONTAINERS[suffix]
    name = codec or codecs[0]
    if name not in codecs:
        fits = " or ".join(other for other, (_, held) in CONTAINERS.items() if name in held)
        raise FilmError(f"{suffix} does not hold {name}, which goes into {fits}; it takes {' or '.join(codecs)}.")
    chosen = CODECS[name]
    if quality is not None and not (chosen.quality is not None and 0 <= quality <= chosen.most):
        wanted = f"a number from 0 to {chosen.most}" if chosen.most else "none, as it loses nothing"
        raise FilmError(f"The quality is {quality}; {name} takes {wanted}.")
    return container, chosen, chosen.quality if quality is None else quality
