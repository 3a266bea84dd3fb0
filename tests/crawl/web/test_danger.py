"""What a site may do to a crawl, through the spider: refused, ended, and nothing else harmed."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from time import monotonic

import pytest
from aiohttp import web

from tests.crawl.fetch.test_targets import TARGETS
from tests.crawl.web.crawled import crawled
from tests.crawl.web.site import PICTURE, Answer, image, img, links, page, served, xml

PNGS = {f"/{n}.png": image(n) for n in range(3)}


def redirect(to: str) -> Answer:
    return Answer(status=302, headers={"Location": to})


def endless(piece: bytes, pause: float) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def write(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(piece)
            await asyncio.sleep(pause)

    return write


def test_what_drips_ends_with_the_time_of_its_crawl_and_is_left_to_the_next() -> None:
    drips = {"/drip.png": endless(PICTURE[:20], 0.3), "/page": endless(b"<p>", 0.2)}
    with served(PNGS | drips | {"/": page(img("/0.png", "/drip.png"), links("/page"))}) as site:
        begun = monotonic()
        result = crawled(site.source(seconds=6))
        assert monotonic() - begun < 60  # each of them would have 300
        assert (result.ended.why, result.ended.limited) == ("budget of time", True)
        assert set(result.images) == {site.url("/0.png")}
        assert site.paths["/drip.png"] == 1


def test_what_drips_for_a_fair_time_failed_though_the_crawl_has_no_more() -> None:
    drip = endless(PICTURE[:20], 0.3)
    with served({"/": page(img("/drip.png")), "/drip.png": drip}) as site:
        result = crawled(site.source(seconds=6), seconds=10)
        assert result.ended.why == "budget of time"
        assert result.outcomes() == {site.url("/drip.png"): "timed-out"}
        assert result.images[site.url("/drip.png")].outcome == "failed"


def test_images_and_redirects_that_lead_inside_are_refused_one_by_one() -> None:
    """The site is allowed by its address; the targets are that of another, and worse."""
    with served({"/": image()}) as inner, served({"/ok.png": image("ok")}, "127.0.0.91") as site:
        targets = [t.replace("PORT", str(inner.port)) for t in TARGETS]
        assert len(targets) >= 40
        site.pages |= {f"/to/{n}.png": redirect(target) for n, target in enumerate(targets)}
        site.pages["/"] = page(img(*targets), img(*(p for p in site.pages if ".png" in p)))
        ports = frozenset({80, site.port, inner.port})
        told = crawled(site.source(ports=ports)).outcomes()
        assert told.pop(site.url("/ok.png")) == "fetched"
        assert set(told.values()) == {"url-refused", "address-refused"}, told
        assert all(site.url(f"/to/{n}.png") in told for n in range(len(targets)))
        shown = [uri for uri in told if not uri.startswith(site.url("/to/"))]
        assert len(shown) >= 40  # some spellings are one URL
        assert not inner.log and len(site.log) == len(targets) + 3


def test_links_and_sitemaps_that_lead_inside_are_not_followed() -> None:
    with (
        served({"/": page(), "/s.xml": xml("<urlset/>")}, "127.0.0.1") as inner,
        served({}) as site,
    ):
        bad = [inner.url("/"), "http://169.254.169.254/latest/", "file:///etc/passwd"]
        site.pages["/"] = page(links(*bad, "/away"), f'<base href="{inner.url("/")}">')
        site.pages["/away"] = redirect(inner.url("/"))
        lines = ["User-agent: *", *(f"Sitemap: {url}s.xml" for url in bad)]
        site.pages["/robots.txt"] = Answer("\n".join(lines).encode())
        crawled(site.source(ports=frozenset({80, site.port, inner.port})))
        assert not inner.log and set(site.paths) == {"/robots.txt", "/"}


def test_redirects_end() -> None:
    pages = {f"/chain/{n}": redirect(f"/chain/{n + 1}") for n in range(9)}
    pages |= {"/loop/a": redirect("/loop/b"), "/loop/b": redirect("/loop/a")}
    pages |= {
        "/self": redirect("/self"),
        "/short": redirect("/0.png"),
        "/odd": redirect("/['x'].png"),
    }
    pages |= {"/page": redirect("/loop/page"), "/loop/page": redirect("/page")}
    pages["/['x'].png"] = image("odd")
    shown = ("/chain/0", "/loop/a", "/self", "/short", "/odd")
    with served(PNGS | pages | {"/": page(img(*shown), links("/page"))}) as site:
        result = crawled(site.source())
        told = {uri.removeprefix(site.url("")): said for uri, said in result.outcomes().items()}
        assert told == dict.fromkeys(shown[:3], "too-many-redirects") | dict.fromkeys(
            shown[3:], "fetched"
        )
        ended = [*(f"/chain/{n}" for n in range(6)), "/loop/a", "/loop/b", "/self", "/page"]
        ended += ["/short", "/0.png", "/odd", "/['x'].png", "/loop/page", "/", "/robots.txt"]
        assert site.paths == dict.fromkeys(ended, 1)
        assert result.ended.complete


def onward(path: str, *shown: str) -> Answer:
    return page(f'<meta http-equiv="refresh" content="0; url={path}">', *shown)


def test_pages_that_send_on_are_followed_as_redirects_are() -> None:
    pages = {f"/chain/{n}": onward(f"/chain/{n + 1}", img(f"/{n % 3}.png")) for n in range(9)}
    pages |= {"/loop/a": onward("/loop/b"), "/loop/b": onward("/loop/a")}
    pages |= {"/self": onward("/self"), "/no": onward("/0.pdf")}
    pages |= {"/quiet": onward("/9.html", '<meta name="robots" content="nofollow">')}
    with served({"/": page()}, "127.0.0.1") as inner, served(PNGS | pages) as site:
        site.pages["/away"] = onward(inner.url("/"))
        site.pages["/"] = onward("/chain/0")
        site.pages["/chain/0"] = page(
            links("/chain/1", "/loop/a", "/self", "/no", "/quiet", "/away"),
        )
        ports = frozenset({site.port, inner.port})
        result = crawled(site.source(ports=ports, depth=1))
        read = [f"/chain/{n}" for n in range(7)]
        read += ["/loop/a", "/loop/b", "/self", "/no", "/quiet", "/away", "/", "/robots.txt"]
        assert {p: n for p, n in site.paths.items() if ".png" not in p} == dict.fromkeys(read, 1)
        assert set(result.outcomes().values()) == {"fetched"}
        assert not inner.log and result.ended.complete


@pytest.mark.parametrize("path", ["http://127.0.0.1/", "/gone", "/0.pdf"])
def test_a_first_page_that_sends_on_to_nowhere_is_said(path: str) -> None:
    with served({}) as site:
        site.pages["/"] = onward(path)
        ended = crawled(site.source()).ended
        assert not ended.complete
        assert path in ended.why and ("not followed" in ended.why or "404" in ended.why)


@pytest.mark.parametrize("to", ["/home", "/"])
def test_a_first_page_that_shows_itself_anew_is_read(to: str) -> None:
    """A redirect leads to it, and it sends browsers to itself or to where they began."""
    with served({"/": redirect("/home"), "/0.png": image(0)}) as site:
        site.pages["/home"] = onward(to, img("/0.png"))
        result = crawled(site.source())
    assert set(result.outcomes().values()) == {"fetched"}
    assert result.ended.complete and not result.ended.lost


def test_a_first_page_that_sends_on_to_what_was_asked_for_is_read() -> None:
    """Its address is of an index of sitemaps that robots.txt names, too."""
    with served({"/0.png": image(0)}) as site:
        site.pages["/robots.txt"] = Answer(b"Sitemap: /list\n", "text/plain")
        site.pages["/list"] = page(img("/0.png"))
        site.pages["/"] = onward("/list")
        result = crawled(site.source())
    assert set(result.outcomes().values()) == {"fetched"}
    assert site.paths["/list"] == 1 and result.ended.complete


def test_bodies_without_end_and_bombs_end() -> None:
    bomb = gzip.compress(b"\0" * (64 << 20), 1)
    pages = {
        "/drip.png": endless(PICTURE[:20], 0.3),
        "/flood.png": endless(PICTURE + b"\0" * 65536, 0.0),
        "/page": endless(b"<p>", 0.2),
        "/bomb.png": Answer(PICTURE + bomb, "image/png", headers={"Content-Encoding": "gzip"}),
        "/bomb": Answer(bomb, headers={"Content-Encoding": "gzip"}),
        "/bomb.xml": Answer(bomb, "application/gzip"),
        "/text.png": page(),
        "/drawing.png": Answer(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        "/cut.png": Answer(PICTURE[:3], "image/png", headers={"Content-Length": "3"}),
        "/odd": Answer("<title>é</title><img alt='é' src=/2.png>".encode("utf-16"), "text/html"),
        "/robots.txt": Answer(b"Sitemap: /bomb.xml\nSitemap: /nothing.xml"),
    }
    shown = img(*(path for path in pages if path.endswith(".png")), "/0.png")
    with served(PNGS | pages | {"/": page(shown, links("/page", "/bomb", "/odd"))}) as site:
        result = crawled(site.source(), max_bytes=1 << 20, seconds=2, idle_seconds=1)
        told = {uri.removeprefix(site.url("/")): said for uri, said in result.outcomes().items()}
        assert told == {
            "drip.png": "timed-out", "flood.png": "too-large", "bomb.png": "bad-response",
            "text.png": "not-an-image", "drawing.png": "not-an-image", "cut.png": "not-an-image",
            "0.png": "fetched", "2.png": "fetched",
        }  # fmt: skip
        where = result.images[site.url("/2.png")].where
        assert where and (where.title, where.alt) == ("é", "é")
        assert not result.ended.complete and "/page was not read" in result.ended.why
        assert site.paths["/drip.png"] == 1 and site.paths["/bomb.png"] == 3


def test_credentials_go_to_the_source_alone() -> None:
    with (
        served({"/far.png": image("far")}, "127.0.0.78") as other,
        served(PNGS) as site,
    ):
        site.pages |= {"/": page(img("/0.png", "/to.png", other.url("/far.png")))}
        site.pages["/to.png"] = redirect(other.url("/far.png?to"))
        other.pages["/far.png?to"] = image("to")
        source = site.source(
            ports=frozenset({site.port, other.port}), allowed=(ip_network("127.0.0.76/30"),)
        )
        result = crawled(source, authorization="Bearer secret")
        assert set(result.outcomes().values()) == {"fetched"}
        assert {hit.headers.get("Authorization") for hit in site.log} == {"Bearer secret"}
        assert other.log and not any("Authorization" in hit.headers for hit in other.log)
