"""Pages: which images they show or name, in which sizes, and where they lead.

Read are ``img`` and ``picture`` with their ``srcset`` and the attributes by which scripts load
late, links to image files, Open Graph, Twitter cards, ``link rel=image_src``, microdata and
JSON-LD. Style sheets and scripts are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from lxml import etree
from w3lib.encoding import html_to_unicode

from ris_jobs.crawl.fetch.urls import MAX_URL
from ris_jobs.crawl.web.read import MAX_FOUND, Document, Found, jsonld, robots
from ris_jobs.crawl.web.read.gather import Gathered
from ris_jobs.crawl.web.read.srcset import candidates
from ris_jobs.crawl.web.read.texts import absolute, date, is_image_name, text

__all__ = ["fragment", "page"]

MAX_BYTES = 5 << 20
"""What lies beyond these is not read."""

_MAX_SOURCES = 50  # elements of a picture that are looked at
_SOURCES = ("src", "data-src", "data-lazy-src", "data-original")
_SRCSETS = ("srcset", "data-srcset", "data-lazy-srcset")
_META_IMAGES = (
    "og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src",
    "image", "thumbnailurl",
)  # fmt: skip
_META_ALTS = ("og:image:alt", "twitter:image:alt")
_META_DATES = ("article:published_time", "datepublished", "og:article:published_time")
# 0; url=/there, the word and the quotes perhaps missing.
_REFRESH = re.compile(
    r"""\s*[0-9.]+[;,\s]+(?:url\s*=\s*)?+(?:"([^"]+)|'([^']+)|([^"'].*))""",
    re.IGNORECASE | re.DOTALL,
)
_MAX_REFRESH = 2 * MAX_URL
_FEEDS = ("application/rss+xml", "application/atom+xml")


def page(body: bytes, content_type: str | None, url: str) -> Document:
    """What the page at ``url`` names. ``content_type`` is the header, if there was one."""
    _, unicode = html_to_unicode(content_type, body[:MAX_BYTES], default_encoding="utf-8")
    root = _tree(unicode)
    return Document(kind="page") if root is None else _Page(root, url).document()


def fragment(markup: str, base: str) -> tuple[Found, ...]:
    """The images of a piece of HTML, as feeds carry them."""
    root = _tree(markup[:MAX_BYTES])
    return () if root is None else _Page(root, base).document().images


def _tree(markup: str) -> Any:
    """The root element; None if there is nothing to read. NUL would end libxml2's reading."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
    try:
        data = markup.replace("\0", "").encode("utf-8", "replace")
        return etree.fromstring(data, parser) if data.strip() else None
    except (etree.LxmlError, ValueError):
        return None


class _Page:
    def __init__(self, root: Any, url: str) -> None:
        self._root = root
        bases = root.xpath("//base/@href")
        self._gathered = Gathered(absolute(url, bases[0] if bases else None) or url)
        self._metas = [(_name(m), m.get("content")) for m in root.iter("meta")]
        self._scripts = list(self._json())
        self._published = date(self._meta(*_META_DATES)) or date(
            next((when for node in self._scripts if (when := jsonld.published(node))), None)
        )
        self._title = text(next(iter(root.xpath("//title/text()")), None) or self._meta("og:title"))

    def document(self) -> Document:
        self._heads()
        for element in islice(self._root.iter("img", "a", "area", "link"), 2 * MAX_FOUND):
            self._element(element)
        directives = [content for name, content in self._metas if name == "robots"]
        directives += [f"{robots.TOKEN}: {c}" for n, c in self._metas if n == robots.TOKEN and c]
        return Document(
            kind="page",
            images=tuple(
                replace(found, title=self._title, published_at=self._published)
                for found in self._gathered.images
            ),
            links=self._gathered.links,
            onward=self._onward(),
            forbids=robots.forbids(directives),
            follow=robots.follows(directives),
        )

    def _onward(self) -> str | None:
        """Where ``http-equiv=refresh`` leads; not where it leads browsers without scripts."""
        for meta in self._root.iter("meta"):
            if (meta.get("http-equiv") or "").strip().lower() == "refresh":
                leads = _REFRESH.match((meta.get("content") or "")[:_MAX_REFRESH])
                if leads and next(meta.iterancestors("noscript"), None) is None:
                    return self._gathered.url(leads[1] or leads[2] or leads[3])
        return None

    def _meta(self, *names: str) -> str | None:
        return next((c for n, c in self._metas if n in names and c), None)

    def _json(self) -> Iterator[dict[str, Any]]:
        for script in self._root.iter("script"):
            if (script.get("type") or "").strip().lower() == "application/ld+json":
                yield from jsonld.nodes("".join(script.itertext()))

    def _heads(self) -> None:
        """What the page says of itself to machines."""
        alt = text(self._meta(*_META_ALTS))
        for name, content in self._metas:
            if name in _META_IMAGES:
                self._add(content, alt)
        for node in self._scripts:
            for written, said, full in jsonld.pictures(node):
                self._add(written, text(said), full=self._gathered.url(full))

    def _add(self, written: str | None, alt: str | None, full: str | None = None) -> None:
        if uri := self._gathered.url(written):
            self._gathered.image(Found(uri=uri, alt=alt, full=full))

    def _element(self, element: Any) -> None:
        href = element.get("href")
        relations = (element.get("rel") or "").lower().split()
        if element.tag == "img":
            self._img(element)
        elif element.tag == "link":
            if "image_src" in relations:
                self._add(href, None)
            elif "alternate" in relations and (element.get("type") or "").lower() in _FEEDS:
                self._gathered.link(href)
        elif href and is_image_name(self._gathered.url(href) or ""):
            self._add(href, text(next(iter(element.xpath(".//img/@alt")), None)))
        elif "nofollow" not in relations:
            self._gathered.link(href)

    def _img(self, img: Any) -> None:
        """All sizes of one picture; each but the largest says which that is."""
        link = self._gathered.url(next((a.get("href") for a in img.iterancestors("a")), None))
        sizes = {uri: weight for uri, weight in self._sizes(img) if uri}
        full = max(sizes, key=lambda uri: sizes[uri]) if max(sizes.values(), default=0) else None
        if link and is_image_name(link):
            full = link
        for uri in sizes:
            found = Found(uri=uri, alt=text(img.get("alt")), link=link, full=full)
            self._gathered.image(found)

    def _sizes(self, img: Any) -> Iterator[tuple[str | None, float]]:
        """URLs with their weight in a ``srcset``; 0 for those outside of one."""
        # libxml2 does not know that source is empty, and puts what follows into it.
        picture = next(img.iterancestors("picture"), None)
        inside = () if picture is None else islice(picture.iter(), _MAX_SOURCES)
        sources = [element for element in inside if element.tag == "source"]
        for name in _SOURCES:
            yield self._gathered.url(img.get(name)), 0.0
        for element in (img, *sources):
            for name in _SRCSETS:
                for written, weight in candidates(element.get(name) or ""):
                    yield self._gathered.url(written), weight


def _name(meta: Any) -> str:
    return (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").strip().lower()
