"""Attribute tables of both formats, and bad ones, one each."""

import pytest

from sfe_models.evaluation.attribute_tables import read_attribute_table
from sfe_models.evaluation.errors import EvaluationError

CELEBA = "2\nSmiling Young Eyeglasses\n0.jpg  -1 1 -1\n1.jpg  1 1 1\n"
CSV = "file,Smiling,Young,Eyeglasses\n0.jpg,0,1,-1\n1.jpg,1,1,1\n"


def table(tmp_path, text):
    path = tmp_path / "table.txt"
    path.write_text(text)
    return read_attribute_table(path)


@pytest.mark.parametrize("text", [CELEBA, CSV, CELEBA.replace("\n", " \n"), CSV.replace(",", " , "), "\ufeff" + CSV])
def test_both_formats_say_the_same(tmp_path, text):
    read = table(tmp_path, text)
    assert read.names == ("Smiling", "Young", "Eyeglasses")
    assert read.rows == {"0.jpg": (False, True, False), "1.jpg": (True, True, True)}
    assert read.has("folder/0.jpg", "Young") is True and read.has("0.jpg", "Smiling") is False
    assert read.has("2.jpg", "Young") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with ''; expected the number of pictures"),
        ("name,Smiling\n0.jpg,1\n", "begins with 'name,Smiling'"),
        (CELEBA.replace("2\n", "3\n", 1), "announces 3 pictures and lists 2"),
        (CELEBA.replace("-1 1 -1", "-1 1"), "line 3: 2 values for 3 attributes"),
        (CELEBA.replace("1 1 1", "1 0 1"), "line 4: the value '0'; expected 1 or -1"),
        (CELEBA.replace("1.jpg", "0.jpg"), "line 4: 0.jpg is listed twice"),
        ("2\nSmiling Smiling\n", "expected at least one, each once"),
        ("2\n", "expected at least one, each once"),
        (CSV.replace("1,1,1", "1,yes,1"), "line 3: the value 'yes'; expected 1 or 0 or -1"),
        (CSV.replace("0,1,-1", "0,1"), "line 2: 2 values for 3 attributes"),
        ("file,Smiling\n", "lists no picture"),
        ("file\n0.jpg\n", "expected at least one, each once"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    with pytest.raises(EvaluationError, match=message) as error:
        table(tmp_path, text)
    assert "table.txt" in str(error.value)


def test_unknown_attribute_and_missing_file(tmp_path):
    with pytest.raises(EvaluationError, match="has no attribute 'Bald'; expected Smiling, Young"):
        table(tmp_path, CELEBA).has("0.jpg", "Bald")
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_attribute_table(tmp_path / "none.txt")
