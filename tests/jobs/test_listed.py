"""Crawls of folders that are cut short, and go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import text

from ris_jobs import jobs
from ris_jobs.crawl.source import Limits, Source
from ris_jobs.jobs import Crawled, listed, places
from ris_jobs.progress import Advance, LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store import sources
from ris_jobs.store.postgres import open_engine
from tests.jobs.buckets import Bucket


class Killed(LogProgress):
    """Ends the crawl right after its first batch is in the tables."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        def advance(_: int) -> None:
            raise KeyboardInterrupt

        yield advance


@pytest.fixture
def place(tmp_path: Path, settings: Settings) -> Path:
    """Four files, and a source of them."""
    place = tmp_path / "in"
    place.mkdir()
    write(place, b"1", 4)
    with open_engine(settings) as engine:
        jobs.add_source(engine, Source(name="in", kind="directory", location=str(place)))
    return place


def write(place: Path, content: bytes, n: int) -> None:
    for i in range(n):
        (place / f"{i}.jpg").write_bytes(bytes([i]) + content * 9)


def crawl(settings: Settings) -> Crawled:
    return jobs.crawl_only(settings, ["in"], LogProgress())


def killed(settings: Settings) -> None:
    with pytest.raises(KeyboardInterrupt):
        jobs.crawl_only(settings, ["in"], Killed())


