"""What is asked for, in which order, and when it is enough."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.crawl.fetch import Fetched, Headers, Known, Refused
from ris_jobs.crawl.source import Limits, Source
from ris_jobs.crawl.web.errand import Errand
from ris_jobs.crawl.web.frontier import Frontier, site
from ris_jobs.crawl.web.known import Before, Memory, write
from ris_jobs.crawl.web.meter import Meter, inside
from ris_jobs.crawl.web.values import Where
from ris_jobs.errors import Reason

HOME = "https://example.org/"


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """One image is done, one waits, of two an ETag is known."""
    rows = [
        Before(uri=HOME + "done.png", done=True, counts=True),
        Before(uri=HOME + "waits.png", done=True, waits=True),
        Before(uri=HOME + "known.png", etag='"7"'),
        Before(uri=HOME + "moved.png", etag='"7"', answered_by=HOME + "to.png"),
    ]
    write(tmp_path / "known", rows)
    return Memory(tmp_path / "known")


def frontier(memory: Memory, **limits: int | None) -> Frontier:
    source = Source(name="x", kind="web", location=HOME, limits=Limits(**limits))
    return Frontier(source, memory)


def uris(errands: Iterable[Errand]) -> list[str]:
    return [errand.uri.removeprefix(HOME) for errand in errands]


def test_pages_come_level_by_level_and_once(memory: Memory) -> None:
    pages = frontier(memory, depth=2)
    assert uris(pages.document(HOME, 0)) == [""]
    assert uris(pages.document(HOME + "a", 1)) == [] == uris(pages.document(HOME, 1))
    assert uris(pages.document(HOME + "from-sitemap", 0)) == ["from-sitemap"]
    assert uris(pages.rest()) == ["a"]
    assert uris(pages.document(HOME + "deep", 2)) == [] == uris(pages.document(HOME + "deeper", 3))
    assert uris(pages.document(HOME + "late", 1)) == ["late"]
    assert uris(pages.rest()) == ["deep"] and pages.rest() == []
    assert pages.pages == 5 and pages.missed is None


@pytest.mark.parametrize(
    "url", ["https://other.org/", "https://sub.example.org/", HOME + "a.PDF?x", "ftp://x", "no url"]
)
def test_links_that_lead_away_or_to_no_page_are_left(memory: Memory, url: str) -> None:
    assert uris(frontier(memory).document(url, 1)) == []


def test_sitemaps_may_lie_elsewhere_but_not_deep(memory: Memory) -> None:
    asked = frontier(memory)
    for depth in range(5):
        found = uris(asked.document(f"https://cdn.example.net/{depth}.xml", depth, "sitemap"))
        assert bool(found) is (depth < 3)


def test_hosts_of_one_site() -> None:
    assert site("https://www.example.org:8443/x") == {"www.example.org", "example.org"}
    assert site("http://example.org") == {"www.example.org", "example.org"}
    assert site("/list.csv") == frozenset()


def test_an_image_is_asked_for_once_unless_it_is_done(memory: Memory) -> None:
    asked = frontier(memory)
    for again in (False, True):
        assert len(uris(asked.image(HOME + "known.png", Where()))) == (not again)
        assert uris(asked.image(HOME + "done.png", Where())) == []
        assert uris(asked.image(HOME + "waits.png", Where())) == []
        assert asked.names(HOME + "waits.png") is (not again)
    known, moved, source = (HOME + name for name in ("known.png", "moved.png", "to.png"))
    assert memory.validators(known, known) == memory.validators(moved, source) == Known('"7"')
    for uri, url in ((known, source), (moved, moved), (source, source)):
        assert memory.validators(uri, url) is None


def test_what_is_known_takes_little_memory_whatever_it_is(tmp_path: Path) -> None:
    names = [f"{HOME}{number}-\ud800\0" for number in range(20_000)]
    write(tmp_path / "known", (Before(uri=name, etag='"7"', done=True) for name in names))
    tracemalloc.start()
    memory = Memory(tmp_path / "known")
    assert all(name in memory for name in names)
    assert HOME not in memory and memory.validators(names[0], names[0]) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_an_image_that_one_page_forbids_another_may_allow(memory: Memory) -> None:
    asked = frontier(memory)
    for name in "ab":
        assert uris(asked.image(HOME + name, Where(), forbidden="noai")) == []
    assert uris(asked.image(HOME + "b", Where())) == ["b"]
    (withheld,) = asked.withheld()
    assert (withheld.uri, withheld.reason) == (HOME + "a", Reason.NOINDEX)


def test_images_of_sitemaps_wait_for_pages_that_know_more(memory: Memory) -> None:
    asked = frontier(memory)
    for name in "ab":
        assert uris(asked.image(HOME + name, Where(page="sitemap"), later=True)) == []
    assert uris(asked.document(HOME + "page", 1)) == []
    assert uris(asked.rest()) == ["page"]
    assert uris(asked.image(HOME + "a", Where(page="page"))) == ["a"]
    assert uris(asked.rest()) == ["b"]


def test_limits_are_kept_and_told(memory: Memory) -> None:
    asked = frontier(memory, pages=2, images=3)
    assert [len(uris(asked.document(f"{HOME}{n}", 0))) for n in range(3)] == [1, 1, 0]
    assert asked.missed == "limit of pages" and asked.pages == 2
    # One of three is done already; what waits is none of them.
    assert [len(uris(asked.image(f"{HOME}{n}", Where()))) for n in range(3)] == [1, 1, 0]


# The meter


def fetched(received: int) -> Fetched:
    return Fetched(
        url=HOME, redirects=(), seconds=0.5, received=received, status=200, headers=Headers(),
        size=received, sha256="",
    )  # fmt: skip


def test_what_is_taken_is_counted_by_host() -> None:
    meter = Meter(Limits(requests=3, bytes=100))
    for host, received in (("a", 10), ("b", 20)):
        meter.begins()
        meter.ends(host, fetched(received))
    meter.begins()
    refused = Refused(
        url=HOME, redirects=(), seconds=0.1, received=0, reason=Reason.URL_REFUSED, detail="",
        asked=False,
    )  # fmt: skip
    meter.ends("c", refused)
    assert meter.spent() is None
    assert [(h.host, h.requests, h.bytes, h.seconds) for h in meter.hosts()] == [
        ("a", 1, 10, 0.5), ("b", 1, 20, 0.5),
    ]  # fmt: skip
    meter.begins()
    assert meter.spent() == "budget of requests"
    meter.ends("a", fetched(70))
    assert Meter(Limits()).spent() is None
    meter.ends("c", replace(refused, asked=True))  # for where its answer leads, say
    assert [(h.host, h.requests) for h in meter.hosts()] == [("a", 2), ("b", 1), ("c", 1)]


def test_time_and_rests() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    meter = Meter(Limits(seconds=60), (time(11), time(12, 30)), clock=lambda: now)
    meter.rests("a", 10)
    meter.rests("a", 5)
    assert (meter.rest("a"), meter.rest("b"), meter.over()) == (10.0, 0.0, None)
    now += timedelta(seconds=60)
    assert (meter.rest("a"), meter.over()) == (0.0, "budget of time")
    now += timedelta(hours=1)
    assert meter.over() == "night window closed"


@given(st.times(), st.times(), st.times())
def test_a_window_and_what_is_left_of_the_day_never_overlap(a: time, b: time, now: time) -> None:
    if a != b:
        assert inside((a, b), now) is not inside((b, a), now)
