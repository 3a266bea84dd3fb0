"""Walking real folders: odd names, odd entries, files that change under our eyes."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.crawl import Listing, Observation
from ris_jobs.crawl.directory import observe, path_of, read, uri_of, walk
from ris_jobs.errors import ImageRejected, Reason

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


def listings(root: Path) -> list[Listing]:
    found = list(walk(root, now=NOW))
    assert all(isinstance(entry, Listing) for entry in found), found
    return [entry for entry in found if isinstance(entry, Listing)]


def names(root: Path) -> list[str]:
    return [os.fspath(path_of(entry.uri).relative_to(root)) for entry in listings(root)]


def only(root: Path) -> Listing:
    (entry,) = listings(root)
    return entry


path_bytes = st.lists(
    st.binary(min_size=1, max_size=20).filter(
        lambda b: not set(b) & {0, 0x2F} and b not in (b".", b"..")
    ),
    min_size=1,
    max_size=4,
)


@given(path_bytes)
def test_uri_and_path_are_inverse_for_any_bytes(parts: list[bytes]) -> None:
    path = Path("/", *map(os.fsdecode, parts))
    uri = uri_of(path)
    assert uri.isascii() and uri.isprintable() and not set(uri) & set(" \"'<>\\")
    assert os.fsencode(path_of(uri)) == os.fsencode(path)


def test_uri_is_the_usual_one_for_usual_names() -> None:
    path = Path("/data/a photo ü.jpg")
    assert uri_of(path) == path.as_uri()


@pytest.mark.parametrize("uri", ["http://host/x.jpg", "file://host/x.jpg", "/x.jpg", "file:///%00"])
def test_other_uris_have_no_path(uri: str) -> None:
    with pytest.raises(ValueError, match="not the file:// URI"):
        path_of(uri)


def test_candidates_by_name_or_by_content_in_raw_order(tmp_path: Path) -> None:
    for name in ("b/photo.JPG", "b/scan.tiff", "a/x.jpg/inner.webp", "z.heic"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"text, and quarantined later")
    (tmp_path / "b/really-png.txt").write_bytes(PNG)
    (tmp_path / "b/no-suffix").write_bytes(PNG)
    (tmp_path / "notes.txt").write_bytes(b"no image")
    (tmp_path / "empty").write_bytes(b"")
    assert names(tmp_path) == [
        "a/x.jpg/inner.webp",
        "b/no-suffix",
        "b/photo.JPG",
        "b/really-png.txt",
        "b/scan.tiff",
        "z.heic",
    ]
    assert list(walk(tmp_path, now=NOW)) == list(walk(tmp_path, now=NOW))


def test_hidden_names_are_left_out_but_not_a_hidden_root(tmp_path: Path) -> None:
    root = tmp_path / ".root"
    (root / ".thumbnails").mkdir(parents=True)
    for name in (".hidden.png", ".thumbnails/t.png", "seen.png"):
        (root / name).write_bytes(PNG)
    assert names(root) == ["seen.png"]


@pytest.mark.parametrize("name", [b"new\nline.png", b"quo'\"te.png", b"\xff\xfe.png", b" .png"])
def test_odd_names_are_found_and_read(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).write_bytes(PNG)
    seen = observe(only(tmp_path), NOW)
    assert seen.sha256 == hashlib.sha256(PNG).hexdigest()
    assert read(seen.uri, 1000) == PNG


def test_links_are_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(PNG)
    (root / "sub").mkdir(parents=True)
    (root / "real.png").write_bytes(PNG)
    (root / "again.png").symlink_to("real.png")
    (root / "out.png").symlink_to(outside / "secret.png")
    (root / "out").symlink_to(outside)
    (root / "sub/up").symlink_to(root)
    (root / "circle.png").symlink_to("circle.png")
    (root / "broken.png").symlink_to("nowhere")
    assert names(root) == ["real.png"]


def test_the_root_itself_may_be_a_link_or_one_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    file = tmp_path / "real/any.name"
    file.write_bytes(b"whatever it is")
    (tmp_path / "real/p.png").write_bytes(PNG)
    (tmp_path / "link").symlink_to("real")
    assert names(tmp_path / "link") == ["p.png"]
    assert [e.uri for e in listings(tmp_path / "link/any.name")] == [
        uri_of(tmp_path / "link/any.name").replace("link", "real")
    ]
    assert only(tmp_path / "real/../real/p.png").uri == uri_of(tmp_path / "real/p.png")


def test_a_root_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(walk(tmp_path / "nowhere"))


def test_special_files_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.png")
        assert listings(tmp_path) == []


def test_a_pipe_that_replaced_a_listed_file_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(PNG)
    entry = only(tmp_path)
    path.unlink()
    os.mkfifo(path)
    assert observe(entry, NOW).reason is Reason.UNREADABLE
    with pytest.raises(ImageRejected, match="not a regular file"):
        read(entry.uri, 100)


def test_a_link_that_replaced_a_listed_file_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(PNG)
    entry = only(tmp_path)
    path.unlink()
    path.symlink_to("/etc/hostname")
    assert observe(entry, NOW).reason is Reason.UNREADABLE


def test_empty_and_vanished(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"")
    entry = only(tmp_path)
    assert observe(entry, NOW) == Observation(
        entry.uri,
        NOW,
        entry.version,
        0,
        entry.modified_at,
        reason=Reason.EMPTY,
        detail="the file has no bytes",
    )
    path.unlink()
    gone = observe(entry, NOW)
    assert (gone.reason, gone.version) == (Reason.VANISHED, entry.version)
    with pytest.raises(ImageRejected) as caught:
        read(entry.uri, 100)
    assert caught.value.reason is Reason.VANISHED


def test_a_file_larger_than_the_limit_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "x.png").open("wb") as file:
        file.truncate(1 << 40)  # sparse: reading it all would take the machine's memory
    with pytest.raises(ImageRejected) as caught:
        read(uri_of(tmp_path / "x.png"), 10_000)
    assert caught.value.reason is Reason.TOO_LARGE


def test_version_changes_with_the_bytes_even_if_the_times_are_put_back(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(PNG)
    before, times = only(tmp_path), path.stat()
    assert only(tmp_path).version == before.version
    path.write_bytes(PNG[::-1])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = only(tmp_path)
    assert (after.size, after.modified_at) == (before.size, before.modified_at)
    assert after.version != before.version
    assert observe(before, NOW).version == after.version


def test_a_file_written_to_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(PNG)
    entry = only(tmp_path)
    script = 'while :; do printf x >> "$0"; done'
    with subprocess.Popen(["/bin/sh", "-c", script, path]) as writer:
        try:
            while path.stat().st_size < 3_000:
                pass
            with path.open("r+b") as file:
                file.truncate(100 << 20)  # long enough to read that a write falls into it
            seen = observe(entry, NOW)
        finally:
            writer.kill()
    assert (seen.reason, seen.sha256) == (Reason.CHANGED, None)


def test_a_time_that_no_calendar_holds(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(PNG)
    os.utime(path, (0, 1 << 38))
    assert only(tmp_path).modified_at is None or path.stat().st_mtime < 1 << 38


def test_a_walk_that_is_to_go_on_no_more_looks_no_further(tmp_path: Path) -> None:
    for i in range(5):
        (tmp_path / f"{i}").mkdir()
        (tmp_path / f"{i}" / "x.jpg").touch()
    going = iter([True] * 4 + [False])  # the root, a folder, its file, a folder
    assert len(list(walk(tmp_path, now=NOW, going=going.__next__))) == 1


def test_a_very_deep_tree_is_walked_or_said_to_be_too_deep(tmp_path: Path) -> None:
    deep = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1100):  # deeper than the recursion limit, and than a path may be long
        os.mkdir("dddd", dir_fd=deep)
        deeper = os.open("dddd", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.close(deep)
    (end,) = walk(tmp_path, now=NOW)
    assert isinstance(end, Observation) and end.reason is Reason.UNREADABLE
    subprocess.run(["rm", "-rf", tmp_path / "dddd"], check=True)


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder that anyone may enter, and not being root, who may read everything."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
        os.seteuid(os.getuid())


def test_what_may_not_be_read_is_said(as_nobody: Path) -> None:
    (as_nobody / "closed").mkdir(mode=0)
    (as_nobody / "x.png").write_bytes(PNG)
    (as_nobody / "x.png").chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
    failed, listed = walk(as_nobody, now=NOW)
    assert isinstance(failed, Observation) and isinstance(listed, Listing)
    assert (failed.uri, failed.reason) == (uri_of(as_nobody / "closed"), Reason.UNREADABLE)
    seen = observe(listed, NOW)
    assert (seen.reason, seen.detail) == (Reason.UNREADABLE, "there is no permission to read it")
