"""Object stores: real S3 requests, and only those that are needed."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, cast

import pytest
from sqlalchemy import text

from ris_jobs import jobs
from ris_jobs.crawl import Going, names, objects
from ris_jobs.crawl.source import Limits, Source
from ris_jobs.errors import ConfigError, SourceUnavailable
from ris_jobs.jobs import Crawled, ahead, listed, lists
from ris_jobs.jobs.clock import Clock
from ris_jobs.jobs.credentials import filesystem
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from tests.jobs.buckets import Bucket
from tests.jobs.conftest import Scan
from tests.jobs.test_ahead import ended

Crawl = Callable[[], Crawled]


@pytest.fixture
def source(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setenv("KEYS", bucket.options)
    return Source(
        name="in",
        kind="objects",
        location=f"s3://{bucket.name}/a folder/",
        credentials="env:KEYS",
        tags=("stock", "2026"),
    )


@pytest.fixture
def crawl(source: Source, settings: Settings) -> Crawl:
    with open_engine(settings) as engine:
        jobs.add_source(engine, source)
    return lambda: jobs.crawl_only(settings, ["in"], LogProgress())


def counts(crawled: Crawled) -> dict[str, int]:
    names = ("seen", "new", "changed", "unchanged", "gone", "failed")
    return {name: n for name in names if (n := getattr(crawled, name))}


def ask(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with open_engine(settings) as engine, engine.connect() as db:
        return [tuple(r) for r in db.execute(text(query))]


def test_only_what_has_another_etag_or_size_is_read(
    crawl: Crawl, bucket: Bucket, settings: Settings
) -> None:
    names = ["a folder/a.jpg", "a folder/ü b/100%.png", "a folder/c?#.gif"]
    for name in names:
        bucket.put(name, name.encode())
    bucket.put("a folder/notes.txt", b"no image")
    bucket.put("another/d.jpg", b"not in the folder")
    assert counts(crawl()) == {"seen": 3, "new": 3}
    (read,) = ask(settings, "SELECT sum(bytes) FROM ris.source_crawl")
    assert read[0] == sum(len(name.encode()) for name in names)
    assert counts(crawl()) == {"seen": 3, "unchanged": 3}
    assert ask(settings, "SELECT bytes FROM ris.source_crawl ORDER BY crawl_id")[1] == (0,)
    # Of the same size; the ETag tells.
    bucket.put(names[0], names[0].upper().encode())
    bucket.delete(names[1])
    assert counts(crawl()) == {"seen": 2, "changed": 1, "unchanged": 1, "gone": 1}
    bucket.put(names[1], names[1].encode())
    assert counts(crawl()) == {"seen": 3, "changed": 1, "unchanged": 2}
    root = f"s3://{bucket.name}/a%20folder"
    uris = [f"{root}/{n}" for n in ("%C3%BC%20b/100%25.png", "a.jpg", "c%3F%23.gif")]
    current = "SELECT uri FROM ris.observation WHERE superseded_at IS NULL ORDER BY uri"
    assert [u for (u,) in ask(settings, current)] == uris
    events = f"SELECT event FROM ris.uri_event WHERE uri = '{uris[0]}' ORDER BY at"
    assert [e for (e,) in ask(settings, events)] == ["appeared", "gone", "returned"]


def test_an_emptied_prefix_makes_nothing_gone_until_it_stays_so(
    crawl: Crawl, bucket: Bucket
) -> None:
    bucket.put("a folder/a.jpg", b"a")
    crawl()
    bucket.delete("a folder/a.jpg")
    found = [crawl() for _ in range(3)]
    assert [(f.gone, f.missed) for f in found] == [(0, 1), (0, 1), (1, 0)]


def test_a_connection_of_airflow_opens_a_store(
    bucket: Bucket, source: Source, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = json.loads(bucket.options)
    values = {
        "conn_type": "aws",
        "login": keys["key"],
        "password": keys["secret"],
        "extra": {"endpoint_url": keys["endpoint_url"], "region_name": "us-east-1"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_STOCK_BUCKET", json.dumps(values))
    monkeypatch.delenv("KEYS")
    with open_engine(settings) as engine:
        jobs.add_source(engine, replace(source, credentials="airflow:stock_bucket"))
    for i in range(3):
        bucket.put(f"a folder/{i}.jpg", bytes([i]) * 10)
    assert counts(jobs.crawl_only(settings, ["in"], LogProgress())) == {"seen": 3, "new": 3}
    bucket.put("a folder/1.jpg", b"other")
    again = jobs.crawl_only(settings, ["in"], LogProgress())
    assert counts(again) == {"seen": 3, "changed": 1, "unchanged": 2}
    run_id = jobs.begin(settings)
    jobs.step("fingerprint", settings, run_id, LogProgress())
    # Read once more, by the same connection: they are no pictures.
    assert ask(settings, "SELECT count(*) FROM ris.image WHERE reason = 'not-an-image'") == [(3,)]


def test_a_scan_finds_in_a_bucket_what_it_finds_in_a_folder(
    scan: Scan, crawl: Crawl, bucket: Bucket, folder: Path, settings: Settings
) -> None:
    for file in folder.rglob("*.jpg"):
        bucket.put(f"a folder/{file.relative_to(folder)}", file.read_bytes())
    crawl()
    summary = scan("in", folder)  # type: ignore[arg-type]  # a source's name is a root, too
    assert summary.fingerprinted == 3
    assert {name: count.total for name, count in summary.matches.items()} == {
        "identical": 5,
        "thumbnail": 1,
    }
    tags = "SELECT DISTINCT source, tags FROM ris.uri_source ORDER BY source"
    assert ask(settings, tags) == [("in", ["stock", "2026"]), ("photos", [])]


def test_a_listing_goes_on_behind_any_name(
    source: Source, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "_PAGE", 3)
    for i in range(10):
        bucket.put(f"a folder/{i:02}.jpg", b"x")
    place = objects.Objects(filesystem(source), "in", source.location, 100)
    uris = [x.uri for x in place.walk()]
    assert len(uris) == 10
    for i, uri in enumerate(uris):
        assert [x.uri for x in place.walk(uri)] == uris[i + 1 :]


def test_other_file_systems_are_listed_in_order_too(source: Source) -> None:
    import fsspec

    fs = fsspec.filesystem("memory")
    for i in (3, 1, 2):
        fs.pipe_file(f"/in/{i}.jpg", b"x" * i)
    place = objects.Objects(fs, "in", "memory://in", 2)
    listed = list(place.walk())
    assert [x.uri for x in listed] == [f"memory://in/{i}.jpg" for i in (1, 2, 3)]
    assert [x.uri for x in place.walk(listed[0].uri)] == [x.uri for x in listed[1:]]
    assert place.read(listed[1].uri) == b"xx"
    now = listed[0].modified_at
    assert now is not None
    seen = [place.observe(x, now) for x in listed]  # type: ignore[arg-type]  # objects, as it lists them
    assert [getattr(s, "sha256", None) is not None for s in seen] == [True, True, False]


def test_what_cannot_be_read_keeps_what_it_showed_and_waits(
    crawl: Crawl, bucket: Bucket, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a folder/a.jpg", b"before")
    crawl()
    bucket.put("a folder/a.jpg", b"after")

    def broken(*_: object) -> bytes:
        raise OSError("the disk of the server is on fire")

    with monkeypatch.context() as patched:
        patched.setattr(objects.Objects, "_bytes", broken)
        assert counts(crawl()) == {"seen": 1, "failed": 1}
    state = "SELECT attempts, reason, detail, next_try_at - tried_at > '59 min' FROM ris.fetch"
    ((attempts, reason, detail, waits),) = ask(settings, state)
    assert (attempts, reason, waits) == (1, "unreadable", True)
    assert "on fire" in str(detail)
    # It has its time to wait, and is not taken for gone.
    assert counts(crawl()) == {"seen": 1}
    shown = "SELECT byte_size, gone_at FROM ris.observation"
    assert ask(settings, shown) == [(6, None)]
    with open_engine(settings) as engine:
        assert jobs.retry_source(engine, "in") == 1
    assert counts(crawl()) == {"seen": 1, "changed": 1}
    assert ask(settings, "SELECT * FROM ris.fetch") == []


def test_patterns_choose_and_do_not_make_gone(
    crawl: Crawl, bucket: Bucket, source: Source, settings: Settings
) -> None:
    for name in ("keep/a.jpg", "keep/blob", "drop/b.jpg"):
        bucket.put(f"a folder/{name}", name.encode())
    assert counts(crawl()) == {"seen": 2, "new": 2}
    narrow = replace(source, name="in2", include=("*/keep/*",), exclude=("*/a.jpg",))
    with open_engine(settings) as engine:
        jobs.remove_source(engine, "in")
        jobs.add_source(engine, narrow)
    again = jobs.crawl_only(settings, ["in2"], LogProgress())
    assert counts(again) == {"seen": 1, "new": 1}


def test_two_sources_of_one_bucket_leave_what_the_other_alone_takes(
    crawl: Crawl, bucket: Bucket, source: Source, settings: Settings
) -> None:
    for name in ("a.jpg", "blob"):
        bucket.put(f"a folder/{name}", name.encode())
    with open_engine(settings) as engine:
        jobs.add_source(engine, replace(source, name="all", include=("*",)))
    assert counts(jobs.crawl_only(settings, ["all"], LogProgress())) == {"seen": 2, "new": 2}
    assert counts(crawl()) == {"seen": 1, "unchanged": 1}
    assert counts(jobs.crawl_only(settings, ["all"], LogProgress())) == {"seen": 2, "unchanged": 2}
    bucket.delete("a folder/blob")
    assert counts(jobs.crawl_only(settings, ["all"], LogProgress()))["gone"] == 1


def test_a_list_in_a_store_has_a_limit_of_bytes(
    bucket: Bucket, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("list.csv", b"url\nhttps://example.com/a.jpg\n")
    listing = replace(source, kind="urls", location=f"s3://{bucket.name}/list.csv")
    given = (listing, "me@example.org", None, tmp_path, tmp_path / "out", Clock(None))
    assert lists.write_list(*given) == ([], 0)
    assert "https://example.com/a.jpg" in (tmp_path / "out").read_text()
    monkeypatch.setattr(lists, "_MAX_BYTES", 10)
    with pytest.raises(SourceUnavailable, match="its list has more than 10 bytes"):
        lists.write_list(*given)
    with pytest.raises(SourceUnavailable, match=r"its list was not read within 0\.5 s"):
        late = replace(listing, limits=Limits(seconds=0.5))
        lists.write_list(late, *given[1:-1], Clock(0))


def test_a_limit_ends_a_crawl_and_the_next_goes_further(
    crawl: Crawl, bucket: Bucket, source: Source, settings: Settings
) -> None:
    for i in range(5):
        bucket.put(f"a folder/{i}.jpg", bytes([i]) * 10)
    with open_engine(settings) as engine:
        jobs.add_source(engine, replace(source, name="slow", limits=Limits(bytes=20)))
    names = ["slow"]
    assert [jobs.crawl_only(settings, names, LogProgress()).new for _ in range(4)] == [2, 2, 1, 0]
    ends = "SELECT complete, why FROM ris.source_crawl ORDER BY crawl_id"
    limited = (False, "limit of bytes")
    assert ask(settings, ends) == [limited, limited, (True, "finished"), (True, "finished")]


class Ending(Clock):
    """Its time is over once that is said."""

    ended = False

    def left(self) -> float | None:
        return 0.0 if self.ended else super().left()


def test_a_listing_without_images_ends_with_its_crawl(
    bucket: Bucket, source: Source, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second page comes when the time of the crawl is over, and no third one is asked for."""
    monkeypatch.setattr(names, "_PAGE", 1)
    for i in range(9):
        bucket.put(f"a folder/{i}.txt", b"x")
    with open_engine(settings) as engine:
        jobs.add_source(engine, replace(source, limits=Limits(seconds=0.5)))
    asked, released = itertools.count(), Event()
    real = names._entry

    def slow(*given: Any) -> names.Entry:
        if next(asked) == 1:
            released.wait()
        return real(*given)

    monkeypatch.setattr(names, "_entry", slow)
    found = jobs.crawl_only(settings, ["in"], LogProgress())
    released.set()
    assert found.incomplete == {"in": "limit of seconds"}
    assert ended() and next(asked) <= 2


