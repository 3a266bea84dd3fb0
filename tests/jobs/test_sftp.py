"""Folders behind SSH: a real server, listed folder by folder."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ris_jobs import jobs
from ris_jobs.crawl.objects import Objects
from ris_jobs.crawl.source import Source
from ris_jobs.errors import SourceUnavailable
from ris_jobs.jobs import Crawled, listed, ssh
from ris_jobs.jobs.credentials import filesystem
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from tests.jobs import sftp

Crawl = Callable[[], Crawled]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sftp.Server]:
    """Known to the user who runs the tests."""
    (tmp_path / "served" / "pub").mkdir(parents=True)
    (tmp_path / ".ssh").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KEYS", json.dumps({"username": sftp.USER, "password": sftp.PASSWORD}))
    with sftp.serving(tmp_path / "served") as server:
        (tmp_path / ".ssh" / "known_hosts").write_text(server.known)
        yield server


@pytest.fixture
def source(server: sftp.Server) -> Source:
    place = f"sftp://127.0.0.1:{server.port}/pub"
    return Source(name="in", kind="objects", location=place, credentials="env:KEYS")


@pytest.fixture
def crawl(source: Source, settings: Settings) -> Crawl:
    with open_engine(settings) as engine:
        jobs.add_source(engine, source)
    return lambda: jobs.crawl_only(settings, ["in"], LogProgress())


def fill(server: sftp.Server, *names: str) -> None:
    for name in names:
        path = server.folder / "pub" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def there(settings: Settings) -> list[str]:
    query = "SELECT uri FROM ris.observation WHERE superseded_at IS NULL AND gone_at IS NULL"
    with open_engine(settings) as engine, engine.connect() as db:
        return sorted(uri.partition("/pub/")[2] for uri in db.scalars(text(query)))


def test_what_changed_is_read_by_many_threads(
    crawl: Crawl, server: sftp.Server, settings: Settings
) -> None:
    fill(server, *(f"{i % 7}/{i}.jpg" for i in range(200)), "ü b/100%.png", "notes.txt")
    first = crawl()
    assert (first.seen, first.new, first.failed) == (201, 201, 0)
    again = crawl()
    assert (again.unchanged, again.bytes) == (201, 0)
    (server.folder / "pub" / "3" / "3.jpg").write_bytes(b"other, and longer")
    (server.folder / "pub" / "4" / "4.jpg").unlink()
    third = crawl()
    assert (third.changed, third.gone, third.unchanged) == (1, 1, 199)


def test_links_are_left_out(crawl: Crawl, server: sftp.Server, settings: Settings) -> None:
    fill(server, "a/b.jpg")
    (server.folder / "pub" / "a" / "round").symlink_to(server.folder / "pub")
    (server.folder / "pub" / "c.jpg").symlink_to(server.folder / "pub" / "a" / "b.jpg")
    assert crawl().seen == 1
    assert there(settings) == ["a/b.jpg"]


@pytest.mark.parametrize("include", [(), ("*.jpg",)])
def test_what_is_in_a_folder_that_is_closed_now_is_not_gone(
    source: Source, server: sftp.Server, settings: Settings, include: tuple[str, ...]
) -> None:
    fill(server, "open/a.jpg", "closed/b.jpg", "closed.jpg", "left/out/c.jpg")
    one = Source(
        name="in",
        kind="objects",
        location=source.location,
        credentials="env:KEYS",
        include=include,
        exclude=("*/left/*",),
    )
    with open_engine(settings) as engine:
        jobs.add_source(engine, one)
    crawl = partial(jobs.crawl_only, settings, ["in"], LogProgress())
    assert crawl().seen == 3
    pub = server.folder / "pub"
    (pub / "closed").rename(pub / "aside")
    (pub / "closed" / "denied").mkdir(parents=True)
    (pub / "left" / "denied").mkdir()
    (pub / "closed.jpg").unlink()
    again = crawl()
    # b.jpg is elsewhere; what is below closed/denied cannot be told.
    assert (again.new, again.gone, again.failed) == (1, 2, 1)
    (pub / "closed" / "denied").rename(pub / "denied")
    (pub / "aside").rename(pub / "denied" / "x")
    last = crawl()
    assert (last.gone, last.failed) == (1, 1)
    assert there(settings) == ["open/a.jpg"]


def test_a_name_that_is_not_utf8_costs_its_folder_alone(
    crawl: Crawl, server: sftp.Server, settings: Settings
) -> None:
    fill(server, "a.jpg", "odd/b.jpg", "z/c.jpg")
    Path(server.folder, "pub", "odd", "\udcff.jpg").touch()
    assert crawl().failed == 1
    assert there(settings) == ["a.jpg", "z/c.jpg"]


def test_a_crawl_that_was_killed_goes_on_behind_the_last_name(
    crawl: Crawl, server: sftp.Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(server, "a-b/1.jpg", "a/2.jpg", "a/3/4.jpg", "a.jpg", "b/6.jpg")
    real = listed._Job.observe
    batches = itertools.count()

    def killed(job: listed._Job, *given: Any) -> Any:
        if next(batches) == 1:
            raise KeyboardInterrupt
        return real(job, *given)

    monkeypatch.setattr(listed, "_BATCH", 2)
    with monkeypatch.context() as patched:
        patched.setattr(listed._Job, "observe", killed)
        with pytest.raises(KeyboardInterrupt):
            crawl()
    assert there(settings) == ["a-b/1.jpg", "a.jpg"]
    (server.folder / "pub" / "a-b" / "denied").mkdir()  # is not looked at any more
    last = crawl()
    assert (last.seen, last.new, last.failed, last.gone) == (3, 3, 0, 0)


def test_a_server_that_stalls_costs_one_image(
    crawl: Crawl, server: sftp.Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "_SECONDS", 1.0)
    fill(server, "a.jpg", "stalls.jpg")
    assert (found := crawl()).failed == 1 and found.new == 1
    assert there(settings) == ["a.jpg"]


def test_a_place_that_is_not_there_is_not_an_empty_one(
    crawl: Crawl, server: sftp.Server, settings: Settings
) -> None:
    fill(server, "a.jpg")
    crawl()
    (server.folder / "pub").rename(server.folder / "moved")
    with pytest.raises(SourceUnavailable, match="there is nothing at sftp://127"):
        crawl()
    assert there(settings) == ["a.jpg"]


def test_a_server_with_another_key_gets_no_password(
    source: Source, server: sftp.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = tmp_path / ".ssh" / "known_hosts"
    for known in ("", sftp.paramiko.ECDSAKey.generate().get_base64()):
        line = f"[127.0.0.1]:{server.port} ecdsa-sha2-nistp256 {known}\n" if known else ""
        hosts.write_text(line)
        with pytest.raises(SourceUnavailable, match=r"not in ~/\.ssh/known_hosts"):
            filesystem(source)
    options = {"username": sftp.USER, "password": "wrong", "host_key_policy": "auto_add"}
    monkeypatch.setenv("KEYS", json.dumps(options))
    with pytest.raises(SourceUnavailable, match="Authentication failed"):
        filesystem(source)


def test_a_listing_goes_on_behind_any_name(source: Source, server: sftp.Server) -> None:
    fill(server, "a-b/1.jpg", "a/2.jpg", "a/3/4.jpg", "a/30.jpg", "a0/5.jpg", "a.jpg", "b/6.jpg")
    place = Objects(filesystem(source), "in", source.location, 100)
    uris = [x.uri for x in place.walk()]
    assert len(uris) == 7 and uris == sorted(uris)
    for i, uri in enumerate(uris):
        assert [x.uri for x in place.walk(uri)] == uris[i + 1 :]
