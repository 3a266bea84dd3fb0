"""The web into the ledger, against a real site whose own log is the truth."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from rich.console import Console
from sqlalchemy import Engine, text

from ris_jobs import jobs
from ris_jobs.crawl.source import Source
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.errors import ConfigError, SourceUnavailable
from ris_jobs.jobs import Crawled
from ris_jobs.progress import LogProgress
from ris_jobs.report.sources import crawled
from ris_jobs.report.timeline import timeline
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from tests.crawl.web.site import Answer, Page, Site, image, img, page, served

CONTACT = "https://example.org/crawler"
NAMES = ("seen", "new", "changed", "unchanged", "gone", "missed", "refused", "failed")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, contact=CONTACT)


@pytest.fixture
def site() -> Iterator[Site]:
    with served({}) as site:
        yield site


def add(settings: Settings, source: Source) -> None:
    with open_engine(settings) as engine:
        jobs.add_source(engine, source)


def crawl(settings: Settings, name: str = "site") -> Crawled:
    """A night: what had to wait has waited."""
    with open_engine(settings) as engine, engine.begin() as db:
        db.execute(text("UPDATE ris.fetch SET next_try_at = now() WHERE next_try_at IS NOT NULL"))
    return jobs.crawl_only(settings, [name], LogProgress())


def counts(crawled: Crawled) -> dict[str, int]:
    return {name: n for name in NAMES if (n := getattr(crawled, name))}


def ask(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with open_engine(settings) as engine, engine.connect() as db:
        return [tuple(r) for r in db.execute(text(query))]


def fingerprint(settings: Settings) -> None:
    run_id = jobs.begin(settings)
    jobs.step("fingerprint", settings, run_id, LogProgress())


def kept(settings: Settings) -> list[Path]:
    return sorted((settings.home / "fetched").glob("*/*"))


def a_site(pictures: int) -> dict[str, Page]:
    """Pages of ten pictures each, every second of which has an ETag, the others a date."""
    pages: dict[str, Page] = {}
    for i in range(pictures):
        known = {"ETag": f'"{i}"'} if i % 2 else {"Last_Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
        pages[f"/{i}.png"] = image(i, **known)
    firsts = range(0, pictures, 10)
    for first in firsts:
        shown = img(*(f"/{i}.png" for i in range(first, min(first + 10, pictures))))
        pages[f"/page/{first}"] = page(shown)
    pages["/"] = page(*(f'<a href="/page/{first}">x</a>' for first in firsts))
    return pages


def test_a_second_crawl_downloads_no_image(settings: Settings, site: Site) -> None:
    site.pages |= a_site(60)
    add(settings, site.source())
    assert counts(crawl(settings)) == {"seen": 60, "new": 60}
    images = [hit for hit in site.log if hit.path.endswith(".png")]
    assert len(images) == len({hit.path for hit in images}) == 60
    ((row,),) = ask(settings, "SELECT to_jsonb(c) FROM ris.source_crawl c")
    assert isinstance(row, dict)
    assert row["bytes"] == sum(hit.sent for hit in images)
    assert (row["complete"], row["why"], row["pages"]) == (True, "finished", 7)
    (host,) = row["hosts"].values()
    assert host["requests"] == len(site.log)
    # Of what is not there the body is not read.
    assert host["bytes"] == site.sent
    assert (settings.home / "turns-2").exists()
    fingerprint(settings)
    assert list((settings.home / "fetched").rglob("*/*")) == []

    site.log.clear()
    assert counts(crawl(settings)) == {"seen": 60, "unchanged": 60}
    images = [hit for hit in site.log if hit.path.endswith(".png")]
    assert {hit.status for hit in images} == {304}
    assert len(images) == 60
    assert ask(settings, "SELECT count(*) FROM ris.observation") == [(60,)]
    assert ask(settings, "SELECT count(*) FROM ris.sighting_history") == [(0,)]


def late(answer: Answer, seconds: Iterator[float]) -> Page:
    """Answers after so many seconds, each time after others."""

    async def answered(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(next(seconds))
        return web.Response(body=answer.body, headers={"Content-Type": answer.type})

    return answered


def test_a_site_whose_pages_answer_in_another_order_each_night_is_unchanged(
    settings: Settings, site: Site
) -> None:
    """Three pages name the same images; each is the first, the second and the last one to answer.
    Then one of them names them no more."""
    names = [f"/{i}.png" for i in range(5)]
    site.pages |= {name: image(name, ETag=f'"{name}"') for name in names}
    site.pages["/"] = page(*(f'<a href="/page/{i}">x</a>' for i in range(3)))
    for i in range(3):
        answer = page(f"<title>{i}</title>", img(*names, *names[:i]))
        waits = (0.3 * ((i + night) % 3) for night in itertools.count())
        site.pages[f"/page/{i}"] = late(answer, waits)
    add(settings, site.source())
    placed = "SELECT uri, page, title, since FROM ris.sighting ORDER BY uri"
    crawl(settings)
    first = ask(settings, placed)
    for _ in range(3):
        assert counts(crawl(settings)) == {"seen": 5, "unchanged": 5}
        assert ask(settings, placed) == first
    assert ask(settings, "SELECT count(*) FROM ris.sighting_history") == [(0,)]
    runs = "SELECT count(DISTINCT last_seen_at), max(last_seen_at) = max(r.started_at)"
    assert ask(settings, f"{runs} FROM ris.sighting, ris.run r") == [(1, True)]
    of = str(first[0][1])
    site.pages[of.removeprefix(site.url(""))] = page("<title>other</title>")
    crawl(settings)
    assert all(row[1] != of for row in ask(settings, placed))
    assert ask(settings, "SELECT DISTINCT page FROM ris.sighting_history") == [(of,)]


def test_an_image_whose_page_was_read_is_asked_for_though_a_limit_came_first(
    settings: Settings, site: Site
) -> None:
    """The second night the page of before is read, but the crawl's time is over before the image
    has answered; the third asks for it."""
    site.pages["/"] = page('<a href="/a">x</a>', '<a href="/b">x</a>')
    site.pages["/a"] = late(page(img("/x.png", "/y.png")), iter((1, 0, 0)))
    site.pages["/b"] = late(page(img("/x.png", "/y.png")), iter((0, 0.5, 0)))
    site.pages["/y.png"] = image(1)
    site.pages["/x.png"] = late(image(2), iter((0, 30, 0)))
    add(settings, site.source(seconds=5))
    crawl(settings)
    (before,) = ask(settings, "SELECT DISTINCT page FROM ris.sighting")
    assert before == (site.url("/b"),)
    assert crawl(settings).incomplete
    site.log.clear()
    crawl(settings)
    assert site.paths["/x.png"] == 1


def test_bytes_that_are_lost_before_they_are_fingerprinted_are_fetched_again(
    settings: Settings, site: Site
) -> None:
    site.pages |= a_site(3)
    add(settings, site.source())
    crawl(settings)
    kept = sorted((settings.home / "fetched").glob("*/*"))
    kept[0].unlink()
    site.log.clear()
    assert counts(crawl(settings)) == {"seen": 3, "unchanged": 3}
    assert sorted(h.status for h in site.log if h.path.endswith(".png")) == [200, 304, 304]
    assert sorted((settings.home / "fetched").glob("*/*")) == kept


def test_etag_and_date_go_to_the_url_alone_that_sent_them(settings: Settings, site: Site) -> None:
    """Those behind a redirect tell nothing of where it leads next, of the same date."""
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    leads = [Answer(status=302, headers={"Location": f"/{n}.png"}) for n in (1, 1, 2, 2)]
    direct = image(3, Last_Modified=date)
    site.pages |= {f"/{n}.png": image(n, Last_Modified=date) for n in (1, 2)}
    site.pages |= {"/": page(img("/latest.png")), "/latest.png": iter([*leads, direct, direct])}
    add(settings, site.source())
    found = [counts(crawl(settings)) for _ in range(6)]
    new, changed, unchanged = ({"seen": 1, word: 1} for word in ("new", "changed", "unchanged"))
    assert found == [new, unchanged, changed, unchanged, changed, unchanged]
    images = [(h.path, h.status) for h in site.log if h.path.endswith(".png") and h.status != 302]
    paths = ("/1.png", "/2.png", "/latest.png")
    assert images == [(path, status) for path in paths for status in (200, 304)]
    ended = "SELECT answered_by FROM ris.observation ORDER BY observation_id"
    assert ask(settings, ended) == [(site.url("/1.png"),), (site.url("/2.png"),), (None,)]


@pytest.mark.parametrize("keep", [0, 7])
def test_bytes_that_are_sent_again_are_kept_only_if_they_are_needed(
    settings: Settings, site: Site, keep: int
) -> None:
    """The server knows no ETags. One image is erased, one was retired and is back."""
    settings = replace(settings, keep_fetched=keep, gone_after=1)
    a, b, c = (Answer(edits.jpeg(picture, 90)) for _, picture in [*photos()][:3])
    comes_and_goes = iter([b, Answer(status=404), b])
    site.pages |= {"/a.jpg": a, "/b.jpg": comes_and_goes, "/c.jpg": c}
    site.pages["/"] = page(img("/a.jpg", "/b.jpg", "/c.jpg"))
    add(settings, site.source())
    crawl(settings)
    fingerprint(settings)
    jobs.erase(settings, site.url("/c.jpg"), "asked for", "me")
    assert len(kept(settings)) == (2 if keep else 0)
    assert counts(crawl(settings)) == {"seen": 3, "unchanged": 2, "gone": 1}
    assert len(kept(settings)) == (2 if keep else 0)
    with open_engine(settings) as engine, engine.begin() as db:
        gone = "i.image_id = o.image_id AND o.gone_at IS NOT NULL"
        retire = "UPDATE ris.image i SET retired_at = now() FROM ris.observation o WHERE"
        db.execute(text(f"{retire} {gone}"))
        db.execute(text(f"DELETE FROM ris.descriptor i USING ris.observation o WHERE {gone}"))
    assert counts(crawl(settings)) == {"seen": 3, "unchanged": 2, "changed": 1}
    assert len(kept(settings)) == (2 if keep else 1)
    fingerprint(settings)
    assert len(kept(settings)) == (2 if keep else 0)
    assert ask(settings, "SELECT status, count(*) FROM ris.image GROUP BY 1 ORDER BY 1") == [
        ("erased", 1),
        ("ok", 2),
    ]
    assert ask(settings, "SELECT count(*) FROM ris.descriptor") == [(2,)]


def test_the_same_picture_at_many_urls_is_one_image(settings: Settings, site: Site) -> None:
    photo = edits.jpeg(dict(photos())["coffee"], 90)
    for i in range(5):
        site.pages[f"/{i}.jpg"] = Answer(photo, "image/jpeg")
    site.pages["/"] = page(img(*(f"/{i}.jpg" for i in range(5)), "/0.jpg", "/0.jpg#again"))
    add(settings, site.source(tags=("press",)))
    summary = jobs.scan(settings, ["site"], LogProgress())
    assert summary.fingerprinted == 1
    assert summary.matches["identical"].total == 4
    assert site.paths["/0.jpg"] == 1
    assert ask(settings, "SELECT DISTINCT tags FROM ris.uri_source") == [(["press"],)]


def test_gone_is_gone_after_some_times_and_back_is_back(settings: Settings, site: Site) -> None:
    settings = replace(settings, gone_after=2)
    there, not_found, gone = image(1), Answer(status=404), Answer(status=410)
    answers = [there, not_found, there, not_found, gone, not_found, there]
    site.pages |= {"/": page(img("/a.png")), "/a.png": iter(answers)}
    add(settings, site.source())
    found = [counts(crawl(settings)) for _ in answers]
    assert [f.get("gone", 0) for f in found] == [0, 0, 0, 0, 1, 0, 0]
    assert [f.get("missed", 0) for f in found] == [0, 1, 0, 1, 0, 1, 0]
    assert [sum(f.values()) for f in found] == [2] * 7
    assert found[2]["unchanged"] == found[6]["changed"] == 1
    assert ask(settings, "SELECT event FROM ris.uri_event ORDER BY at") == [
        ("appeared",),
        ("gone",),
        ("returned",),
    ]


def test_what_never_was_there_failed(settings: Settings, site: Site) -> None:
    site.pages |= {"/": page(img("/a.png", "/b.png")), "/a.png": Answer(status=410)}
    add(settings, site.source())
    assert counts(crawl(settings)) == {"seen": 2, "failed": 2}
    assert ask(settings, "SELECT refusals FROM ris.source_crawl") == [({"http-status": 2},)]
    assert ask(settings, "SELECT reason, attempts FROM ris.fetch") == [("http-status", 1)] * 2


def test_failures_touch_nothing_wait_and_are_given_up(settings: Settings, site: Site) -> None:
    settings = replace(settings, give_up_after=2)
    broken = Answer(status=500)
    site.pages |= {
        "/": page(img("/a.png", "/never.png")),
        "/a.png": itertools.chain([image(1, ETag='"1"')], itertools.repeat(broken)),
        "/never.png": Answer(status=403),
    }
    add(settings, site.source())
    assert counts(crawl(settings)) == {"seen": 2, "new": 1, "failed": 1}
    shown = ask(settings, "SELECT to_jsonb(o) FROM ris.observation o")
    assert counts(crawl(settings)) == {"seen": 2, "failed": 2}
    # The next one of the same hour asks for neither.
    site.log.clear()
    assert counts(jobs.crawl_only(settings, ["site"], LogProgress())) == {}
    assert [h.path for h in site.log if h.path.endswith(".png")] == []
    crawl(settings)
    state = "SELECT attempts, reason, gave_up_at IS NOT NULL FROM ris.fetch"
    assert ask(settings, state) == [(2, "http-status", True), (2, "http-status", True)]
    assert ask(settings, "SELECT to_jsonb(o) FROM ris.observation o") == shown
    site.log.clear()
    crawl(settings)
    assert [h.path for h in site.log if h.path.endswith(".png")] == []
    with open_engine(settings) as engine:
        (one, two) = jobs.show_source(engine, "site").given_up
        assert {one["uri"], two["uri"]} == {site.url("/a.png"), site.url("/never.png")}
        jobs.retry_source(engine, "site")
    site.pages["/a.png"] = image(2)
    assert counts(crawl(settings)) == {"seen": 2, "changed": 1, "failed": 1}


def test_what_one_source_cannot_fetch_another_may(
    settings: Settings, site: Site, tmp_path: Path
) -> None:
    """One may not ask this port: it waits and gives up alone, whatever the other finds."""
    settings = replace(settings, give_up_after=2)
    site.pages |= {"/": page(img("/a.png")), "/a.png": iter([image(1), image(2), image(3)])}
    (tmp_path / "list.csv").write_text(f"url\n{site.url('/a.png')}\n")
    closed = replace(site.source(ports=frozenset({80})), name="aaa", kind="urls")
    add(settings, replace(closed, location=str(tmp_path / "list.csv")))
    add(settings, site.source())
    nights = []
    for _ in range(3):
        refused = counts(crawl(settings, "aaa"))
        nights.append((refused, counts(crawl(settings))))
    refused, changed = {"seen": 1, "refused": 1}, {"seen": 1, "changed": 1}
    assert nights == [(refused, {"seen": 1, "new": 1}), (refused, changed), ({}, changed)]
    state = "SELECT name, attempts, gave_up_at IS NOT NULL FROM ris.fetch"
    assert ask(settings, f"{state} JOIN ris.source USING (source_id)") == [("aaa", 2, True)]


def test_a_source_that_was_repaired_asks_at_once_for_what_it_could_not_fetch(
    settings: Settings, site: Site, tmp_path: Path
) -> None:
    settings = replace(settings, give_up_after=2)
    site.pages["/a.png"] = image(1)
    (tmp_path / "list.csv").write_text(f"url\n{site.url('/a.png')}\n")
    closed = replace(site.source(ports=frozenset({80})), kind="urls")
    closed = replace(closed, location=str(tmp_path / "list.csv"))
    add(settings, closed)
    assert counts(crawl(settings)) == {"seen": 1, "refused": 1}
    again = jobs.crawl_only(settings, ["site"], LogProgress())
    assert (again.seen, again.waiting) == (0, 1)
    console = Console(width=200)
    with console.capture() as captured:
        console.print(crawled(asdict(again)))
    assert captured.get().splitlines()[1].startswith("1 wait or were given up")
    crawl(settings)
    opened = replace(closed, politeness=site.source().politeness)
    with open_engine(settings) as engine:
        (listed,) = jobs.list_sources(engine)
        assert listed.last and (listed.last.waiting, listed.last.given_up) == (0, 1)
        jobs.add_source(engine, replace(closed, tags=("press",)), replace=True)
        assert jobs.crawl_only(settings, ["site"], LogProgress()).waiting == 1
        jobs.add_source(engine, opened, replace=True)
    assert counts(jobs.crawl_only(settings, ["site"], LogProgress())) == {"seen": 1, "new": 1}


def test_what_was_given_up_leaves_room_for_others(settings: Settings, site: Site) -> None:
    settings = replace(settings, give_up_after=1)
    site.pages |= {f"/never/{i}.png": Answer(status=403) for i in range(5)}
    site.pages |= {f"/{i}.png": image(i) for i in range(5)}
    site.pages["/"] = page(img(*(p for p in site.pages if p.startswith("/never"))))
    add(settings, site.source(images=5))
    assert counts(crawl(settings)) == {"seen": 5, "failed": 5}
    site.pages["/"] = page(img(*site.pages))
    assert counts(crawl(settings)) == {"seen": 5, "new": 5}


def test_failures_are_forgotten_once_they_are_named_no_more(settings: Settings, site: Site) -> None:
    settings = replace(settings, give_up_after=1)
    named = page(img("/never.png", "/never.png"))
    cut = page(img("/a.png"), '<a href="/1">x</a>')
    site.pages |= {"/a.png": image(1), "/": iter([named, named, cut, page(img("/a.png"))])}
    site.pages["/never.png"] = Answer(status=403)
    add(settings, site.source(pages=1))
    left = []
    for _ in range(4):
        crawl(settings)
        left += ask(settings, "SELECT count(*) FROM ris.fetch")
    # The first is complete, the third is not.
    assert left == [(1,), (1,), (1,), (0,)]
    assert site.paths["/never.png"] == 1


def test_what_is_no_image_is_seen_as_that_and_robots_are_obeyed(
    settings: Settings, site: Site
) -> None:
    inside = f"http://169.254.169.254:{site.port}/latest/meta-data.png"
    site.pages |= {
        "/robots.txt": Answer(b"User-agent: *\nDisallow: /private/\n", "text/plain"),
        "/": page(img("/a.png", "/page.png", "/private/b.png", inside)),
        "/a.png": image(1),
        "/page.png": page("not an image"),
        "/private/b.png": image(2),
    }
    add(settings, site.source())
    assert counts(crawl(settings)) == {"seen": 4, "new": 2, "refused": 3}
    assert site.paths["/private/b.png"] == 0
    refusals = "SELECT refusals FROM ris.source_crawl"
    assert ask(settings, refusals) == [
        ({"not-an-image": 1, "robots-refused": 1, "address-refused": 1},)
    ]
    quarantined = "SELECT uri, reason FROM ris.image_by_uri WHERE status = 'quarantined'"
    assert ask(settings, quarantined) == [(site.url("/page.png"), "not-an-image")]
    assert counts(crawl(settings)) == {"seen": 4, "unchanged": 2, "refused": 3}


def test_changed_bytes_are_a_new_observation_and_what_a_page_says_is_kept_as_it_changes(
    settings: Settings, site: Site
) -> None:
    says = '<html><head><title>{0}</title></head><body><a href="/big"><img src="/a.png" alt="{0}">'
    pages = [Answer(says.format(said).encode()) for said in ("one\0", "two", "two")]
    pictures = [image(1, ETag='"1"'), image(2, ETag='"2"'), image(2, ETag='"3"')]
    site.pages |= {"/": iter(pages), "/a.png": iter(pictures)}
    add(settings, site.source())
    found = [counts(crawl(settings)) for _ in range(3)]
    assert found == [{"seen": 1, "new": 1}, {"seen": 1, "changed": 1}, {"seen": 1, "unchanged": 1}]
    rows = "SELECT etag, superseded_at IS NOT NULL, replaced FROM ris.observation ORDER BY 1"
    assert ask(settings, rows) == [('"1"', True, True), ('"3"', False, False)]
    now = "SELECT page, title, alt, link FROM ris.sighting"
    assert ask(settings, now) == [(site.url(), "two", "two", site.url("/big"))]
    ((before,),) = ask(settings, "SELECT title FROM ris.sighting_history")
    assert str(before).startswith("one")


def test_what_a_page_says_reaches_exports_and_history(
    settings: Settings, site: Site, tmp_path: Path
) -> None:
    says = (
        '<html><head><title>{0}</title><meta property="article:published_time" '
        'content="2026-01-02T03:04:05Z"></head><body><a href="/big"><img src="/a.png" alt="{0}">'
    )
    pages = [Answer(says.format(said).encode()) for said in ("one", "two")]
    site.pages |= {"/": iter(pages), "/a.png": image(1, ETag='"1"'), "/b.png": image(1)}
    add(settings, replace(site.source(), tags=("press", "rival")))
    crawl(settings)
    between = datetime.now(UTC).isoformat()
    crawl(settings)
    (tmp_path / "b.txt").write_text(f"url,id\n{site.url('/b.png')},7\n")
    add(
        settings, replace(site.source(), name="list", kind="urls", location=str(tmp_path / "b.txt"))
    )
    jobs.crawl_only(settings, ["list"], LogProgress())
    fingerprint(settings)
    claimed = "2026-01-02T03:04:05Z"
    with open_engine(settings) as engine:
        first, second = exported(engine, "images", None)
        (match,) = exported(engine, "matches", None)
        (before,) = exported(engine, "images", between)
        a, b = (jobs.history(engine, settings, r["uri"], None) for r in (first, second))
        both = jobs.history(engine, settings, first["sha256"], None)
    assert (first["page"], first["title"], first["alt"]) == (site.url(), "two", "two")
    assert (first["link"], first["published_at"], before["alt"]) == (
        site.url("/big"),
        claimed,
        "one",
    )
    assert (second["page"], second["columns"], second["tags"]) == (None, {"id": "7"}, [])
    assert [match["derived_tags"], match["source_tags"]] == [[], ["press", "rival"]]
    assert [(n.source, n.alt, n.until is None) for n in a.named] == [
        ("site", "one", False),
        ("site", "two", True),
    ]
    assert [(n.source, dict(n.columns)) for n in b.named] == [("list", {"id": "7"})]
    assert [*both.named] == [*a.named, *b.named]


def test_what_was_named_and_never_fetched_has_a_history(settings: Settings, site: Site) -> None:
    site.pages |= {"/": page(img("/a.png"))}
    add(settings, site.source())
    crawl(settings)
    with open_engine(settings) as engine:
        found = jobs.history(engine, settings, site.url("/a.png"), None)
    assert [n.page for n in found.named] == [site.url()]
    ((failed),) = found.failures
    assert (failed.reason, failed.attempts, failed.source) == ("http-status", 1, "site")
    console = Console(width=500)
    with console.capture() as captured:
        console.print(timeline(found))
    assert "1 attempt, tried again at" in captured.get()


@pytest.mark.parametrize("path", ["/", "/robots.txt"])
def test_a_website_that_is_down_is_no_source_without_images(
    settings: Settings, site: Site, path: str, any_disk: None
) -> None:
    site.pages |= {"/": page(img("/a.png")), "/a.png": image(1, ETag='"1"')}
    add(settings, site.source())
    crawl(settings)
    up, site.pages[path] = site.pages.get(path), Answer(status=500)
    with pytest.raises(SourceUnavailable, match=r"source 'site' cannot be crawled: .*500"):
        crawl(settings)
    ended = "SELECT complete, ended_at IS NOT NULL FROM ris.source_crawl ORDER BY crawl_id"
    assert ask(settings, ended) == [(True, True), (False, True)]
    with open_engine(settings) as engine:
        (need,) = jobs.status(engine, settings).needs
        assert "failed" in need
    site.pages[path] = up or Answer(status=404)
    assert counts(crawl(settings)) == {"seen": 1, "unchanged": 1}


def test_a_crawl_that_did_not_look_at_all_says_why(settings: Settings, site: Site) -> None:
    site.pages |= {"/": page(img("/a.png", "/b.png")), "/a.png": image(1), "/b.png": image(2)}
    add(settings, site.source(images=1))
    first, second = crawl(settings), crawl(settings)
    assert (first.incomplete, second.incomplete) == ({"site": "limit of images"}, {})
    console = Console(width=200)
    with console.capture() as captured:
        console.print(crawled(asdict(first)))
    assert captured.get() == "1 image: 1 new\nsite is not complete: limit of images\n"


def test_a_crawl_that_a_setting_forbids_is_not_under_way(settings: Settings, site: Site) -> None:
    add(settings, site.source())
    with pytest.raises(ConfigError, match="RIS_CONTACT must be set"):
        crawl(replace(settings, contact=None))
    ((complete, why),) = ask(settings, "SELECT complete, why FROM ris.source_crawl")
    assert not complete and str(why).startswith("RIS_CONTACT must be set")


def test_what_a_limit_left_is_gone_on_with_after_crawls_that_could_not_look(
    settings: Settings, site: Site
) -> None:
    """A setting is missing, then the site is down: what was asked for before is still left out."""
    names = [f"/{i}.png" for i in range(4)]
    shown = page(img(*names))
    site.pages |= {name: image(name) for name in names} | {"/": shown}
    add(settings, site.source(images=2))
    assert crawl(settings).incomplete == {"site": "limit of images"}
    with pytest.raises(ConfigError, match="RIS_CONTACT must be set"):
        crawl(replace(settings, contact=None))
    site.pages["/"] = Answer(status=500)
    with pytest.raises(SourceUnavailable):
        crawl(settings)
    site.pages["/"] = shown
    assert counts(crawl(settings)) == {"seen": 2, "new": 2}
    assert {name: site.paths[name] for name in names} == dict.fromkeys(names, 1)
    lost = "SELECT lost FROM ris.source_crawl ORDER BY crawl_id"
    assert [row[0] for row in ask(settings, lost)] == [False, True, True, False]


def test_a_site_whose_first_page_is_gone_is_seen_by_its_sitemap_in_several_nights(
    settings: Settings, site: Site
) -> None:
    names = [f"/{i}.png" for i in range(4)]
    sitemap = "".join(f"<url><loc>{site.url(f'/p{i}')}</loc></url>" for i in range(4))
    site.pages |= {name: image(name) for name in names}
    site.pages |= {f"/p{i}": page(img(name)) for i, name in enumerate(names)}
    site.pages["/sm.xml"] = Answer(f"<urlset>{sitemap}</urlset>".encode(), "application/xml")
    robots = f"User-agent: *\nDisallow:\nSitemap: {site.url('/sm.xml')}\n"
    site.pages["/robots.txt"] = Answer(robots.encode(), "text/plain")
    add(settings, site.source(images=2))
    for _ in range(2):
        assert counts(crawl(settings)) == {"seen": 2, "new": 2}
    assert {name: site.paths[name] for name in names} == dict.fromkeys(names, 1)


def test_a_crawl_that_was_killed_waits_for_a_site_that_is_down(
    settings: Settings, site: Site
) -> None:
    """What it asked for before is not asked for again."""
    names = [f"/{i}.png" for i in range(3)]
    shown = page(img(*names))
    site.pages |= {name: image(name) for name in names} | {"/": shown}
    add(settings, site.source(images=2))
    crawl(settings)
    with open_engine(settings) as engine, engine.begin() as db:
        # As a kill leaves it.
        reopened = "ended_at = NULL, why = NULL, limited = false"
        db.execute(text(f"UPDATE ris.source_crawl SET {reopened}"))
    with open_engine(settings) as engine:
        jobs.add_source(engine, site.source(), replace=True)
    site.pages["/"] = Answer(status=500)
    with pytest.raises(SourceUnavailable):
        crawl(settings)
    site.pages["/"] = shown
    crawl(settings)
    assert {name: site.paths[name] for name in names} == dict.fromkeys(names, 1)
    assert ask(settings, "SELECT seen, why FROM ris.source_crawl") == [(3, "finished")]


def test_what_a_limit_left_is_gone_on_with_after_a_night_whose_window_was_closed(
    settings: Settings, site: Site
) -> None:
    names = [f"/{i}.png" for i in range(4)]
    site.pages |= {name: image(name) for name in names} | {"/": page(img(*names))}
    source = site.source(images=2)
    add(settings, source)
    crawl(settings)
    now = datetime.now(UTC)
    opens, closes = ((now + timedelta(hours=h)).time() for h in (2, 3))
    closed = replace(source.politeness, window=(opens, closes))
    for politeness, seen in ((closed, {}), (source.politeness, {"seen": 2, "new": 2})):
        with open_engine(settings) as engine:
            jobs.add_source(engine, replace(source, politeness=politeness), replace=True)
        assert counts(crawl(settings)) == seen
    assert {name: site.paths[name] for name in names} == dict.fromkeys(names, 1)
    rows = "SELECT lost, why FROM ris.source_crawl ORDER BY crawl_id"
    assert ask(settings, rows)[1] == (True, "night window closed")


def test_a_list_that_cannot_be_had_ends_its_crawl_with_the_reason(
    settings: Settings, site: Site
) -> None:
    """And what a limit left of it before is gone on with."""
    names = [f"/{i}.png" for i in range(4)]
    site.pages |= {name: image(name) for name in names}
    shown = Answer("\n".join(["url", *map(site.url, names)]).encode(), "text/csv")
    site.pages["/list.csv"] = shown
    location = site.url("/list.csv")
    add(settings, replace(site.source(images=2), kind="urls", location=location))
    crawl(settings)
    site.pages["/list.csv"] = Answer(status=404)
    with pytest.raises(SourceUnavailable) as raised:
        crawl(settings)
    ended = "SELECT lost, why FROM ris.source_crawl ORDER BY crawl_id"
    assert ask(settings, ended)[1:] == [(True, str(raised.value))]
    site.pages["/list.csv"] = shown
    assert counts(crawl(settings)) == {"seen": 2, "new": 2}
    assert {name: site.paths[name] for name in names} == dict.fromkeys(names, 1)


def exported(engine: Engine, what: str, as_of: str | None) -> list[dict[str, Any]]:
    out = io.BytesIO()
    jobs.export(engine, what, "jsonl", out, as_of)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("remote", [False, True])
def test_a_list_of_urls_brings_its_columns(
    settings: Settings, site: Site, tmp_path: Path, remote: bool
) -> None:
    site.pages |= {f"/{i}.png": image(i, ETag=f'"{i}"') for i in range(3)}
    rows = ["url,id,caption", *(f'{site.url(f"/{i}.png")},{i},"no, {i}"' for i in range(3))]
    rows += [f"{site.url('/0.png')},again,x", "file:///etc/passwd,4,x", ",5,x"]
    content = "\n".join(rows).encode()
    location = str(tmp_path / "list.csv")
    if remote:
        site.pages["/list.csv"] = Answer(content, "text/csv")
        location = site.url("/list.csv")
    else:
        (tmp_path / "list.csv").write_bytes(content)
    add(settings, replace(site.source(), kind="urls", location=location, exclude=("*/2.png",)))
    assert counts(crawl(settings)) == {"seen": 4, "new": 2, "refused": 2}
    assert counts(crawl(settings)) == {"seen": 4, "unchanged": 2, "refused": 2}
    assert site.paths["/2.png"] == 0
    found = "SELECT uri, columns FROM ris.sighting ORDER BY uri"
    assert ask(settings, found) == [
        (site.url(f"/{i}.png"), {"id": str(i), "caption": f"no, {i}"}) for i in range(2)
    ]
    assert ask(settings, "SELECT reason, count(*) FROM ris.fetch GROUP BY reason") == [
        ("url-refused", 2)
    ]


def test_passwords_in_urls_are_kept_nowhere(settings: Settings, site: Site, tmp_path: Path) -> None:
    inside = site.url("/a.png").replace("//", "//me:secret@")
    (tmp_path / "list.csv").write_text(f"url\n{inside}\n")
    add(settings, replace(site.source(), kind="urls", location=str(tmp_path / "list.csv")))
    link = f'<a href="{inside}"><img src="/b.png"></a>'
    site.pages |= {"/": page(img(inside), link), "/b.png": image(1)}
    add(settings, replace(site.source(), name="page"))
    assert counts(crawl(settings)) == {"seen": 1, "refused": 1}
    assert counts(crawl(settings, "page")) == {"seen": 2, "new": 1, "refused": 1}
    shown = inside.replace("me:secret", "***")
    assert ask(settings, "SELECT uri FROM ris.fetch") == [(shown,)] * 2
    assert ask(settings, "SELECT uri FROM ris.sighting ORDER BY uri")[0] == (shown,)
    for table in ("sighting", "sighting_history", "fetch", "observation"):
        rows = ask(settings, f"SELECT to_jsonb(t) FROM ris.{table} t")
        assert "secret" not in str(rows)


def test_bad_rows_of_a_list_wait_like_all_that_fails(
    settings: Settings, site: Site, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text("url,id\nfile:///etc/passwd,4\n,5\n")
    add(settings, replace(site.source(), kind="urls", location=str(tmp_path / "list.csv")))
    attempts = "SELECT attempts, gave_up_at FROM ris.fetch"
    for _ in range(2):
        assert counts(jobs.crawl_only(settings, ["site"], LogProgress())) == {
            "seen": 2,
            "refused": 2,
        }
        assert ask(settings, attempts) == [(1, None)] * 2
    crawl(settings)
    assert ask(settings, attempts) == [(2, None)] * 2


def test_a_hostile_list_is_taken_in_whole(settings: Settings, site: Site, tmp_path: Path) -> None:
    """What is no URL is kept as far as it can be, and does not end the crawl."""
    urls = ["http://" + "\N{GRINNING FACE}" * 1990, "http://\ud800/\0", "\\u0000", "x" * 5000]
    rows = [{"url": url, "a\0\udcff": "\\u0000 \ud800"} for url in [*urls, site.url("/a.png")]]
    (tmp_path / "list").write_text("\n".join(map(json.dumps, rows)))
    site.pages["/a.png"] = image(1)
    add(settings, replace(site.source(), kind="urls", location=str(tmp_path / "list")))
    assert counts(crawl(settings)) == {"seen": 5, "new": 1, "refused": 4}
    assert ask(settings, "SELECT columns FROM ris.sighting") == [({"a?": "\\u0000 ?"},)]
    assert ask(settings, "SELECT count(*), max(octet_length(uri)) FROM ris.fetch") == [(4, 2000)]


def test_a_url_becomes_a_source_named_after_its_host(settings: Settings, site: Site) -> None:
    """It is crawled by the rules for strangers: an address of this machine is refused."""
    site.pages["/"] = page(img("/a.png"))
    for _ in range(2):
        with pytest.raises(SourceUnavailable, match=r"cannot be crawled: .* was not read: .*port"):
            jobs.crawl_only(settings, [site.url()], LogProgress())
    assert site.log == []
    assert ask(settings, "SELECT name, kind, location FROM ris.source") == [
        (site.host, "web", site.url())
    ]
    assert ask(settings, "SELECT complete, seen FROM ris.source_crawl") == [(False, 0)] * 2


def test_crawls_that_a_limit_ends_go_on_with_what_is_left(
    settings: Settings, site: Site, tmp_path: Path
) -> None:
    """Three nights for a list of five images, of which two are asked for a night; then anew."""
    site.pages |= {f"/{i}.png": image(i, ETag=f'"{i}"') for i in range(5)}
    (tmp_path / "list.csv").write_text("\n".join(["url", *map(site.url, site.pages)]))
    location = str(tmp_path / "list.csv")
    add(settings, replace(site.source(images=2), kind="urls", location=location))
    nights = []
    for _ in range(4):
        site.log.clear()
        crawl(settings)
        nights.append(sorted(p for p in site.paths if p.endswith(".png")))
        # Long ago does not matter.
        with open_engine(settings) as engine, engine.begin() as db:
            for table, times in (
                ("source_crawl", ("done_since", "began_at")),
                ("sighting", ("last_seen_at",)),
            ):
                older = ", ".join(f"{t} = {t} - interval '100 hours'" for t in times)
                db.execute(text(f"UPDATE ris.{table} SET {older}"))
    assert nights == [
        ["/0.png", "/1.png"], ["/2.png", "/3.png"], ["/4.png"], ["/0.png", "/1.png"],
    ]  # fmt: skip
    ended = "SELECT complete, limited, why FROM ris.source_crawl ORDER BY crawl_id"
    limit = (False, True, "limit of images")
    assert ask(settings, ended) == [limit, limit, (True, False, "finished"), limit]


def test_a_site_is_seen_whole_in_several_nights_and_killed_crawls_count(
    settings: Settings, site: Site
) -> None:
    site.pages |= a_site(25)
    add(settings, site.source(images=10))
    assert counts(crawl(settings)) == {"seen": 10, "new": 10}
    assert counts(crawl(settings)) == {"seen": 10, "new": 10}
    with open_engine(settings) as engine, engine.begin() as db:
        # As if it had been killed at its last word, more than three days ago.
        reopened = "ended_at = NULL, why = NULL, limited = false"
        older = (
            "began_at = began_at - interval '99 hours', done_since = done_since - interval '9 days'"
        )
        last = "crawl_id = (SELECT max(crawl_id) FROM ris.source_crawl)"
        db.execute(text(f"UPDATE ris.source_crawl SET {reopened}, {older} WHERE {last}"))
    assert counts(crawl(settings)) == {"seen": 5, "new": 5}
    assert counts(crawl(settings)) == {"seen": 10, "unchanged": 10}


def test_a_limit_that_lets_no_image_through_does_not_stop_a_source(
    settings: Settings, site: Site
) -> None:
    links = '<a href="/1">x</a><a href="/2">x</a>'
    site.pages |= {"/": page(img("/a.png"), links), "/a.png": image(1)}
    # robots.txt, the page and its image, or else a link.
    add(settings, site.source(requests=3))
    assert [counts(crawl(settings)).get("seen", 0) for _ in range(3)] == [1, 0, 1]


def test_what_failed_before_a_limit_is_tried_again_when_its_time_has_come(
    settings: Settings, site: Site
) -> None:
    answers = iter([Answer(status=403), image(1)])
    site.pages |= {"/": page(img("/a.png", "/b.png")), "/a.png": answers, "/b.png": image(2)}
    add(settings, site.source(images=1))
    assert counts(crawl(settings)) == {"seen": 1, "failed": 1}
    assert counts(crawl(settings)) == {"seen": 1, "new": 1}
    assert site.paths["/a.png"] == 2
