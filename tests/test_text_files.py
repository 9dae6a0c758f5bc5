"""Every text file that a person writes is read whatever editor wrote it."""

import codecs
import json

import pytest

from sfe_models.cli.photos import given_landmarks
from sfe_models.directions.finding.clip_text import read_templates
from sfe_models.directions.finding.scored_samples import read_scores
from sfe_models.directions.recipe import load_recipe
from sfe_models.evaluation.attribute_tables import read_attribute_table
from sfe_models.text_files import read_text
from sfe_models.training.config_files import to_json
from sfe_models.training.presets import find_config

ENCODED = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
}
RECIPE = {"format": "sfe-recipe", "version": 1, "subject": None, "steps": [{"direction": "ä", "strength": 1}]}


@pytest.fixture(params=ENCODED)
def write(request, tmp_path):
    """Write text as an editor does, with its line ends."""

    def written(text):
        path = tmp_path / "file.TXT"
        path.write_bytes(ENCODED[request.param] + text.replace("\n", "\r\n").encode(request.param))
        return path

    return written


def test_the_text_is_the_same(write):
    assert read_text(write("ä\n1 2\n")) == "ä\n1 2\n"


def test_every_reader_takes_it(write):
    assert len(given_landmarks(write("310 402, 512 398, 409 520, 331 640, 495 636\n"))) == 1
    assert load_recipe(write(json.dumps(RECIPE))).steps[0].names == ("ä",)
    assert read_templates(write("a photo of {}\nein Bild: {}\n")) == ("a photo of {}", "ein Bild: {}")
    assert read_attribute_table(write("file,Smiling\n1.png,1\n")).names == ("Smiling",)
    assert read_scores(write("index,age\n0,0.5\n1,0.25\n"), 2)[1] == ("age",)
    config = find_config("gan", "demo")
    assert find_config("gan", str(write(to_json(config)))) == config