@pytest.fixture
def limit(
    crawl: Crawl,
    bucket: Bucket,
    source: Source,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., None]]:
    """Six images that were crawled once. From now on the listing gives two names each night, and
    then the time is over; calling this changes the source."""
    for i in range(6):
        bucket.put(f"a folder/{i}.jpg", bytes([i]) * 10)
    crawl()
    walk, released = objects.Objects.walk, Event()
    clocks: list[Ending] = []

    def slow(place: objects.Objects, *given: Any) -> Iterator[Any]:
        left = [*walk(place, *given)]
        yield from left[:2]
        if left[2:]:
            clocks[-1].ended = True
            released.wait()

    def clock(seconds: float | None) -> Clock:
        clocks.append(Ending(seconds))
        return clocks[-1]

    def limit(**more: Any) -> None:
        with open_engine(settings) as engine:
            limited = replace(source, limits=Limits(seconds=3600), **more)
            jobs.add_source(engine, limited, replace=True)

    limit()
    monkeypatch.setattr(objects.Objects, "walk", slow)
    monkeypatch.setattr(listed, "Clock", clock)
    monkeypatch.setattr(ahead, "_SECONDS", 1)
    yield limit
    released.set()


@pytest.mark.parametrize("changed", [False, True])
def test_a_listing_that_its_time_ends_is_gone_on_with(
    crawl: Crawl, bucket: Bucket, settings: Settings, limit: Callable[..., None], changed: bool
) -> None:
    """What is gone, the last part tells; a source of other images is listed from its
    beginning."""
    bucket.delete("a folder/1.jpg")
    nights = [counts(crawl())]
    if changed:
        limit(include=("*.jpg",))
    nights += [counts(crawl()), counts(crawl())]
    two = {"seen": 2, "unchanged": 2}
    last = two if changed else {"seen": 1, "unchanged": 1, "gone": 1}
    assert nights == [two, two, last]
    began = "SELECT done_since = began_at FROM ris.source_crawl ORDER BY crawl_id"
    assert [same for (same,) in ask(settings, began)] == [True, True, changed, False]


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize(
    ("left", "nights"),
    [(0, [(0, 4), (0, 6), (4, 2), (2, 0)]), (1, [(4, 0), (1, 0)])],
)
def test_what_is_left_before_a_marker_says_whether_nothing_behind_it_is_to_be_believed(
    crawl: Crawl, bucket: Bucket, left: int, nights: list[tuple[int, int]]
) -> None:
    """A prefix that was emptied after its first two names were listed counts as missed, as one that
    was emptied before; one that still has its first is a smaller one."""
    assert counts(crawl()) == {"seen": 2, "unchanged": 2}
    for i in range(left, 6):
        bucket.delete(f"a folder/{i}.jpg")
    found = [crawl() for _ in nights]
    assert [(f.gone, f.missed) for f in found] == nights


