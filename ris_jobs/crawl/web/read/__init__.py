"""What a page, sitemap or feed says: bytes in, values out, whatever the bytes.

Entry point: :func:`ris_jobs.crawl.web.read.document.read`. Nothing here fetches, and nothing that
a site may write raises: what cannot be read is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["MAX_FOUND", "Document", "Found"]

MAX_FOUND = 20_000
"""Images, and links, that are taken from one page or feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An image that a document names.

    ``uri`` is absolute and normalised; as written, if it is no URL to fetch from. ``alt`` and
    ``title`` are texts of the document, ``link`` is where a click on the image leads, ``full`` the
    URI of a larger one that it stands for, ``published_at`` what the document claims.
    """

    uri: str
    alt: str | None = None
    link: str | None = None
    full: str | None = None
    title: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What one document names: ``images`` without repetition, ``links`` to pages, feeds and lists,
    ``sitemaps`` of an index, ``onward`` the page that this one sends browsers on to. ``forbids`` is
    the word by which its own text refuses that its images are taken, if one does; with ``follow``
    False its links are not to be followed.
    """

    kind: Literal["page", "sitemap", "feed", "list"]
    images: tuple[Found, ...] = ()
    links: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    onward: str | None = None
    forbids: str | None = None
    follow: bool = True
