"""Fetching the published files from a stand-in for their repository; no network."""

import pytest
from checkpoints.serving import CONTENT, SHA256

from sfe_models.checkpoints.download import DownloadError
from sfe_models.checkpoints.published import fetch_all
from sfe_models.checkpoints.weights import VECTORS, WeightFile
from sfe_models.directions.library import published_directions


def named(server, place):
    return WeightFile(place, "", "", "", "", address=f"{server.host}/{place}", size=len(CONTENT), sha256=SHA256)


def test_files_are_fetched_once_and_resumed(tmp_path, server):
    files = [named(server, "a/one.pt"), named(server, "two.npy")]
    (tmp_path / "two.npy.part").write_bytes(CONTENT[:100])
    for _ in range(2):
        paths = fetch_all(files, tmp_path, progress=False)
        assert [p.read_bytes() for p in paths] == [CONTENT, CONTENT]
    assert server.paths == ["/a/one.pt", "/two.npy"] and server.requests == [None, "bytes=100-"]


def test_offline_the_error_says_what_to_place_where(tmp_path, server):
    files = [named(server, place) for place in ("one.pt", "missing/two.pt", "three.pt")]
    with pytest.raises(DownloadError) as error:
        fetch_all(files, tmp_path, progress=False)
    for name in ("missing/two.pt", "three.pt"):
        assert f"{server.host}/{name} -> {tmp_path / name}" in str(error.value)
    assert "one.pt ->" not in str(error.value) and (tmp_path / "one.pt").is_file()


def test_the_table_has_every_vector_file_that_directions_need():
    files = {entry.file for entry in published_directions()} - {None}
    vectors = {file for file in files if not file.startswith("styleclip_mappers/")}  # those are checkpoints
    assert vectors == {file.place for file in VECTORS}