@pytest.mark.usefixtures("limit")
def test_a_look_back_that_has_no_time_tells_nothing(
    crawl: Crawl, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    assert counts(crawl()) == {"seen": 2, "unchanged": 2}
    for i in range(2, 6):
        bucket.delete(f"a folder/{i}.jpg")

    def endless(job: listed._Job, going: Going) -> Iterator[Any]:
        cast(Ending, job._clock).ended = True
        while going():
            time.sleep(0.01)
        yield from ()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(listed._Job, "_images", endless)
        found = crawl()
    assert (found.incomplete, found.gone, found.missed) == ({"in": "limit of seconds"}, 0, 0)
    assert "its listing alone takes longer than limits.seconds" in caplog.text
    assert crawl().gone == 4


def test_a_store_that_cannot_be_had_is_said_without_its_secret(
    source: Source, settings: Settings, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = LogProgress()
    with open_engine(settings) as engine:
        jobs.add_source(engine, replace(source, location=f"s3://{bucket.name}-not-there/x"))
        jobs.add_source(engine, replace(source, name="no-key", credentials="env:NOT_SET"))
        jobs.add_source(engine, replace(source, name="hook", credentials="airflow:none"))
    with pytest.raises(SourceUnavailable, match="source 'in' cannot be crawled"):
        jobs.crawl_only(settings, ["in"], progress)
    with pytest.raises(ConfigError, match="NOT_SET is not set"):
        jobs.crawl_only(settings, ["no-key"], progress)
    with pytest.raises(SourceUnavailable, match="source 'hook' cannot be crawled"):
        jobs.crawl_only(settings, ["hook"], progress)
    monkeypatch.setenv("KEYS", '["secret-word"]')
    with pytest.raises(ConfigError, match="must hold a JSON object") as caught:
        jobs.crawl_only(settings, ["in"], progress)
    assert "secret-word" not in str(caught.value)


def test_a_crawl_goes_on_for_three_days_and_then_begins_anew(
    crawl: Crawl, bucket: Bucket, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(4):
        bucket.put(f"a folder/{i}.jpg", bytes([i]) * 10)

    monkeypatch.setattr(listed, "_BATCH", 2)
    real = listed._Job.observe
    calls = itertools.count()

    def interrupted(job: listed._Job, *given: Any) -> Any:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return real(job, *given)

    for age, new in (("71 hours", 2), ("73 hours", 0)):
        calls = itertools.count()
        with monkeypatch.context() as patched:
            patched.setattr(listed._Job, "observe", interrupted)
            with pytest.raises(KeyboardInterrupt):
                crawl()
        older = f"began_at - interval '{age}'"
        with open_engine(settings) as engine, engine.begin() as db:
            db.execute(
                text(
                    f"UPDATE ris.source_crawl SET began_at = {older}, done_since = {older} "
                    "WHERE ended_at IS NULL"
                )
            )
        assert crawl().new == new
    ends = "SELECT why, seen, new FROM ris.source_crawl ORDER BY crawl_id"
    assert ask(settings, ends) == [("finished", 4, 4), ("interrupted", 2, 0), ("finished", 4, 0)]


def test_runs_that_overlap_wait_for_each_other(crawl: Crawl) -> None:
    """Two crawls of one source are never open at once."""
    from threading import Thread

    results: list[Crawled] = []
    threads = [Thread(target=lambda: results.append(crawl())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 3
