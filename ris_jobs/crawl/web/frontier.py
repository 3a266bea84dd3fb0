"""What is still to be asked for: pages level by level, each page and each image once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from ris_jobs.crawl.fetch.urls import parse
from ris_jobs.crawl.source import Source
from ris_jobs.crawl.web.errand import MAX_HOPS, Errand
from ris_jobs.crawl.web.known import Memory
from ris_jobs.crawl.web.places import Places
from ris_jobs.crawl.web.read.texts import suffix
from ris_jobs.crawl.web.values import Image, Where
from ris_jobs.errors import Reason, UrlRefused

__all__ = ["Frontier", "site"]

MAX_NESTING = 3
"""Indexes of sitemaps that may hold one another."""

# Links that end like these lead to no page; a name without a dot, or with another, may.
_NO_PAGES = frozenset([
    ".7z", ".apk", ".avi", ".bz2", ".css", ".csv", ".deb", ".dmg", ".doc", ".docx", ".eot", ".epub",
    ".exe", ".flac", ".gz", ".ico", ".iso", ".jar", ".js", ".json", ".m4a", ".m4v", ".mkv", ".mov",
    ".mp3", ".mp4", ".mpeg", ".mpg", ".msi", ".odp", ".ods", ".odt", ".ogg", ".ogv", ".otf", ".pdf",
    ".pkg", ".ppt", ".pptx", ".ps", ".rar", ".rpm", ".rtf", ".svg", ".svgz", ".swf", ".tar", ".tgz",
    ".ttf", ".wasm", ".wav", ".webm", ".wma", ".wmv", ".woff", ".woff2", ".xls", ".xlsx", ".xz",
    ".zip", ".zst",
])  # fmt: skip


class Frontier:
    """``hosts`` are those of the site. ``pages`` were asked for, sitemaps and feeds among them.
    ``missed`` says what was in reach and not asked for, the first of it; None if nothing was.
    ``full``: some of it was left because of the limit of images. ``places`` knows which pages
    images are said to be on."""

    def __init__(self, source: Source, memory: Memory) -> None:
        self._source = source
        self._limits = source.limits
        self._memory = memory
        self.hosts = site(source.location)
        self.places = Places(memory)
        self.pages = 0
        self.missed: str | None = None
        self.full = False
        self._level = 0
        self._next: list[Errand] = []
        self._documents: set[str] = set()
        self._asked: set[str] = set()
        self._images = memory.counted
        self._named: set[str] = set()
        self._later: dict[str, Where] = {}
        self._withheld: dict[str, Image] = {}

    def miss(self, why: str) -> None:
        self.missed = self.missed or why

    def document(self, url: str, depth: int, kind: str = "page") -> Iterator[Errand]:
        """A page to be asked for now, if it is new and in reach; one that lies deeper waits."""
        if kind == "page" and (depth > self._limits.depth or not self._is_page(url)):
            return
        if not self._new(url):
            return
        if kind == "page":
            errand = Errand("page", url, depth)
            if depth > self._level:
                self._next.append(errand)
                return
        elif depth >= MAX_NESTING:
            return
        else:
            errand = Errand("sitemap", url, depth)
        yield from self._counted(errand)

    def onward(self, errand: Errand, url: str) -> Iterator[Errand]:
        """The page that another one sends on to, which is as near to the first as that one is."""
        if errand.hops < MAX_HOPS and self._is_page(url) and self._new(url):
            yield from self._counted(Errand("page", url, errand.depth, hops=errand.hops + 1))

    def arrived(self, url: str) -> bool:
        """Whether the page that a redirect ended at is a new one."""
        return self._new(url)

    def asked(self, url: str) -> bool:
        """Whether a page was asked for, or a redirect ended at it."""
        return url in self._documents

    def _new(self, url: str) -> bool:
        known = url in self._documents
        self._documents.add(url)
        return not known

    def _is_page(self, url: str) -> bool:
        try:
            return parse(url).host in self.hosts and suffix(url) not in _NO_PAGES
        except UrlRefused:
            return False

    def _counted(self, errand: Errand) -> Iterator[Errand]:
        if self._limits.pages is not None and self.pages >= self._limits.pages:
            self.miss("limit of pages")
        elif not self._is_full():
            self.pages += 1
            yield errand

    def names(self, uri: str) -> bool:
        """Whether an image that waits is named, for the first time."""
        if uri in self._named or not self._memory.waits(uri) or not self._source.takes(uri):
            return False
        self._named.add(uri)
        return True

    def image(
        self, uri: str, where: Where, *, forbidden: str | None = None, later: bool = False
    ) -> Iterator[Errand]:
        """An image to be asked for now, if it is new and the source wants it. ``forbidden`` is why
        this page does not allow it: another may. With ``later``, another may know more of it."""
        if uri in self._asked or uri in self._memory or not self._source.takes(uri):
            return
        if forbidden is not None:
            if uri not in self._withheld or self.places.stays(uri, where):
                self._withheld[uri] = _withheld(uri, where, forbidden)
        elif later:
            if uri not in self._later or self.places.stays(uri, where):
                self._later[uri] = where
        elif not self._is_full():
            self._asked.add(uri)
            self._images += 1
            yield Errand("image", uri, where=self.places.first(uri, where))

    def _is_full(self) -> bool:
        """Asked when there is something to ask for."""
        if self._limits.images is None or self._images < self._limits.images:
            return False
        self.full = True
        self.miss("limit of images")
        return True

    def rest(self) -> list[Errand]:
        """What waits, once all that was asked for is there: the next level of pages, and after the
        last the images that only sitemaps name."""
        errands: list[Errand] = []
        while not errands and self._next:
            self._level += 1
            level, self._next = self._next, []
            errands = [counted for errand in level for counted in self._counted(errand)]
        if not errands:
            later, self._later = self._later, {}
            errands = [e for uri, where in later.items() for e in self.image(uri, where)]
        return errands

    def withheld(self) -> Iterator[Image]:
        """Images that no page allows to take."""
        now = datetime.now(UTC)
        for uri, image in self._withheld.items():
            if uri not in self._asked:
                assert image.where
                yield replace(image, seen_at=now, where=self.places.first(uri, image.where))


def _withheld(uri: str, where: Where, word: str) -> Image:
    return Image(
        uri=uri,
        outcome="refused",
        seen_at=datetime.now(UTC),
        reason=Reason.NOINDEX,
        detail=f"the page it is on does not want it taken: it says {word}",
        where=where,
    )


def site(location: str) -> frozenset[str]:
    """The hosts that are one site: that of a URL, with ``www.`` and without."""
    try:
        host = parse(location).host
    except UrlRefused:
        return frozenset()
    bare = host.removeprefix("www.")
    return frozenset({host, bare, f"www.{bare}"})
