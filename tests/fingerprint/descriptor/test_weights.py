"""Weights: pinned, found, fetched once over https, and clear words when they are not to be had."""

from __future__ import annotations

import hashlib
import http.server
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ris_jobs.errors import ModelUnavailable, WeightsMismatch
from ris_jobs.fingerprint.descriptor import ModelSpec, load, spec, weights

CERTIFICATE = Path(__file__).with_name("localhost.pem")
CONTENT = bytes(range(256)) * 9000  # more than one chunk


@dataclass
class Server:
    url: str
    paths: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An https server on this machine that is trusted; what it answers is up to the test."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            status, headers, body = found.paths[self.path]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        found = Server(f"https://localhost:{listener.server_port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        monkeypatch.setenv("no_proxy", "localhost")
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        yield found
        listener.shutdown()
        thread.join()


@pytest.fixture
def remote(server: Server) -> ModelSpec:
    server.paths["/weights"] = (200, {}, CONTENT)
    pin = hashlib.sha256(CONTENT).hexdigest()
    return replace(spec("resnet50"), file="w.pth", sha256=pin, url=f"{server.url}/weights")


def test_packaged_weights_need_no_folder() -> None:
    assert len(weights.read(spec("builtin"), None)) > 1_000_000


def test_found_in_the_folder(tiny: ModelSpec, tmp_path: Path) -> None:
    assert weights.read(tiny, tmp_path) == (tmp_path / tiny.file).read_bytes()


def test_one_changed_byte_is_refused(tiny: ModelSpec, tmp_path: Path) -> None:
    content = bytearray((tmp_path / tiny.file).read_bytes())
    content[-1] ^= 1
    (tmp_path / tiny.file).write_bytes(content)
    with pytest.raises(WeightsMismatch) as caught:
        weights.read(tiny, tmp_path)
    assert caught.value.expected == tiny.sha256
    assert caught.value.actual == hashlib.sha256(content).hexdigest()
    assert caught.value.path == tmp_path / tiny.file


def test_a_program_of_other_bytes_is_never_opened(tmp_path: Path) -> None:
    """The SSCD file is TorchScript: it must be refused before torch sees it."""
    (tmp_path / spec("sscd").file).write_bytes(b"not the published file")
    with pytest.raises(WeightsMismatch):
        load("sscd", tmp_path)


@pytest.mark.parametrize("name", ["resnet50", "sscd"])
def test_without_a_folder_the_error_says_what_to_do(name: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        load(name, None)
    words = str(caught.value)
    assert spec(name).file in words and "RIS_WEIGHTS_DIR" in words and "RIS_MODEL=builtin" in words


def test_no_network_fails_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    unreachable = replace(spec("resnet50"), url="https://127.0.0.1:9/resnet50.pth")
    began = time.monotonic()
    with pytest.raises(ModelUnavailable) as caught:
        weights.read(unreachable, tmp_path)
    assert time.monotonic() - began < 5
    assert str(tmp_path) in str(caught.value) and "RIS_MODEL=builtin" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_fetched_once(
    remote: ModelSpec, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "folder"
    assert weights.read(remote, folder) == CONTENT
    assert weights.read(remote, folder) == CONTENT
    assert server.asked == ["/weights"]
    assert [path.name for path in folder.iterdir()] == ["w.pth"]
    assert "fetching resnet50 weights: 2 of 2 MB" in capsys.readouterr().err


def test_a_wrong_download_is_not_kept(remote: ModelSpec, server: Server, tmp_path: Path) -> None:
    server.paths["/weights"] = (200, {}, CONTENT[:-1] + b"?")
    with pytest.raises(ModelUnavailable, match=f"expected {remote.sha256}"):
        weights.read(remote, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_error_page_is_not_kept(remote: ModelSpec, server: Server, tmp_path: Path) -> None:
    server.paths["/weights"] = (404, {}, b"gone")
    with pytest.raises(ModelUnavailable, match="Not Found"):
        weights.read(remote, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_redirects_stay_on_https(remote: ModelSpec, server: Server, tmp_path: Path) -> None:
    server.paths["/weights"] = (302, {"Location": f"{server.url}/moved"}, b"")
    server.paths["/moved"] = (200, {}, CONTENT)
    assert weights.read(remote, tmp_path / "a") == CONTENT
    server.paths["/weights"] = (302, {"Location": "http://127.0.0.1:9/plain"}, b"")
    with pytest.raises(ModelUnavailable, match="not https"):
        weights.read(remote, tmp_path / "b")


def test_plain_http_is_refused(remote: ModelSpec, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="not https"):
        weights.read(replace(remote, url="http://localhost/weights"), tmp_path)


def test_a_folder_that_cannot_be_made_is_named(remote: ModelSpec, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelUnavailable, match="cannot be fetched"):
        weights.read(remote, tmp_path / "file" / "folder")
