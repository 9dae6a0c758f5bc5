"""Downloads against a server in a thread: what is at the target is whole and verified, or nothing is."""

import errno
import hashlib
from concurrent.futures import ThreadPoolExecutor, wait
from types import SimpleNamespace

import huggingface_hub
import pytest
from checkpoints.serving import CONTENT, SHA256, Server

from sfe_models.checkpoints import download as module
from sfe_models.checkpoints.download import DownloadError, Identity, fetch_url
from sfe_models.checkpoints.download import fetch as fetch_file
from sfe_models.checkpoints.weights import WeightFile

BLOB = hashlib.sha1(b"blob 10240\0" + CONTENT).hexdigest()


def fetch(server, path, **expected):
    return fetch_url(server.url, path, Identity(**expected), progress=False)


def assert_nothing_at(path, error):
    assert not path.exists()
    assert f"put it at {path}" in str(error.value)


def test_a_fetched_file_is_the_served_file(server, tmp_path):
    path = fetch(server, tmp_path / "new" / "model.pt", sha256=SHA256, size=len(CONTENT))
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["model.pt"]


@pytest.mark.parametrize(
    "expected", [{}, {"sha256": SHA256.upper()}, {"sha256": SHA256[:8]}, {"size": len(CONTENT)}, {"blob": BLOB}]
)
def test_a_verified_file_is_not_fetched_again(server, tmp_path, expected):
    path = tmp_path / "model.pt"
    path.write_bytes(CONTENT)
    fetch(server, path, **expected)
    assert server.requests == []


