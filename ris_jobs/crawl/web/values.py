"""What a crawl of the web is asked for, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from ris_jobs.crawl.fetch import CONTACT
from ris_jobs.crawl.source import Source
from ris_jobs.errors import ConfigError, Reason

__all__ = ["Ended", "Event", "Host", "Image", "Named", "Order", "Outcome", "Placed", "Where"]

Outcome = Literal["fetched", "not_modified", "gone", "refused", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One crawl of a source of kind ``web`` or ``urls``.

    ``contact`` is a URL or mail address for the User-Agent, ``max_bytes`` of one image. ``images``
    (kind ``urls``) are JSON lines ``{"uri", "columns"}``, ``known`` is a file that
    :func:`ris_jobs.crawl.web.known.write` made. Fetched images are written to ``spool``, an empty
    folder of this crawl. ``authorization`` is a header for the origin of the location alone.
    ``turns`` is a file by which crawls that run at once take turns at a host; None: they do not.
    ``seconds`` bounds one request, ``idle_seconds`` the wait within. :class:`ConfigError` if the
    contact is none.
    """

    source: Source
    contact: str
    max_bytes: int
    images: Path | None
    known: Path
    spool: Path
    authorization: str | None = field(repr=False)
    turns: Path | None = None
    seconds: float = 300
    idle_seconds: float = 20

    def __post_init__(self) -> None:
        if not CONTACT.fullmatch(self.contact):
            raise ConfigError("contact", f"must be a URL or mail address, not {self.contact!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where an image was found: the URL and title of the page, sitemap or feed, the image's text
    there, the link around it, the date that the page claims, the URI of a larger one that it
    stands for; the other columns, if it was found in a list."""

    page: str | None = None
    title: str | None = None
    alt: str | None = None
    link: str | None = None
    published_at: datetime | None = None
    full: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What became of one image URL, told once a crawl.

    ``uri`` is what was asked for, ``answered_by`` the URL that it redirected to, None if it did not
    and where nothing was fetched. With ``fetched``, ``path`` is a file
    in the spool that holds the bytes, safe against a loss of power; whoever takes the event moves
    or deletes it. ``retry_after`` are seconds that the server asks to wait. ``where`` is None if
    that is told by :class:`Placed`, or is as it was before.
    """

    uri: str
    outcome: Outcome
    seen_at: datetime
    path: Path | None = None
    sha256: str | None = None
    size: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    answered_by: str | None = None
    reason: Reason | None = None
    detail: str | None = None
    retry_after: float | None = None
    where: Where | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An image that waits is still named; told once a crawl."""

    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where an image was found that was told without it."""

    uri: str
    where: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """All that a host was asked for until now: requests that went out, bytes of bodies as they
    came, seconds that requests took, requests that failed, seconds that it told us to wait."""

    host: str
    requests: int
    bytes: int
    seconds: float
    failed: int
    waited: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The last event. ``complete``: every page and image that was in reach was asked for, so that
    what was not seen is no longer linked. ``limited``: there is more to ask for, and would be less
    if the images of this crawl were left out. ``lost``: what it begins at could not be read, and
    nothing else named an image, or it was stopped before anything was answered. ``pages`` counts
    pages, sitemaps and feeds asked for.
    """

    complete: bool
    limited: bool
    why: str
    pages: int
    lost: bool = False


Event = Image | Named | Placed | Host | Ended
