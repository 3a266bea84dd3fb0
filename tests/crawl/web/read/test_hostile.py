"""Whatever the bytes: nothing is raised, and nothing takes long."""

from __future__ import annotations

import gzip
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.crawl.web.read import MAX_FOUND, Document, jsonld, robots
from ris_jobs.crawl.web.read.document import read
from ris_jobs.crawl.web.read.feed import feed
from ris_jobs.crawl.web.read.html import fragment, page
from ris_jobs.crawl.web.read.sitemap import plain_list, sitemap
from ris_jobs.crawl.web.read.srcset import candidates
from ris_jobs.crawl.web.read.texts import MAX_TEXT, absolute, date, is_image_name, text

URL = "https://example.org/a/"

# Pieces of what is read, in any order, with anything between them.
PIECES = [
    b"<html>", b"<base href='//x'>", b"<img src=a.png alt='", b"srcset='a 1x, b 2x'", b"<picture>",
    b"<source srcset=c>", b"<a href=d.jpg>", b"</a>", b"<meta name=robots content=noindex>",
    b'<meta property="og:image" content="', b'<script type="application/ld+json">', b"</script>",
    b'{"@type":"ImageObject","contentUrl":["u",{"url":1}],"datePublished":9}', b"[[", b"<!--",
    b"]]>", b"<?xml version='1.0' encoding='utf-16'?>",
    b"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>",
    b"&e;", b"&#x110000;", b"<urlset>", b"<url><loc>", b"</loc>", b"<image:image>",
    b"<sitemapindex>", b"<rss><channel><item>", b"<link>", b"<entry>", b"</item>", b"\0",
    b"<media:content url='m' width='9' medium='image'/>", b"<description>&lt;img src=x&gt;",
    b"<enclosure url='e' type='image/png'/>", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1f\x8b",
    "é\u202e".encode(), b"http://[", b"http://\\\\x", b"data:",
]  # fmt: skip
MESS = st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=30).map(b"".join)
TYPES = st.none() | st.sampled_from(["text/html", "text/html; charset=utf-7", "text/plain", "x/y"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["@type", "image", "url", "contentUrl", "thumbnail", "datePublished", "@graph"]
            ),
            inner | st.just("ImageObject"),
            max_size=4,
        )
    ),
    max_leaves=20,
)


def well_formed(document: Document) -> None:
    """What is told can be stored and shown."""
    for found in document.images:
        texts = [found.uri, found.alt, found.link, found.full, found.title]
        for said in filter(None, texts):
            assert said.isprintable() and len(said) <= 2000
        assert found.full != found.uri
    for link in (*document.links, *document.sitemaps):
        assert link.isprintable()


@given(MESS, TYPES)
def test_any_document(body: bytes, content_type: str | None) -> None:
    if document := read(body, content_type, URL):
        well_formed(document)


@given(MESS)
def test_any_bytes_as_each_kind(body: bytes) -> None:
    for document in (
        page(body, None, URL),
        sitemap(body, URL),
        feed(body, URL),
        plain_list(body, URL),
    ):
        if document:
            well_formed(document)
    well_formed(Document(kind="page", images=fragment(body.decode("latin-1"), URL)))


@given(JSON)
def test_any_json(value: object) -> None:
    for node in jsonld.nodes(json.dumps(value)):
        for picture in jsonld.pictures(node):
            assert isinstance(picture[0], str)
        published = jsonld.published(node)
        assert published is None or isinstance(published, str)


@given(st.text())
def test_any_text(written: str) -> None:
    said = text(written)
    assert said is None or (said.isprintable() and 0 < len(said) <= MAX_TEXT)
    url = absolute(URL, written)
    assert url is None or url.isprintable()
    is_image_name(written)
    moment = date(written)
    assert moment is None or moment.utcoffset() is not None
    for found, weight in candidates(written):
        assert found and weight > 0


@given(st.binary())
def test_any_robots_txt(body: bytes) -> None:
    rules = robots.Rules(b"User-agent: *\n" + body)
    assert rules.allows(URL) in (True, False) and rules.delay >= 0
    assert all(isinstance(url, str) for url in rules.sitemaps)


@given(st.text())
def test_any_directive(directive: str) -> None:
    assert robots.forbids([directive]) in (
        None,
        "noindex",
        "noimageindex",
        "noai",
        "noimageai",
        "none",
    )
    assert robots.follows([directive, None]) in (True, False)


BOMB = b"<!DOCTYPE x [<!ENTITY a0 'aaaaaaaaaaaaaaaaaaaa'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 20) for n in range(1, 9)
)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<a href=x><img src=y>" * 50_000, id="nested links"),
        pytest.param(b"<img src=a srcset='b 1x, c 2x'>" * 50_000, id="many images"),
        pytest.param(b"<picture>" * 200 + b"<img src=a>" * 20_000, id="nested pictures"),
        pytest.param(b"<img alt='" * 100_000, id="quotes"),
        pytest.param(b"<" * 1_000_000, id="tags"),
        pytest.param(b"<img srcset='" + b"," * 1_000_000 + b"'>", id="commas"),
        pytest.param(b"<img srcset='" + b" " * 1_000_000 + b"'>", id="blanks"),
        pytest.param(
            b'<script type="application/ld+json">' + b"[" * 500_000 + b"</script>", id="nested JSON"
        ),
        pytest.param(b"<urlset>" + b"<x/>" * 100_000, id="many elements"),
        pytest.param(b"<urlset>" + b"<url>" * 100_000, id="nested elements"),
        pytest.param(BOMB + b"]><urlset><url><loc>&a8;</loc></url></urlset>", id="entities"),
        pytest.param(
            BOMB + b"]><rss><item><link a='&a8;'>x</link></item></rss>", id="in attributes"
        ),
        pytest.param(gzip.compress(b"<urlset>" + b"\0" * (200 << 20), 1), id="gzip"),
        pytest.param(gzip.compress(gzip.compress(b"<urlset/>")), id="gzip in gzip"),
    ],
)
def test_bombs_take_little_time(body: bytes) -> None:
    begun = time.process_time()
    read(body, "text/html", URL)
    assert time.process_time() - begun < 10


def test_no_more_is_taken_than_is_bearable() -> None:
    body = b"".join(b"<a href=/p%d><img src=%d.png>" % (n, n) for n in range(3 * MAX_FOUND // 2))
    found = read(body, "text/html", URL)
    assert found and len(found.images) == len(found.links) == MAX_FOUND


def test_entities_and_files_are_left_alone() -> None:
    body = (
        b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'><!ENTITY i 'in'>]>"
        b"<urlset><url><loc>http://a.org/&e;&i;</loc></url><url><loc>http://a.org/b</loc></url></urlset>"
    )
    found = read(body, None, URL)
    assert found and "http://a.org/b" in found.links
    assert not any("root" in link or "in" in link.rpartition("/")[2] for link in found.links)
