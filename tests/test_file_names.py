"""Whatever a name comes from, the file lies in the folder that was named."""

import pytest

from sfe_models.file_names import LONGEST, file_name, name_problem

ODD = [
    "../../esc",
    "..",
    "/etc/passwd",
    "a/b\\c",
    "C:\\x",
    "con",
    "CON.txt",
    "",
    " ",
    ".hidden",
    "a\0b",
    "ü" * 400,
    "\n",
]


@pytest.mark.parametrize("text", ODD)
def test_made_names_stay_in_their_folder(tmp_path, text):
    name = file_name(text)
    assert (tmp_path / name).resolve().parent == tmp_path
    assert name_problem(name) is None and not name.startswith(".")
    (tmp_path / f"{name}.png").touch()


def test_harmless_names_stay_as_they_are():
    for name in ("age", "fs_glasses", "eye-openness_+2.5", "日本"):
        assert file_name(name) == name and name_problem(name) is None
    assert file_name("black hair") == "black_hair"
    assert file_name("smile (own)") == "smile_own"


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", "...", "con", "NUL", "com1.a", "a:b", "a\x07", "a ", "x.", "a" * 255]
)
def test_names_that_some_system_refuses(name):
    assert name_problem(name)


def test_the_longest_name_leaves_room():
    assert len(file_name("a" * 1000)) < LONGEST
