"""Settings as JSON: printed and saved with every run, read from files, changed by --set."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from ..json_values import JsonValueError, build
from ..text_files import read_text
from .errors import ConfigError


def to_json(config) -> str:
    """Write a configuration as JSON."""
    return json.dumps(dataclasses.asdict(config), indent=2)


def from_json(cls: type, text: str, source: str):
    """Read what `to_json` wrote; entries left out take their defaults. Raises ConfigError naming `source`."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{source} is no JSON ({error}).") from error
    return _build(cls, values, source)


def load_file(cls: type, path: Path | str):
    """Read a configuration from a JSON file. Raises ConfigError."""
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration {path} cannot be read ({error}).") from error
    return from_json(cls, text, str(path))


def override(config, assignments: list[str]):
    """Apply `name=value` settings, such as "run.steps=100"; values are JSON, or plain text. Raises ConfigError."""
    values = dataclasses.asdict(config)
    for assignment in assignments:
        name, separator, text = assignment.partition("=")
        *parents, last = name.strip().split(".")
        place = values
        for part in parents:
            place = place.get(part) if isinstance(place, dict) else None
        if not separator or not isinstance(place, dict) or last not in place:
            raise ConfigError(f"{assignment!r} sets nothing in this configuration; expected such as run.steps=100.")
        try:
            place[last] = json.loads(text)
        except json.JSONDecodeError:
            place[last] = text
    return _build(type(config), values, "--set")


def _build(cls: type, values, source: str):
    try:
        return build(cls, values, source)
    except JsonValueError as error:
        raise ConfigError(str(error)) from error
