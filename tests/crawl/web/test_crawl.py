"""Whole crawls of sites on loopback, held against the site's own log."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

from ris_jobs.crawl.web import Image, crawl
from ris_jobs.crawl.web.known import Before
from tests.crawl.web.crawled import Crawled, crawled, memory, order
from tests.crawl.web.gallery import gallery
from tests.crawl.web.site import Answer, Site, image, img, links, page, served, xml

PAGES = 2000


def totals(crawl: Crawled, site: Site) -> None:
    """What was told of hosts is what the site saw."""
    (host,) = crawl.hosts.values()
    assert (host.host, host.requests, host.bytes) == (site.host, len(site.log), site.sent)


def test_a_large_site_is_asked_for_each_thing_once_and_then_only_for_what_changed() -> None:
    with served({}) as site:
        made = gallery(site, PAGES)
        site.pages = made.pages
        first = crawled(site.source(), max_bytes=1 << 20)
        asked = dict.fromkeys([*made.pages, *made.missing], 1)
        assert site.paths == asked
        outcomes = dict.fromkeys(made.images, "fetched") | made.outcomes
        assert first.outcomes() == {site.url(path): found for path, found in outcomes.items()}
        assert min(len(made.documents), len(made.images)) > PAGES
        assert first.ended.complete and first.ended.why == "finished"
        assert first.ended.pages == len(made.documents) - 1  # robots.txt is none
        totals(first, site)
        where = first.images[site.url("/small/77.png")].where
        assert where and (where.title, where.alt) == ("Page 77", "Picture 77")
        assert where.full == site.url("/large/77.png") and where.page == site.url("/page/77")
        assert where.published_at == datetime(2026, 1, 22, tzinfo=UTC)

        site.log.clear()
        changed = made.images["/small/3.png"] = image("other bytes", ETag='"new"')
        site.pages = made.pages
        second = crawled(site.source(), memory(first))
        outcomes = {p: "not_modified" if o == "fetched" else o for p, o in outcomes.items()}
        outcomes["/small/3.png"] = "fetched"
        assert second.outcomes() == {site.url(path): found for path, found in outcomes.items()}
        images = [hit for hit in site.log if hit.path.endswith(".png") and hit.status != 404]
        assert {h.path: h.sent for h in images if h.sent} == {"/small/3.png": len(changed.body)}
        assert site.paths == asked
        totals(second, site)


def test_fetched_bytes_are_in_the_spool_when_they_are_told(tmp_path: Path) -> None:
    answers = {f"/{n}.png": image(n) for n in range(20)}
    with served({**answers, "/": page(img(*answers))}) as site:
        for event in crawl(order(tmp_path, site.source())):
            if isinstance(event, Image):
                assert event.path and event.path.parent == tmp_path / "spool"
                data = event.path.read_bytes()
                assert data == answers[event.uri.removeprefix(site.url(""))].body
                assert (event.sha256, event.size) == (hashlib.sha256(data).hexdigest(), len(data))
                event.path.unlink()
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_this_crawl_has_already_is_not_asked_for_again() -> None:
    with served(
        {"/": page(img("/a.png", "/b.png")), "/a.png": image(), "/b.png": image(1)}
    ) as site:
        known = [Before(uri=site.url("/a.png"), done=True, counts=True)]
        result = crawled(site.source(), known)
        assert set(result.images) == {site.url("/b.png")} and site.paths["/a.png"] == 0


def test_an_image_that_comes_and_goes() -> None:
    answers = iter([Answer(status=404), image(1), image(2), Answer(status=410)])
    with served({"/": page(img("/a.png")), "/a.png": answers}) as site:
        results = [next(iter(crawled(site.source()).images.values())) for _ in range(4)]
    assert [r.outcome for r in results] == ["gone", "fetched", "fetched", "gone"]
    assert results[1].sha256 != results[2].sha256


def test_links_are_followed_so_far_and_on_this_site_only() -> None:
    chain = {f"/{n}": page(links(f"/{n + 1}"), img(f"/{n}.png")) for n in range(6)}
    with (
        served({"/far.png": image("far")}, "127.0.0.78") as other,
        served(chain | {f"/{n}.png": image(n) for n in range(6)}) as site,
    ):
        site.pages["/0"] = page(
            links("/1", "/file.pdf", other.url("/page"), "/0#part", "mailto:x@example.org"),
            img(other.url("/far.png"), "/0.png", "data:image/png;base64,AAAA"),
        )
        result = crawled(
            site.source(
                "/0",
                depth=2,
                ports=frozenset({site.port, other.port}),
                allowed=(ip_network("127.0.0.76/30"),),
            )
        )
        assert set(site.paths) == {"/robots.txt", "/0", "/1", "/2", "/0.png", "/1.png", "/2.png"}
        assert set(other.paths) == {"/robots.txt", "/far.png"}
        assert result.ended.complete and result.ended.pages == 3


def test_feeds_and_lists_of_pages_are_read() -> None:
    with served({f"/{n}.png": image(n) for n in range(4)}) as site:
        site.pages["/feed"] = xml(
            '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><item>'
            "<title>News</title><link>/story</link><pubDate>Tue, 03 Nov 2026 10:00:00 GMT</pubDate>"
            '<media:content url="/0.png" medium="image"/>'
            '<enclosure url="/1.png" type="image/png" length="9"/></item></channel></rss>'
        )
        site.pages["/story"] = page(img("/2.png", "/0.png"))
        site.pages["/list"] = Answer(site.url("/listed").encode(), "text/plain")
        site.pages["/listed"] = page(img("/3.png"))
        result = crawled(site.source("/feed"))
        where = result.images[site.url("/0.png")].where
        assert where and (where.page, where.title) == (site.url("/feed"), "News")
        assert where.link == site.url("/story")
        assert where.published_at == datetime(2026, 11, 3, 10, tzinfo=UTC)
        assert set(result.images) == {site.url(f"/{n}.png") for n in range(3)}
        assert set(crawled(site.source("/list")).images) == {site.url("/3.png")}


def test_a_list_of_images_with_its_columns(tmp_path: Path) -> None:
    with served({f"/{n}.png": image(n) for n in range(300)}) as site:
        uris = [*(site.url(f"/{n}.png") for n in range(300)), site.url("/0.png"), "no url", ""]
        lines = tmp_path / "images.jsonl"
        rows = ({"uri": uri, "columns": {"row": str(n)}} for n, uri in enumerate(uris))
        lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
        result = crawled(site.source(kind="urls", location="/list.csv"), images=lines)
        assert site.paths == dict.fromkeys(["/robots.txt", *(f"/{n}.png" for n in range(300))], 1)
        where = result.images[site.url("/7.png")].where
        assert where and where.columns == {"row": "7"} and where.page is None
        assert result.outcomes()["no url"] == "url-refused"
        assert result.ended.complete and result.ended.pages == 0
        totals(result, site)
