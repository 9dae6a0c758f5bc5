"""Fetching the published files from a stand-in for their repository; no network."""

import hashlib
import http.server
import threading

import pytest

from sfe_models.checkpoints.download import DownloadError
from sfe_models.checkpoints.published import fetch_all
from sfe_models.checkpoints.weights import VECTORS, WeightFile
from sfe_models.directions.library import published_directions

CONTENT = b"numbers" * 300


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Range")))
        if "gone" in self.path:
            self.send_error(404)
            return
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requests, server.url = [], f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def named(server, place):
    digest = hashlib.sha256(CONTENT).hexdigest()
    return WeightFile(place, "", "", "", "", address=f"{server.url}/{place}", size=len(CONTENT), sha256=digest)


def test_files_are_fetched_once_and_resumed(tmp_path, server):
    files = [named(server, "a/one.pt"), named(server, "two.npy")]
    (tmp_path / "two.npy.part").write_bytes(CONTENT[:100])
    for _ in range(2):
        paths = fetch_all(files, tmp_path, progress=False)
        assert [p.read_bytes() for p in paths] == [CONTENT, CONTENT]
    assert server.requests == [("/a/one.pt", None), ("/two.npy", "bytes=100-")]


def test_offline_the_error_says_what_to_place_where(tmp_path, server):
    files = [named(server, place) for place in ("one.pt", "gone/two.pt", "three.pt")]
    with pytest.raises(DownloadError) as error:
        fetch_all(files, tmp_path, progress=False)
    for name in ("gone/two.pt", "three.pt"):
        assert f"{server.url}/{name} -> {tmp_path / name}" in str(error.value)
    assert "one.pt ->" not in str(error.value) and (tmp_path / "one.pt").is_file()


def test_the_table_has_every_vector_file_that_directions_need():
    files = {entry.file for entry in published_directions()} - {None}
    vectors = {file for file in files if not file.startswith("styleclip_mappers/")}  # those are checkpoints
    assert vectors == {file.place for file in VECTORS}
