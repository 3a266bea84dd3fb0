"""Collects what one document names: each image and link once, and no more than is bearable."""

from __future__ import annotations

from dataclasses import fields, replace

from ris_jobs.crawl.web.read import MAX_FOUND, Found
from ris_jobs.crawl.web.read.texts import absolute

__all__ = ["Gathered"]


class Gathered:
    """Images and links of a document at ``base``, in the order in which they were met."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._urls: dict[str, str | None] = {}
        self._images: dict[str, Found] = {}
        self._links: dict[str, None] = {}

    @property
    def images(self) -> tuple[Found, ...]:
        return tuple(self._images.values())

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(self._links)

    def url(self, written: str | None) -> str | None:
        if not written:
            return None
        if written not in self._urls:
            self._urls[written] = absolute(self.base, written)
        return self._urls[written]

    def image(self, found: Found) -> None:
        """Of an image that is met again, what was not known yet is added."""
        known = self._images.get(found.uri)
        if found.full == found.uri:
            found = replace(found, full=None)
        if known is None and len(self._images) < MAX_FOUND:
            self._images[found.uri] = found
        elif known is not None and known != found:
            self._images[found.uri] = _filled(known, found)

    def link(self, written: str | None) -> None:
        if len(self._links) < MAX_FOUND and (url := self.url(written)):
            self._links[url] = None


def _filled(known: Found, more: Found) -> Found:
    missing = [f.name for f in fields(known) if getattr(known, f.name) is None]
    return replace(known, **{name: getattr(more, name) for name in missing})
