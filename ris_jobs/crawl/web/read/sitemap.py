"""Sitemaps (sitemaps.org, protocol 0.9) with images and news, indexes of them, and plain lists."""

from __future__ import annotations

from typing import Any

from ris_jobs.crawl.web.read import Document, Found
from ris_jobs.crawl.web.read.gather import Gathered
from ris_jobs.crawl.web.read.texts import absolute, date, text
from ris_jobs.crawl.web.read.xml import child, elements, name

__all__ = ["MAX_BYTES", "plain_list", "sitemap"]

MAX_BYTES = 50 << 20
"""The most a sitemap may have, unpacked; the protocol's own limit."""

_MAX_ENTRIES = 50_000  # the protocol's own limit, too


def sitemap(body: bytes, url: str) -> Document:
    """What the sitemap or index at ``url`` names, at most 50,000 entries."""
    gathered, sitemaps = Gathered(url), []
    for count, entry in enumerate(elements(body, "url", "sitemap")):
        if count >= _MAX_ENTRIES:
            break
        where = absolute(url, child(entry, "loc"))
        if name(entry) == "sitemap":
            sitemaps += [where] if where else []
            continue
        gathered.link(where)
        _images(entry, where, gathered)
    return Document(
        kind="sitemap",
        images=gathered.images,
        links=gathered.links,
        sitemaps=tuple(dict.fromkeys(sitemaps)),
    )


def _images(entry: Any, page: str | None, gathered: Gathered) -> None:
    published = date(next((e.text for e in entry.iter("{*}publication_date")), None))
    for image in entry.iter("{*}image"):
        if uri := gathered.url(child(image, "loc")):
            alt = text(child(image, "caption", "title"))
            gathered.image(Found(uri=uri, alt=alt, link=page, published_at=published))


def plain_list(body: bytes, url: str) -> Document | None:
    """A text with a URL a line; None if it is anything else."""
    lines = body.decode("utf-8-sig", "replace").split("\n")
    written = [line.strip() for line in lines[: _MAX_ENTRIES + 1] if line.strip()]
    if not written or not all(w.lower().startswith(("http://", "https://")) for w in written):
        return None
    gathered = Gathered(url)
    for line in written[:_MAX_ENTRIES]:
        gathered.link(line)
    return Document(kind="list", links=gathered.links)
