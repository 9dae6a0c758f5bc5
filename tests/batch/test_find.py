"""What folders, patterns and lists name, and what each picture is called in the output."""

import os

import fsspec
import pytest
from PIL import Image

from sfe_models.batch.find import find_pictures, output_name
from sfe_models.inputs import InputError


@pytest.fixture
def album(tmp_path, monkeypatch):
    """A folder with pictures and rubbish; the working folder is the one around it."""
    monkeypatch.chdir(tmp_path)
    for name in ("album/b.png", "album/2019/a.jpg", "album/2019/deep/c.webp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(name)
    Image.new("RGB", (4, 4)).save(tmp_path / "album/no_suffix", "PNG")
    for rubbish in (".DS_Store", "._b.png", "2019/notes.txt", "2019/Thumbs.db"):
        (tmp_path / "album" / rubbish).write_bytes(b"\0rubbish")
    (tmp_path / "album/2019/film.mp4").write_bytes(b"")
    (tmp_path / "album/.hidden").mkdir()
    Image.new("RGB", (4, 4)).save("album/.hidden/d.png")
    return tmp_path


FOLDER = ["b.png", "no_suffix", "2019/a.jpg", "2019/film.mp4", "2019/deep/c.webp"]


def names(*inputs, **more):
    return [picture.name for picture in find_pictures(inputs, "out", **more).pictures]


def test_a_folder_gives_all_pictures_below_it_by_their_paths(album):
    found = find_pictures(["album"], "out")
    assert [picture.name for picture in found.pictures] == FOLDER
    assert all(os.path.isfile(picture.source) for picture in found.pictures)
    assert found.passed_over == 2
    assert [picture.name for picture in found.pictures if picture.is_film] == ["2019/film.mp4"]


@pytest.mark.parametrize(
    ("pattern", "want"),
    [
        ("album/*.png", ["b.png"]),
        ("album/**/*.jpg", ["2019/a.jpg"]),
        ("album/*/deep", ["2019/deep/c.webp"]),
        ("album/**", FOLDER),
    ],
)
def test_patterns_name_below_their_fixed_part(album, pattern, want):
    assert sorted(names(pattern)) == sorted(want)


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(album):
    Image.new("RGB", (4, 4)).save("album/[b].png")
    assert names("album/[b].png") == ["[b].png"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_list_names_as_its_lines_say(album, encoding):
    lines = ["album/b.png", "", str(album / "album/2019/a.jpg"), "album/2019/deep", "album/gone.png"]
    (album / "list.txt").write_bytes("\r\n".join(lines).encode(encoding))
    assert names("list.txt") == ["album/b.png", "a.jpg", "c.webp", "album/gone.png"]


def test_a_root_keeps_the_folders_between(album):
    assert names("album/2019/a.jpg", "album/2019/deep", root="album") == ["2019/a.jpg", "2019/deep/c.webp"]
    with pytest.raises(InputError, match="does not lie below"):
        names("album/b.png", root="album/2019")


def test_a_picture_that_is_named_twice_is_taken_once(album):
    assert names("album", "album/b.png", str(album / "album")) == FOLDER


def test_two_pictures_of_one_name_are_refused(album):
    Image.new("RGB", (4, 4)).save("album/2019/b.png")
    with pytest.raises(InputError, match="both be written as out/b.png"):
        names("album", "album/2019/b.png")
    Image.new("RGB", (4, 4)).save("album/b.jpg")
    with pytest.raises(InputError, match="--format keep"):
        names("album", suffix=".webp")


def test_the_output_inside_of_the_input_is_passed_over_and_nothing_overwrites_itself(album):
    (album / "album/out").mkdir()
    Image.new("RGB", (4, 4)).save("album/out/b.png")
    assert [p.name for p in find_pictures(["album"], album / "album/out").pictures] == FOLDER
    with pytest.raises(InputError, match="overwritten by its own edit"):
        find_pictures(["album"], album / "album")


@pytest.mark.parametrize("pattern", ["album/*", "album/**", "album/**/*.png", "album/*/*"])
def test_a_pattern_does_not_find_what_an_earlier_start_made(album, pattern):
    before = names(pattern)
    (album / "album/out").mkdir()
    Image.new("RGB", (4, 4)).save("album/out/b.png")
    for output in ("album/out", album / "album/out"):
        assert [p.name for p in find_pictures([pattern], output).pictures] == before
    with pytest.raises(InputError, match="overwritten by its own edit"):
        find_pictures(["album/out/*"], "album/out")


def test_links_to_pictures_are_taken_and_links_to_folders_said(album):
    (album / "album/link.png").symlink_to("b.png")
    (album / "album/round").symlink_to(album / "album")
    found = find_pictures(["album"], "out")
    assert sorted(p.name for p in found.pictures) == sorted([*FOLDER, "link.png"])
    assert found.links == [os.path.join("album", "round")]


@pytest.mark.parametrize("pattern", ["album/**", "album/**/*", "album/**/*.png", "alb*/**/*.jpg", "album/**/**/*.png"])
def test_two_stars_go_through_no_link_and_links_round_about_end(album, pattern):
    before = names(pattern)
    Image.new("RGB", (4, 4)).save("outside.png")
    for name, target in (("round", "album"), ("again", "album"), ("outside", ".")):
        (album / "album/2019" / name).symlink_to(album / target)
    found = find_pictures([pattern], "out")
    assert sorted(p.name for p in found.pictures) == sorted(before)
    assert found.links == [os.path.join("album", "2019", name) for name in ("again", "outside", "round")]


@pytest.mark.parametrize("pattern", ["*m/round", "album/r*", "album/*/a.jpg"])
def test_a_link_that_the_pattern_names_is_taken(album, pattern):
    (album / "album/round").symlink_to(album / "album/2019")
    assert "round/a.jpg" in [name.removeprefix("album/") for name in names(pattern)]


def test_a_folder_that_cannot_be_read_is_said(album, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_pictures(["album"], "out")
    assert [p.name for p in found.pictures] == FOLDER[:-1]
    assert found.unreadable == [os.path.join("album", "2019", "deep")]


@pytest.mark.parametrize(
    ("given", "said"), [("gone", "There is no gone"), ("gone/*.png", "Nothing matches"), ("list", "none is there")]
)
def test_inputs_that_are_not_there_are_refused(album, given, said):
    (album / "list").write_text("gone/1.png\ngone/2.png\n")
    with pytest.raises(InputError, match=said):
        names(given)


def test_an_address_gives_what_lies_below_it(album, tmp_path):
    memory = fsspec.filesystem("memory")
    for name in ("a.jpg", "2019/b.PNG", "notes.txt", ".hidden/c.jpg", "out/d.jpg"):
        memory.pipe_file(f"/{tmp_path.name}/album/{name}", b"")
    address = f"memory://{tmp_path.name}/album"
    found = find_pictures([address], f"{address}/out")
    assert [picture.name for picture in found.pictures] == ["2019/b.PNG", "a.jpg"]
    assert found.pictures[1].source == f"{address}/a.jpg" and found.passed_over == 1
    assert names(f"{address}/*.jpg") == names(f"{address}/a.jpg") == ["a.jpg"]
    with pytest.raises(InputError, match="There is nothing at"):
        names("memory://nothing/here")


def test_a_file_address_is_a_path(album):
    assert names(f"file://{album}/album", root=f"file://{album}") == [f"album/{name}" for name in FOLDER]


def test_names_of_what_is_written():
    assert output_name("a/b.JPG") == "a/b.JPG" and output_name("a/b.JPG", ".png") == "a/b.png"
    assert output_name("a/IMG") == "a/IMG.png" and output_name("a/b.jpg_large") == "a/b.jpg_large.png"
    assert output_name("clip.MP4", ".png") == "clip.MP4" and output_name("clip.avi") == "clip.avi.mp4"
