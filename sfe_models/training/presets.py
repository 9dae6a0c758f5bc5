"""Named configurations of every stage: the published ones, the demo model's and the photographic model's."""

from __future__ import annotations

from pathlib import Path

from .config import AttributesConfig, E4EConfig, EditorConfig, GANConfig, InverterConfig
from .config_files import load_file
from .demo_presets import DEMO_PRESETS
from .errors import ConfigError
from .gradual_config import GradualConfig
from .photo_presets import PHOTO_PRESETS
from .published_presets import PUBLISHED_PRESETS

# The settings of every stage.
CONFIGS = {
    "gan": GANConfig,
    "e4e": E4EConfig,
    "inverter": InverterConfig,
    "editor": EditorConfig,
    "attributes": AttributesConfig,
    "gradual": GradualConfig,
}

_TABLES = (PUBLISHED_PRESETS, DEMO_PRESETS, PHOTO_PRESETS)
PRESETS: dict[str, dict] = {
    stage: {name: config for table in _TABLES for name, config in table.get(stage, {}).items()} for stage in CONFIGS
}


def find_config(stage: str, name_or_file: str):
    """Return a stage's named configuration, or read it from a JSON file. Raises ConfigError."""
    named = PRESETS[stage]
    if name_or_file in named:
        return named[name_or_file]
    if Path(name_or_file).suffix.lower() == ".json" or Path(name_or_file).is_file():
        return load_file(CONFIGS[stage], name_or_file)
    raise ConfigError(
        f"There is no {stage} configuration {name_or_file!r}; expected {', '.join(named)} or a .json file."
    )