def test_a_different_file_at_the_target_is_replaced(server, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old")
    assert fetch(server, path, sha256=SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize("knows_range", [True, False])
def test_a_truncated_download_is_continued(server, tmp_path, knows_range):
    path = tmp_path / "model.pt"
    server.cut_after = 1000
    with pytest.raises(DownloadError, match="after 1000 of 10240 bytes") as error:
        fetch(server, path, sha256=SHA256)
    assert_nothing_at(path, error)

    server.cut_after, server.knows_range = None, knows_range
    assert fetch(server, path, sha256=SHA256).read_bytes() == CONTENT
    assert server.requests == [None, "bytes=1000-"]
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_hash_a_partial_file_is_not_trusted(server, tmp_path):
    path = tmp_path / "model.pt"
    path.with_name("model.pt.part").write_bytes(b"of another file")
    assert fetch(server, path).read_bytes() == CONTENT
    assert server.requests == [None]


def test_a_complete_partial_file_is_used(server, tmp_path):
    path = tmp_path / "model.pt"
    path.with_name("model.pt.part").write_bytes(CONTENT)
    assert fetch(server, path, sha256=SHA256).read_bytes() == CONTENT


def test_a_partial_file_longer_than_the_whole_is_deleted(server, tmp_path):
    path = tmp_path / "model.pt"
    path.with_name("model.pt.part").write_bytes(CONTENT + b"more")
    with pytest.raises(DownloadError, match="corrupt"):
        fetch(server, path, sha256=SHA256)
    assert fetch(server, path, sha256=SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize("expected", [{"sha256": "0" * 64}, {"sha256": "0" * 8}, {"size": 5}, {"blob": "0" * 40}])
def test_a_corrupt_download_is_deleted(server, tmp_path, expected):
    path = tmp_path / "model.pt"
    with pytest.raises(DownloadError, match="corrupt") as error:
        fetch(server, path, **expected)
    assert_nothing_at(path, error)
    assert list(tmp_path.iterdir()) == []


def test_folders_made_for_a_file_that_did_not_come_go_again(server, tmp_path):
    with pytest.raises(DownloadError, match="corrupt"):
        fetch(server, tmp_path / "new" / "deep" / "model.pt", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("expected", [{"sha256": SHA256}, {}])
def test_two_that_fetch_one_file_take_turns(server, tmp_path, caplog, expected):
    path = tmp_path / "model.pt"
    server.go_on.clear()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(fetch, server, path, **expected)
        assert server.begun.wait(10)
        second = threads.submit(fetch, server, path, **expected)
        wait([second], timeout=0.3)
        server.go_on.set()
        assert first.result(10) == second.result(10) == path
    assert path.read_bytes() == CONTENT and server.requests == [None]
    assert list(tmp_path.iterdir()) == [path] and "waiting" in caplog.text


def test_one_that_waited_goes_on_where_the_other_was_cut(server, tmp_path):
    path = tmp_path / "model.pt"
    server.go_on.clear()
    server.cut_after = 1000
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(fetch, server, path, sha256=SHA256)
        assert server.begun.wait(10)
        server.cut_after = None
        second = threads.submit(fetch, server, path, sha256=SHA256)
        wait([second], timeout=0.3)
        server.go_on.set()
        assert isinstance(first.exception(10), DownloadError)
        assert second.result(10).read_bytes() == CONTENT
    assert server.requests == [None, "bytes=1000-"]


def test_a_file_system_without_locks_is_written_to(server, tmp_path, monkeypatch):
    def acquire(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(module.FileLock, "acquire", acquire)
    assert fetch(server, tmp_path / "model.pt", sha256=SHA256).read_bytes() == CONTENT


def test_an_unknown_address_is_reported(server, tmp_path):
    path = tmp_path / "model.pt"
    with pytest.raises(DownloadError, match="404") as error:
        fetch_url(server.url.replace("model.pt", "missing"), path, progress=False)
    assert_nothing_at(path, error)


def test_a_refused_connection_is_reported(tmp_path):
    with Server() as closed:
        url = closed.url
    with pytest.raises(DownloadError, match="refused") as error:
        fetch_url(url, tmp_path / "model.pt", progress=False)
    assert url in str(error.value)
    assert_nothing_at(tmp_path / "model.pt", error)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "no address"])
def test_only_web_addresses_are_fetched(tmp_path, url):
    with pytest.raises(DownloadError, match="neither https nor http"):
        fetch_url(url, tmp_path / "model.pt", progress=False)


def test_an_unwritable_folder_is_reported(server, tmp_path):
    (tmp_path / "folder").write_bytes(b"a file, so that not even root can write into it")
    with pytest.raises(DownloadError) as error:
        fetch(server, tmp_path / "folder" / "model.pt")
    assert_nothing_at(tmp_path / "folder" / "model.pt", error)


def test_a_full_disk_leaves_the_target_alone(server, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "replace", full)
    with pytest.raises(DownloadError, match="No space left") as error:
        fetch(server, tmp_path / "model.pt")
    assert_nothing_at(tmp_path / "model.pt", error)


@pytest.fixture
def hub(server, monkeypatch):
    """Let the Hugging Face address lead to the server."""
    monkeypatch.setattr(huggingface_hub, "hf_hub_url", lambda repo_id, filename: server.url)
    return server


def hub_download(folder, **expected):
    return fetch_file(
        WeightFile("models/model.pt", "", "", "", "", hub="owner/name", **expected), folder, progress=False
    )


def test_hub_files_keep_their_folder_and_come_once(hub, tmp_path):
    path = hub_download(tmp_path)
    assert path == tmp_path / "models" / "model.pt"
    assert path.read_bytes() == CONTENT
    assert hub_download(tmp_path) == path
    assert len(hub.requests) == 1


def test_hub_files_are_checked_against_the_hash_of_the_server(hub, tmp_path):
    path = tmp_path / "models" / "model.pt"
    path.parent.mkdir()
    path.write_bytes(CONTENT[::-1])
    assert hub_download(tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("expected", [{"sha256": SHA256}, {"blob": BLOB}, {}])
def test_every_file_is_read_through_once(hub, tmp_path, monkeypatch, expected):
    path, read, difference = tmp_path / "models" / "model.pt", [], Identity.difference
    monkeypatch.setattr(Identity, "difference", lambda self, file: read.append(file.name) or difference(self, file))
    path.parent.mkdir()
    path.write_bytes(CONTENT[::-1])
    assert hub_download(tmp_path, **expected).read_bytes() == CONTENT
    assert read == ["model.pt", "model.pt.part"]


def test_a_given_hash_overrides_the_hash_of_the_server(hub, tmp_path):
    with pytest.raises(DownloadError, match="corrupt"):
        hub_download(tmp_path, sha256="0" * 64)
    assert not (tmp_path / "models" / "model.pt").exists()


def test_offline_only_present_files_are_used(hub, tmp_path, monkeypatch, caplog):
    def offline(url):
        raise ConnectionError("offline mode is enabled")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", offline)
    path = tmp_path / "models" / "model.pt"
    with pytest.raises(DownloadError, match="offline") as error:
        hub_download(tmp_path)
    assert_nothing_at(path, error)

    path.parent.mkdir()
    path.write_bytes(CONTENT)
    assert hub_download(tmp_path, sha256=SHA256) == path
    assert not caplog.records
    assert hub_download(tmp_path) == path
    assert "was not verified" in caplog.text
    with pytest.raises(DownloadError, match="offline"):
        hub_download(tmp_path, sha256="0" * 64)
    assert path.read_bytes() == CONTENT
    assert hub.requests == []


def test_the_other_address_is_asked_when_the_hub_has_nothing(server, tmp_path, monkeypatch):
    missing = server.url.replace("model.pt", "missing")
    monkeypatch.setattr(huggingface_hub, "hf_hub_url", lambda repo_id, filename: missing)
    path = hub_download(tmp_path, address=server.url, sha256=SHA256)
    assert path.read_bytes() == CONTENT


def test_the_token_is_not_sent_to_the_host_of_a_redirect(monkeypatch, tmp_path):
    sent = []

    def urlopen(request, timeout):
        sent.append(request)
        raise OSError("enough")

    monkeypatch.setattr(module.urllib.request, "urlopen", urlopen)
    monkeypatch.setattr(huggingface_hub.utils, "build_hf_headers", lambda: {"authorization": "Bearer secret"})
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda url: SimpleNamespace(etag=None, size=None))
    with pytest.raises(DownloadError):
        hub_download(tmp_path)
    assert "Bearer secret" in sent[0].unredirected_hdrs.values()
    assert "Bearer secret" not in sent[0].headers.values()
