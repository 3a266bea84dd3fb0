"""Feeds: RSS 0.9 to 2.0, Atom, with Media RSS, enclosures and the HTML that their items carry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lxml import etree

from ris_jobs.crawl.web.read import MAX_FOUND, Document, Found, html
from ris_jobs.crawl.web.read.gather import Gathered
from ris_jobs.crawl.web.read.texts import date, is_image_name, text
from ris_jobs.crawl.web.read.xml import child, elements, name

__all__ = ["feed"]

_BODIES = ("description", "encoded", "summary", "content")
_DATES = ("pubdate", "published", "date", "issued")


def feed(body: bytes, url: str) -> Document:
    """What the feed at ``url`` names; an image has the title, link and date of its item."""
    gathered = Gathered(url)
    for count, item in enumerate(elements(body, "item", "entry")):
        if count >= MAX_FOUND:
            break
        _item(item, gathered)
    return Document(kind="feed", images=gathered.images, links=gathered.links)


def _item(item: Any, gathered: Gathered) -> None:
    link = gathered.url(_link(item))
    gathered.link(link)
    title, published = text(child(item, "title")), date(child(item, *_DATES))
    for found in (*_media(item, gathered), *_markup(item, gathered)):
        gathered.image(replace(found, title=title, published_at=published, link=found.link or link))


def _link(item: Any) -> str | None:
    for inner in item:
        is_link = name(inner) == "link" and inner.get("rel") in (None, "alternate")
        if is_link and (written := inner.get("href") or (inner.text or "").strip()):
            return str(written)
    return None


def _media(item: Any, gathered: Gathered) -> Iterator[Found]:
    """Enclosures, iTunes covers, and Media RSS: there, all stand for the widest picture."""
    alt = text(
        next((e.text for e in item.iter("{*}description", "{*}title") if _of_media(e)), None)
    )
    widths = {}
    for element in item.iter("{*}enclosure", "{*}link", "{*}image", "{*}content"):
        if uri := _picture(element, gathered):
            if _of_media(element):
                widths[uri] = _width(element)
            yield Found(uri=uri, alt=alt)
    full = max(widths, key=lambda uri: widths[uri], default=None)
    smaller = [uri for uri in widths if full and widths[uri] < widths[full]]
    thumbnails = [gathered.url(e.get("url")) for e in item.iter("{*}thumbnail")]
    for uri in (*smaller, *filter(None, thumbnails)):
        yield Found(uri=uri, alt=alt, full=full)


def _of_media(element: Any) -> bool:
    return "search.yahoo.com/mrss" in str(element.tag)


def _picture(element: Any, gathered: Gathered) -> str | None:
    """The URL of an image that an element refers to by an attribute."""
    kind = name(element)
    if kind == "link" and element.get("rel") != "enclosure":
        return None
    if kind == "image":  # iTunes
        return gathered.url(element.get("href"))
    uri = gathered.url(element.get("href" if kind == "link" else "url"))
    said = (element.get("type") or element.get("medium") or "").lower()
    return uri if uri and (said.startswith("image") or (not said and is_image_name(uri))) else None


def _width(element: Any) -> int:
    written = element.get("width") or ""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 9 else 0


def _markup(item: Any, gathered: Gathered) -> Iterator[Found]:
    """Images within the HTML of an item, escaped as in RSS or as elements as in Atom's XHTML."""
    for inner in item:
        if name(inner) in _BODIES and not _of_media(inner):
            yield from html.fragment(_html(inner), gathered.base)


def _html(element: Any) -> str:
    if len(element):
        return str(etree.tostring(element, encoding="unicode", method="html"))
    return str(element.text or "")
