"""What sites ask for is obeyed, and what a source allows itself is not exceeded."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from aiohttp import web

from ris_jobs.errors import Reason
from tests.crawl.web.crawled import CONTACT, crawled, memory
from tests.crawl.web.site import Answer, image, img, links, page, robots, served

PNGS = {f"/{n}.png": image(n) for n in range(12)}


def test_robots_txt_is_obeyed_and_asked_for_once() -> None:
    pages = {
        "/": page(links("/open", "/closed/page"), img("/closed/a.png", "/0.png")),
        "/open": page(img("/1.png", "/closed/b.png")),
        "/robots.txt": Answer(
            b"User-agent: other\nDisallow: /\n\nUser-agent: ris-jobs\nDisallow: /closed/\n"
        ),
    }
    with served(PNGS | pages) as site:
        result = crawled(site.source())
        assert site.paths == dict.fromkeys(["/robots.txt", "/", "/open", "/0.png", "/1.png"], 1)
        refused = [result.images[site.url(f"/closed/{n}.png")] for n in "ab"]
        assert {r.reason for r in refused} == {Reason.ROBOTS_REFUSED}
        assert {r.outcome for r in refused} == {"refused"} and result.ended.complete
        agents = {hit.headers["User-Agent"] for hit in site.log}
        assert len(agents) == 1 and agents.pop().endswith(f"(+{CONTACT})")
        assert not any("Cookie" in hit.headers or "Referer" in hit.headers for hit in site.log)


def test_a_source_may_be_ones_own_and_robots_not_asked() -> None:
    pages = {"/": page(img("/0.png"), X_Robots_Tag="noindex"), "/robots.txt": robots("Disallow: /")}
    with served(PNGS | pages) as site:
        assert crawled(site.source(robots=False)).ended.complete
        assert site.paths == dict.fromkeys(["/", "/0.png"], 1)


def test_a_site_that_wants_no_crawlers_is_left_alone() -> None:
    with served({"/robots.txt": robots("Disallow: /"), "/": page(img("/0.png"))}) as site:
        result = crawled(site.source())
        assert set(site.paths) == {"/robots.txt"} and not result.images
        assert not result.ended.complete and "robots.txt" in result.ended.why


def test_a_robots_txt_that_cannot_be_read_forbids_all_one_that_is_not_there_nothing() -> None:
    with served(PNGS | {"/": page(img("/0.png"))}) as site:
        assert len(crawled(site.source()).images) == 1
        site.pages["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /", status=403)
        assert len(crawled(site.source()).images) == 1
        site.pages["/robots.txt"] = Answer(status=500)
        site.log.clear()
        result = crawled(site.source())
        assert site.paths == {"/robots.txt": 3}
        assert (
            not result.ended.complete
            and "robots.txt of its host cannot be read" in result.ended.why
        )


def test_words_on_pages_and_headers_forbid_images() -> None:
    pages = {
        "/": page(links("/meta", "/head", "/nofollow"), img("/9.png")),
        "/meta": page('<meta name="robots" content="noai">', img("/0.png", "/9.png")),
        "/head": page(img("/1.png", "/2.png"), links("/on"), X_Robots_Tag="noimageindex"),
        "/nofollow": page('<meta name="ROBOTS" content="nofollow">', img("/2.png"), links("/no")),
        "/on": page(img("/own.png")),
        "/own.png": image("own", X_Robots_Tag="ris-jobs: noindex"),
        "/9.png": image(9, X_Robots_Tag="other: noindex"),
    }
    with served(PNGS | pages) as site:
        result = crawled(site.source())
        told = {uri.removeprefix(site.url("/")): said for uri, said in result.outcomes().items()}
        assert told == {
            "0.png": "noindex", "1.png": "noindex", "2.png": "fetched", "9.png": "fetched",
            "own.png": "noindex",
        }  # fmt: skip
        assert not {"/0.png", "/1.png", "/no"} & set(site.paths) and result.ended.complete
        body = len(site.pages["/own.png"].body)  # type: ignore[union-attr]
        assert result.hosts[site.host].bytes == site.sent - body


def test_a_host_is_asked_no_faster_than_it_says() -> None:
    pages = {
        "/": page(img("/0.png", "/1.png", "/2.png")),
        "/robots.txt": robots("Crawl-delay: 0.4"),
    }
    with served(PNGS | pages) as site:
        crawled(site.source())
        moments = [hit.at for hit in site.log[1:]]
        assert len(moments) == 4 and moments[-1] - moments[0] >= 0.7 * 3 * 0.4
        site.pages["/robots.txt"] = robots("Crawl-delay: 100000")
        site.log.clear()
        result = crawled(site.source())
        assert set(site.paths) == {"/robots.txt"} and "every 100000 s" in result.ended.why


def test_a_host_that_others_redirect_to_has_its_own_pace() -> None:
    with served(PNGS | {"/robots.txt": robots("Crawl-delay: 0.4")}, "127.0.0.78") as other:
        away = {path: Answer(status=302, headers={"Location": other.url(path)}) for path in PNGS}
        with served({**away, "/": page(img("/0.png", "/1.png", "/2.png", "/3.png"))}) as site:
            ports = frozenset({site.port, other.port})
            around = (ip_network("127.0.0.76/30"),)
            result = crawled(site.source(ports=ports, allowed=around))
        assert list(result.outcomes().values()) == ["fetched"] * 4
        moments = [hit.at for hit in other.log[1:]]
        assert len(moments) == 4 and moments[-1] - moments[0] >= 0.7 * 3 * 0.4


def test_the_pace_and_the_number_of_a_source_hold() -> None:
    now = most = 0

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.1)
        now -= 1
        return web.Response(body=PNGS["/0.png"].body)

    with served({"/": page(img(*PNGS)), **dict.fromkeys(PNGS, slow)}) as site:
        crawled(site.source(per_host=3))
        assert most == 3
        site.log.clear()
        crawled(site.source(per_host=3, delay=0.2, images=4))
        moments = [hit.at for hit in site.log]
        assert len(moments) == 6 and moments[-1] - moments[0] >= 0.7 * 5 * 0.2


def test_a_busy_host_is_left_alone_as_long_as_it_asks() -> None:
    busy = Answer(status=429, headers={"Retry-After": "1"})
    answers = {"/0.png": iter([busy, image(0)]), "/": page(img("/0.png"))}
    with served(answers) as site:
        result = crawled(site.source())
        assert set(result.outcomes().values()) == {"fetched"} and site.paths["/0.png"] == 2
        first, second = (hit.at for hit in site.log if hit.path == "/0.png")
        assert second - first >= 0.8 and result.hosts[site.host].waited == 1.0
        assert result.hosts[site.host].failed == 1


def test_one_that_asks_for_too_long_is_not_asked_again() -> None:
    busy = Answer(status=503, headers={"Retry-After": "3600"})
    with served(PNGS | {"/": page(img(*PNGS)), "/0.png": busy}) as site:
        result = crawled(site.source(per_host=1))
        failed = [i for i in result.images.values() if i.outcome == "failed"]
        assert failed and all(3590 < (i.retry_after or 0) <= 3600 for i in failed)
        assert site.log[-1].path == "/0.png" and (len(failed), len(site.log)) == (12, 3)


def test_budgets_end_a_crawl() -> None:
    with served(PNGS | {"/": page(img(*PNGS), links("/more")), "/more": page()}) as site:
        for limit, value, requests, why in (
            ("requests", 5, 5, "budget of requests"),
            ("images", 4, 6, "limit of images"),
            ("pages", 1, 14, "limit of pages"),
            ("bytes", len(site.pages["/"].body) + 600, 4, "budget of bytes"),  # type: ignore[union-attr]
        ):
            site.log.clear()
            result = crawled(site.source(per_host=1, **{limit: value}))
            assert (len(site.log), result.ended.why) == (requests, why)
            assert not result.ended.complete
        exact = crawled(site.source(requests=15, images=13, pages=2))
        assert exact.ended.complete


def test_time_ends_a_crawl_whatever_it_waits_for() -> None:
    with served(PNGS | {"/": page(img(*PNGS)), "/robots.txt": robots("Crawl-delay: 60")}) as site:
        begun = datetime.now(UTC)
        result = crawled(site.source(seconds=5))
        assert result.ended.why == "budget of time" and len(site.log) == 1
        assert datetime.now(UTC) - begun < timedelta(seconds=20)


def test_time_ends_a_crawl_that_waits_for_a_busy_host() -> None:
    busy = Answer(status=429, headers={"Retry-After": "100"})
    with served(PNGS | {"/": page(img(*PNGS)), "/0.png": busy}) as site:
        begun = datetime.now(UTC)
        assert crawled(site.source(seconds=2, per_host=1)).ended.why == "budget of time"
        assert datetime.now(UTC) - begun < timedelta(seconds=30)


def test_outside_its_window_a_crawl_asks_for_nothing() -> None:
    now = datetime.now(UTC)
    window = tuple((now + timedelta(hours=hours)).time() for hours in (2, 3))
    with served({"/": page()}) as site:
        result = crawled(site.source(window=window))
        assert not site.log and result.ended.why == "night window closed"
        around = tuple((now + timedelta(hours=hours)).time() for hours in (-2, 2))
        assert crawled(site.source(window=around)).ended.complete


def test_patterns_choose_images() -> None:
    with served(PNGS | {"/": page(img(*PNGS))}) as site:
        result = crawled(site.source(include=(site.url("/1*.png"),), exclude=("*/11.png",)))
        assert set(result.images) == {site.url("/1.png"), site.url("/10.png")}
        assert memory(result)[0].uri in result.images
