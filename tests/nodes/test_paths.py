"""Names over the API never lead out of their folder."""

import pytest


@pytest.fixture
def paths(pack):
    return pack("nodes.paths")


@pytest.mark.parametrize("name", ["anna.safetensors", "sfe/anna.safetensors", "a b/ü", "sfe\\anna", "..a/b"])
def test_names_below_are_taken(paths, tmp_path, name):
    path = paths.inside(tmp_path, name, "file")
    assert path.resolve().is_relative_to(tmp_path.resolve())


@pytest.mark.parametrize(
    "name",
    ["", " ", "../x", "sfe/../../x", "..\\x", "/etc/passwd", "\\\\host\\x", "C:\\x", "C:x", "~/x", "a\0b", "x/.."],
)
def test_names_that_lead_out_are_refused(paths, tmp_path, name):
    with pytest.raises(paths.PathError, match="'file' is .*expected"):
        paths.inside(tmp_path, name, "file")


def test_links_that_lead_out_are_refused(paths, tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/out").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(paths.PathError, match="through a link"):
        paths.inside(tmp_path / "inner", "out/secret", "file")
    (tmp_path / "inner/here").symlink_to(tmp_path / "inner", target_is_directory=True)
    assert paths.inside(tmp_path / "inner", "here/anna", "file")


def test_files_below_are_seen_when_they_come_and_go(paths, tmp_path):
    assert list(paths.files_below(tmp_path)) == list(paths.files_below(tmp_path / "missing")) == []
    (tmp_path / "sfe/old").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    for name in ("sfe/old/a", ".hidden/b", "c"):
        (tmp_path / name).write_text("")
    (tmp_path / "sfe/round").symlink_to(tmp_path, target_is_directory=True)
    assert sorted(paths.files_below(tmp_path)) == ["c", "sfe/old/a"]
    (tmp_path / "sfe/old/a").unlink()
    assert sorted(paths.files_below(tmp_path)) == ["c"]


def test_annotated_names(paths):
    assert paths.annotated("sfe/a.safetensors [input]") == ("sfe/a.safetensors", "input")
    assert paths.annotated("sfe/a.safetensors [output]") == ("sfe/a.safetensors", "output")
    assert paths.annotated("sfe/a.safetensors") == ("sfe/a.safetensors", "output")


def test_a_change_is_told_of_files_and_folders(paths, tmp_path):
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").symlink_to(tmp_path / "gone")
    before = paths.changed_at(tmp_path)
    assert paths.changed_at(tmp_path / "a") == before != ()
    (tmp_path / "a").write_text("22")
    assert paths.changed_at(tmp_path) != before
    assert paths.changed_at(tmp_path / "missing") == ()


def test_a_folder_that_may_not_be_read_is_as_if_empty(paths, tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    assert paths.changed_at(tmp_path) == ()
