"""Tells a page from a sitemap, a feed or a list, by what it is and not by its name."""

from __future__ import annotations

import io

from ris_jobs.crawl.fetch.body import BadBody, Body
from ris_jobs.crawl.web.read import Document
from ris_jobs.crawl.web.read.feed import feed
from ris_jobs.crawl.web.read.html import page
from ris_jobs.crawl.web.read.sitemap import MAX_BYTES, plain_list, sitemap
from ris_jobs.crawl.web.read.xml import root_name
from ris_jobs.errors import ImageRejected

__all__ = ["read"]

_GZIP = b"\x1f\x8b"
_SITEMAPS = ("urlset", "sitemapindex")
_FEEDS = ("rss", "feed", "rdf")


def read(body: bytes, content_type: str | None, url: str) -> Document | None:
    """What the document at ``url`` says; None if it is none of those that are read, or packed
    with gzip and larger than 50 MiB unpacked."""
    if body.startswith(_GZIP) and (body := _unpacked(body)).startswith(_GZIP):
        return None
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == "text/plain" and (found := plain_list(body, url)):
        return found
    root = root_name(body) if _begins_a_tag(body) else None
    if root in _SITEMAPS:
        return sitemap(body, url)
    if root in _FEEDS:
        return feed(body, url)
    if root is not None or "html" in kind:
        return page(body, content_type, url)
    return None


def _begins_a_tag(body: bytes) -> bool:
    """In any encoding that has ASCII within it, UTF-16 with a byte order mark too."""
    head = (
        body[:64].removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    )
    return head.lstrip(b"\0 \t\r\n").startswith(b"<")


def _unpacked(body: bytes) -> bytes:
    into = io.BytesIO()
    unpacking = Body(into, "gzip", MAX_BYTES, is_image=False)
    try:
        unpacking.feed(body)
        unpacking.end()
    except (BadBody, ImageRejected):
        return b""
    return into.getvalue()