def ask(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with open_engine(settings) as engine, engine.connect() as db:
        return [tuple(r) for r in db.execute(text(query))]


def test_an_empty_mount_point_makes_nothing_gone_until_it_stays_so(
    settings: Settings, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def last() -> tuple[object, ...]:
        return ask(settings, "SELECT complete, why FROM ris.source_crawl ORDER BY crawl_id")[-1]

    crawl(settings)
    away = place.rename(place.parent / "away")
    place.mkdir()
    for _ in range(2):
        found = crawl(settings)
        assert (found.gone, found.missed) == (0, 4)
    assert last() == (False, "nothing was found where 4 images were: gone after 3 such crawls")
    assert "source in: nothing was found" in caplog.text
    # It was seen again: what was missed before counts no more.
    place.rmdir()
    away.rename(place)
    assert (crawl(settings).unchanged, last()) == (4, (True, "finished"))
    place.rename(away)
    place.mkdir()
    found = [crawl(settings) for _ in range(4)]
    assert [(f.gone, f.missed) for f in found] == [(0, 4), (0, 4), (4, 0), (0, 0)]
    assert last() == (True, "finished")


def test_a_folder_that_is_empty_when_an_interrupted_crawl_goes_on_makes_nothing_gone(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawl(settings)
    monkeypatch.setattr(listed, "_BATCH", 2)
    killed(settings)
    place.rename(place.parent / "away")
    place.mkdir()
    assert (found := crawl(settings)).gone == 0 and found.missed == 2


def test_what_changed_while_a_crawl_was_interrupted_is_seen_when_it_goes_on(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed, "_BATCH", 2)
    killed(settings)
    write(place, b"2", 1)
    went_on = crawl(settings)
    assert (went_on.new, went_on.changed, went_on.gone) == (2, 1, 0)
    assert ask(settings, "SELECT why FROM ris.source_crawl") == [("finished",)]
    assert crawl(settings).unchanged == 4


def test_what_a_limit_cut_out_of_a_batch_is_not_gone(settings: Settings, place: Path) -> None:
    crawl(settings)
    write(place, b"2", 4)
    with open_engine(settings) as engine:
        jobs.remove_source(engine, "in")
        source = Source(name="in", kind="directory", location=str(place))
        jobs.add_source(engine, replace(source, limits=Limits(images=2)))
    # As if it were killed before another transaction could close it.
    killed(settings)
    last = crawl(settings)
    assert (last.unchanged, last.changed, last.gone) == (2, 2, 0)
    ends = "SELECT complete, why FROM ris.source_crawl ORDER BY crawl_id"
    assert ask(settings, ends)[1:] == [(False, "limit of images"), (True, "finished")]


def test_a_file_larger_than_the_limit_of_bytes_stops_no_crawl_but_one(
    settings: Settings, place: Path
) -> None:
    (place / "0.jpg").write_bytes(b"0" * 100)
    source = Source(name="in", kind="directory", location=str(place), limits=Limits(bytes=20))
    with open_engine(settings) as engine:
        jobs.add_source(engine, source, replace=True)
    found = [crawl(settings) for _ in range(3)]
    assert [(f.new, f.unchanged) for f in found] == [(1, 0), (2, 1), (1, 3)]
    ends = ask(settings, "SELECT why FROM ris.source_crawl ORDER BY crawl_id")
    assert [why for (why,) in ends] == ["limit of bytes", "limit of bytes", "finished"]


def test_a_listing_or_reading_that_takes_too_long_ends_with_the_time_of_its_source(
    settings: Settings,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And nothing is gone; what was read is kept. The listing goes on for ever without an image."""
    crawl(settings)
    source = Source(name="in", kind="directory", location=str(place), limits=Limits(seconds=1))
    with open_engine(settings) as engine:
        jobs.add_source(engine, source, replace=True)
    walk, read = places._Folder.walk, places._Folder.observe
    released = Event()

    def endless(folder: places._Folder, *given: Any) -> Iterator[Any]:
        yield from [*walk(folder, *given)][:2]
        released.wait()

    monkeypatch.setattr(places._Folder, "walk", endless)
    began = time.monotonic()
    try:
        found = crawl(settings)
    finally:
        released.set()
    assert time.monotonic() - began < 60  # it would be for ever
    assert (found.incomplete, found.gone) == ({"in": "limit of seconds"}, 0)
    assert (found.seen, found.unchanged) == (2, 2)
    assert "source in: its listing alone takes longer than limits.seconds" in caplog.text

    def slow(*given: Any) -> Any:
        time.sleep(0.4)
        return read(*given)

    monkeypatch.setattr(places._Folder, "walk", walk)
    monkeypatch.setattr(places._Folder, "observe", slow)
    write(place, b"2", 16 * settings.threads)
    assert crawl(settings).incomplete == {"in": "limit of seconds"}
    monkeypatch.setattr(places._Folder, "observe", read)
    rows = "SELECT seen, new + changed, gone FROM ris.source_crawl ORDER BY crawl_id"
    (_, taken, gone) = ask(settings, rows)[-1]
    assert 0 < int(str(taken)) < 16 * settings.threads and gone == 0
    last = crawl(settings)
    assert last.new + last.changed + int(str(taken)) == 16 * settings.threads


def test_what_a_slow_listing_gives_in_time_is_read(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives two images, and then none for ever; a batch would have room for more."""
    source = Source(name="in", kind="directory", location=str(place), limits=Limits(seconds=4))
    with open_engine(settings) as engine:
        jobs.add_source(engine, source, replace=True)
    walk = places._Folder.walk
    released = Event()

    def slow(folder: places._Folder, *given: Any) -> Iterator[Any]:
        yield from [*walk(folder, *given)][:2]
        released.wait()

    monkeypatch.setattr(places._Folder, "walk", slow)
    try:
        found = crawl(settings)
    finally:
        released.set()
    assert (found.seen, found.new) == (2, 2)


def test_nothing_is_locked_while_images_are_read(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = (
        "SELECT count(*) FROM pg_locks WHERE relation = 'ris.fetch'::regclass AND mode LIKE 'Row%'"
    )
    seen = []
    read = places._Folder.observe

    def observe(folder: places._Folder, *given: Any) -> Any:
        seen.append(ask(settings, held))
        return read(folder, *given)

    monkeypatch.setattr(places._Folder, "observe", observe)
    assert crawl(settings).new == 4
    assert seen == [[(0,)]] * 4


@pytest.mark.parametrize(
    ("more", "seen", "gone", "ends"),
    [
        ({"tags": ("press",)}, 2, 0, ["finished"]),
        (
            {"include": ("*.jpg",)},
            4,
            0,
            ["interrupted, and then the source was changed", "finished"],
        ),
    ],
)
def test_an_interrupted_crawl_goes_on_only_if_it_is_of_the_same_images(
    settings: Settings,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, Any],
    seen: int,
    gone: int,
    ends: list[str],
) -> None:
    monkeypatch.setattr(listed, "_BATCH", 2)
    killed(settings)
    with open_engine(settings) as engine, engine.begin() as db:
        stored = sources.named(db, "in")
        sources.change(db, stored, replace(stored.source, **more), None)
    went_on = crawl(settings)
    assert (went_on.seen, went_on.gone) == (seen, gone)
    asked = ask(settings, "SELECT why FROM ris.source_crawl ORDER BY crawl_id")
    assert [why for (why,) in asked] == ends


def test_a_crawl_of_a_bucket_does_not_go_on_in_another(
    settings: Settings, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed, "_BATCH", 2)
    monkeypatch.setenv("KEYS", bucket.options)
    for name in ("z/y.jpg", "z/z.jpg", "a/a.jpg", "a/b.jpg", "a/c.jpg"):
        bucket.put(name, name.encode())
    there = f"s3://{bucket.name}"
    old = Source(name="in", kind="objects", location=f"{there}/z", credentials="env:KEYS")
    with open_engine(settings) as engine:
        jobs.add_source(engine, old)
    killed(settings)
    with open_engine(settings) as engine, engine.begin() as db:
        new = replace(old, location=f"{there}/a")
        sources.change(db, sources.named(db, "in"), new, None)
    went_on = crawl(settings)
    assert (went_on.new, went_on.gone) == (3, 0)
