"""Make a page's command small: the same command with fewer pictures, steps and samples, and small networks."""

from dataclasses import replace
from pathlib import Path

from photo.small import SPEC as SMALL_PHOTO
from training.tiny import ONLY_L2, SPEC, e4e_config, editor_config, gan_config, inverter_config

from sfe_models.photo import install
from sfe_models.training.config import EditDraw
from sfe_models.training.config_files import to_json
from sfe_models.training.presets import find_config

# Options that get this value, whether or not the page gives one.
_SET = {
    "demo": {"--dtype": "float32"},
    "edit": {"--dtype": "float32"},
    "invert": {"--dtype": "float32"},
    "sweep": {"--dtype": "float32", "--steps": "2"},
    "tune": {"--dtype": "float32", "--steps": "2"},
    "batch": {"--dtype": "float32"},
    "film": {"--dtype": "float32"},
    "mix": {"--dtype": "float32"},
    "evaluate": {"--count": "1"},
    "benchmark": {"--model": "random:tiny-64", "--repeats": "1"},
    "benchmarks/speed.py": {"--model": "random:tiny-64", "--repeats": "1"},
    "directions discover": {"--count": "2"},
    "directions traverse": {"--seeds": "0", "--steps": "2"},
}
# Options that get it where the page has them.
_REPLACED = {"--refine": "1", "--optimise": "2", "--edit-count": "1", "--samples": "200", "--pictures": "2"}
_RUN = {"run.steps": "1", "run.batch": "2", "run.pictures": "2", "run.workers": "0"}
_TINY = {"gan": gan_config, "e4e": e4e_config, "inverter": inverter_config, "editor": editor_config}


def small(arguments: list[str], folder: Path) -> list[str]:
    """Return the arguments of a quick run; configurations are written to the folder."""
    two = " ".join(arguments[:2])
    name = two if two in _SET else arguments[0]
    made = list(arguments)
    if name == "train":
        return _small_training(made, folder)
    for option, value in _SET.get(name, {}).items():
        made = with_option(made, option, value)
    for option, value in _REPLACED.items():
        if option in made:
            made = with_option(made, option, value)
    if name == "convert":  # there are no published files of small networks
        made[1] = "random:tiny-64"
    if name == "evaluate" and "--data" not in made:
        made = [
            *with_option(with_option(made, "--edit-count", "1"), "--attributes", "light"),
            "--methods",
            "e4e",
            "sfe",
        ]
    if name in ("edit", "invert") and value_of(made, "--model", "").endswith("generator-mobile.safetensors"):
        made = with_option(made, "--optimise", "2")
    return made


def _small_training(arguments: list[str], folder: Path) -> list[str]:
    stage, name = arguments[1], value_of(arguments, "--config", "")
    config = find_config(stage, name)
    made = [*arguments, "--device", "cpu"]
    for setting, value in _RUN.items():
        made += ["--set", f"{setting}={value}"]
    if name.startswith("demo"):
        return made
    if name == "photo":
        run = replace(config.run, samples=1, size=64)
        config = replace(config, domain=SMALL_PHOTO, run=run, window=10)
        if "--directions" in made:
            made = with_option(made, "--directions", str(install.DIRECTIONS.parent))
    else:  # a published setting: the same stage of a domain of 16 px, without the losses' networks
        config = _TINY[stage](1, SPEC)
        if stage != "gan":
            config = replace(config, losses=ONLY_L2)
        if stage == "editor":
            config = replace(config, edits=(EditDraw("age", (1.0,)),))
    path = folder / f"small-{stage}-{name}.json"
    path.write_text(to_json(config), encoding="utf-8")
    return with_option(made, "--config", str(path))


def value_of(arguments: list[str], option: str, default: str) -> str:
    return arguments[arguments.index(option) + 1] if option in arguments else default


def with_option(arguments: list[str], option: str, value: str) -> list[str]:
    """Give an option one value, in the place of those that it has."""
    if option not in arguments:
        return [*arguments, option, value]
    place = arguments.index(option) + 1
    after = next((i for i in range(place, len(arguments)) if arguments[i].startswith("--")), len(arguments))
    return [*arguments[:place], value, *arguments[after:]]
