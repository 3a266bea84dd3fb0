"""Crawls that run at once ask a host no faster than one of them does."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from ris_jobs.crawl.web.turns import Turns
from tests.crawl.web.crawled import crawled
from tests.crawl.web.site import Answer, Page, image, img, page, served

DELAY = 0.4
IMAGES = 8
PROGRAM = """
import sys, time
from pathlib import Path
from ris_jobs.crawl.web.turns import Turns
turns = Turns(Path(sys.argv[1]))
for _ in range(100):
    print(turns.take("example.org", 0.5) + time.time())
"""


def test_processes_that_ask_at_once_are_given_times_that_lie_apart(tmp_path: Path) -> None:
    asking = [sys.executable, "-c", PROGRAM, str(tmp_path / "turns")]
    children = [subprocess.Popen(asking, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    times = sorted(float(line) for child in children for line in child.communicate()[0].split())
    assert len(times) == 300
    assert min(b - a for a, b in pairwise(times)) > 0.45


def test_hosts_do_not_wait_for_one_another_and_nobody_for_a_clock_that_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns(tmp_path / "turns")
    assert turns.take("a.example", 60) == turns.take("b.example", 60) == 0
    assert 59 < turns.take("a.example", 60) <= 60
    with monkeypatch.context() as clock:
        long_ago = time.time() - 100_000
        clock.setattr(time, "time", lambda: long_ago)
        assert turns.take("a.example", 60) == 0
    with monkeypatch.context() as clock:
        hours_ago = time.time() - 5 * 3600
        clock.setattr(time, "time", lambda: hours_ago)
        assert turns.take("b.example", 60) == turns.rest("b.example") == 0
        assert [turns.take("b.example", 3600) for _ in range(3)] == [60, 3660, 7260]
    turns.rests("b.example", 1e9)
    assert 86399 < turns.rest("b.example") <= 86400 and turns.rest("a.example") == 0
    (tmp_path / "turns").write_bytes(b"\xff" * (24 << 16))  # no time at all
    assert turns.take("a.example", 60) == 0 < turns.take("a.example", 60)
    assert turns.rest("a.example") == 0
    assert (tmp_path / "turns").stat().st_size == 24 << 16
    turns.close()


def test_a_clock_that_is_set_right_by_seconds_changes_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns(tmp_path / "turns")
    turns.take("a.example", 60)
    turns.rests("a.example", 600)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 5)
    assert 64 < turns.take("a.example", 60) <= 65
    assert 604 < turns.rest("a.example") <= 605
    turns.close()


def test_a_delay_holds_for_those_whose_own_is_shorter(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "turns")
    assert turns.take("a.example", 60) == 0
    waits = [turns.take("a.example", delay) for delay in (0.01, 0, 60, 0)]
    assert [round(wait) for wait in waits] == [60, 60, 60, 120]
    turns.close()


def test_a_source_without_pauses_waits_for_one_that_makes_some(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "turns")

    async def another_asks(request: web.Request) -> web.StreamResponse:
        turns.take(site.host, 2)
        return web.Response(body=page(img("/0.png")).body, content_type="text/html")

    with served({"/": another_asks, "/0.png": image()}) as site:
        assert crawled(site.source(), turns=tmp_path / "turns").ended.complete
        at = {hit.path: hit.at for hit in site.log}
        assert at["/0.png"] - at["/"] > 1.9
    turns.close()


def test_sources_that_show_images_of_one_host_share_its_pace(tmp_path: Path) -> None:
    images = {f"/{n}.png": image(n) for n in range(2 * IMAGES)}
    with (
        served(images, "127.0.0.78") as cdn,
        served({}, "127.0.0.77") as one,
        served({}, "127.0.0.79") as other,
    ):
        names = [cdn.url(path) for path in images]
        one.pages["/"], other.pages["/"] = page(img(*names[::2])), page(img(*names[1::2]))
        ports = frozenset({cdn.port, one.port, other.port})
        sources = [
            s.source(delay=DELAY, per_host=2, ports=ports, allowed=(ip_network("127.0.0.76/30"),))
            for s in (one, other)
        ]
        with ThreadPoolExecutor(2) as pool:
            done = [*pool.map(lambda s: crawled(s, turns=tmp_path / "turns"), sources)]
        assert [len(crawl.images) for crawl in done] == [IMAGES, IMAGES]
        assert all(crawl.ended.complete for crawl in done)
        hits = sorted(hit.at for hit in cdn.log)
        assert len(hits) == 2 * IMAGES + 2  # robots.txt, twice
        # The first one may be late on its way.
        assert hits[-1] - hits[0] > DELAY * (len(hits) - 1) - 1


@pytest.mark.parametrize(
    ("file", "why"),
    [("/dev/full", "No space left on device"), ("/dev", "Is a directory")],
)
def test_a_file_of_turns_that_cannot_be_written_ends_the_crawl(file: str, why: str) -> None:
    with served({"/": page(img("/0.png")), "/0.png": image()}) as site:
        crawl = crawled(site.source(), turns=Path(file))
    assert not (site.log or crawl.images) and not crawl.ended.complete
    assert crawl.ended.why == f"{file} cannot be written to: {why}"


def test_who_waits_for_a_turn_heeds_a_host_that_is_busy_meanwhile(tmp_path: Path) -> None:
    """The first image is answered when the second waits for its turn already."""
    asked: list[float] = []

    async def busy_once(request: web.Request) -> web.StreamResponse:
        turns.take(site.host, 2)  # as another crawl does
        await asyncio.sleep(1)
        asked.append(time.monotonic())
        if len(asked) == 1:
            return web.Response(status=429, headers={"Retry-After": "4"})
        return web.Response(body=image(0).body, content_type="image/png")

    pages: dict[str, Page] = {"/0.png": busy_once, "/1.png": image(1)}
    pages["/"] = page(img("/0.png", "/1.png"))
    turns = Turns(tmp_path / "turns")
    with served(pages) as site:
        crawl = crawled(site.source(delay=0.2), turns=tmp_path / "turns")
        assert set(crawl.outcomes().values()) == {"fetched"}
        (second,) = (hit.at for hit in site.log if hit.path == "/1.png")
        assert second - asked[0] > 3.9
    turns.close()


def test_a_host_that_is_busy_is_left_alone_by_all_crawls_of_the_machine(tmp_path: Path) -> None:
    busy = Answer(status=503, headers={"Retry-After": "3600"})
    with served({"/": page(img("/0.png")), "/0.png": busy}) as site:
        crawled(site.source(), turns=tmp_path / "turns")
        asked = len(site.log)
        named = tmp_path / "named"
        named.write_text(json.dumps({"uri": site.url("/1.png"), "columns": {}}))
        listed = replace(site.source(), kind="urls")
        (told,) = crawled(listed, turns=tmp_path / "turns", images=named).images.values()
        assert len(site.log) == asked and told.outcome == "failed"
        assert 3500 < (told.retry_after or 0) <= 3600
        assert "its server asks to be left alone for 3" in (told.detail or "")
