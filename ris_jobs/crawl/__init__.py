"""What exists: sources are walked, and each URI's bytes are observed.

Entry points: :func:`ris_jobs.crawl.directory.walk`, :class:`ris_jobs.crawl.objects.Objects`; what
to crawl is a :class:`ris_jobs.crawl.source.Source`. The stage is pure in the sense of the
project: it reads the source it is given and returns values; it writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ris_jobs.errors import Reason

__all__ = ["Failure", "Going", "Listing", "Observation"]

Going = Callable[[], bool]
"""What a listing asks before it asks its place for more: whether to go on."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One URI as its source lists it, before any byte is read.

    ``version`` is an opaque token that changes when the bytes may have changed (size and
    modification time of a file, the ETag of an object); two equal tokens cost no read.
    """

    uri: str
    version: str
    size: int
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Observation:
    """This URI showed these bytes at this time.

    Exactly one of ``sha256`` (64 hex digits) and ``reason`` is set: a URI whose bytes could
    not be read is observed too, with the reason and a sentence in ``detail``.
    ``modified_at`` is the source's claim about its own date, never our sighting; ``etag`` and
    ``last_modified`` are what a web server sent, to ask it later whether the bytes are others;
    ``answered_by`` is the URL that sent them, None if it is ``uri``.
    """

    uri: str
    seen_at: datetime
    version: str
    size: int
    modified_at: datetime | None
    sha256: str | None = None
    reason: Reason | None = None
    detail: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    answered_by: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The URI is named, but could not be asked for its bytes: what it showed before may still be
    there. ``retry_after`` is the least seconds to wait before it is asked again, if that was said.
    """

    uri: str
    reason: Reason
    detail: str
    retry_after: float | None = None
