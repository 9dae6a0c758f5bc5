"""Every language says everything that English does, and English everything that the nodes have."""

import json
import re
from pathlib import Path

import pytest

LOCALES = Path(__file__).resolve().parents[2] / "locales"
OTHERS = sorted(folder.name for folder in LOCALES.iterdir() if folder.name != "en")
FILES = ("main.json", "nodeDefs.json")
# What the front end's i18n would take for its own syntax.
SYNTAX = re.compile(r"[{}@|]")


def texts(language, file):
    """{path of keys: text} of a file."""
    found = {}

    def walk(part, path):
        for key, value in part.items():
            if isinstance(value, dict):
                walk(value, (*path, key))
            else:
                found[(*path, key)] = value

    walk(json.loads((LOCALES / language / file).read_text(encoding="utf-8")), ())
    return found


def test_there_is_an_example_for_translators():
    assert "zh" in OTHERS


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("language", OTHERS)
def test_no_key_is_missing_and_none_too_many(language, file):
    english, other = texts("en", file), texts(language, file)
    assert not set(english) - set(other), "missing; translate these"
    assert not set(other) - set(english), "gone from English; take these away"


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_texts_are_texts(language, file):
    for path, text in texts(language, file).items():
        assert text.strip() == text != "", path
        assert not SYNTAX.search(text), path


@pytest.mark.parametrize("language", OTHERS)
def test_choices_that_are_named_stay_as_they_are(language):
    """Code in backquotes is not translated."""
    english, other = texts("en", "nodeDefs.json"), texts(language, "nodeDefs.json")
    for path, text in english.items():
        assert re.findall(r"`[^`]+`", text) == re.findall(r"`[^`]+`", other[path]), path


def test_english_is_what_the_nodes_say(own):
    english = texts("en", "nodeDefs.json")
    for name, node in own.items():
        assert english[name, "display_name"] == node["display_name"]
        assert english[name, "description"] == node["description"]
        inputs = {**node["input"].get("required", {}), **node["input"].get("optional", {})}
        for key, (_, *options) in inputs.items():
            options = options[0] if options else {}
            assert english[name, "inputs", key, "name"] == options.get("display_name", key)
            if "\n" not in options["tooltip"]:  # lists that the pack makes when it is asked
                assert english[name, "inputs", key, "tooltip"] == options["tooltip"]
        for i, (output, tooltip) in enumerate(zip(node["output_name"], node["output_tooltips"], strict=True)):
            assert english[name, "outputs", str(i), "name"] == output
            assert english[name, "outputs", str(i), "tooltip"] == tooltip
    assert {path[0] for path in english} == set(own)
