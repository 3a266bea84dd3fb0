"""What a crawl looks at: a source, how much of it, and how politely.

Every value here is checked when it is made; :class:`ConfigError` names the source and the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, get_args

from croniter import croniter

from ris_jobs.crawl.directory import path_of
from ris_jobs.crawl.fetch import CONTACT, PORTS, urls
from ris_jobs.crawl.fetch.addresses import Network
from ris_jobs.errors import ConfigError, UrlRefused

__all__ = ["Kind", "Limits", "Politeness", "Source"]

Kind = Literal["directory", "objects", "urls", "web"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_CREDENTIALS = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|airflow:[A-Za-z0-9_.-]+")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://[^\x00-\x1f\x7f]+", re.IGNORECASE)
_USER = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*:[^/?#]*@", re.IGNORECASE)
_LOCAL = ("file", "local")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one crawl may do; None: no limit of its own.

    ``images`` and ``pages`` are asked for, ``depth`` links followed from the first page,
    ``bytes`` what came over the wire, pages and images together.
    """

    images: int | None = None
    pages: int | None = 10_000
    depth: int = 3
    requests: int | None = None
    bytes: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Politeness:
    """How servers on the web are treated; for kinds ``urls`` and ``web`` alone.

    ``contact`` is a URL or mail address, RIS_CONTACT where it is None. ``delay`` is the least
    seconds between two requests to a host (a longer Crawl-delay of its robots.txt wins),
    ``per_host`` how many of them at a time. ``window`` is a span of the day in UTC, which may pass
    midnight; outside it a crawl stops by itself. ``allowed`` are networks that are not public but
    belong to the source.
    """

    contact: str | None = None
    delay: float = 1.0
    per_host: int = 2
    robots: bool = True
    window: tuple[time, time] | None = None
    allowed: tuple[Network, ...] = ()
    ports: frozenset[int] = PORTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A place that is crawled again and again.

    ``location`` is a folder (``directory``), an fsspec URL (``objects``), the path or URL of a
    list in CSV, JSON lines or Parquet (``urls``), or the URL of a page, sitemap or feed to begin
    at (``web``). ``include`` and ``exclude`` are patterns (fnmatch) for whole URIs of images; of
    the two ``exclude`` wins. ``schedule`` is a cron expression, kept for whoever plans crawls.
    ``credentials`` names a secret and never is one.
    """

    name: str
    kind: Kind
    location: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    schedule: str | None = None
    credentials: str | None = None
    limits: Limits = Limits()
    politeness: Politeness = Politeness()

    def __post_init__(self) -> None:
        for field, ok, problem in (*self._identity(), *self._bounds(), *self._manners()):
            if not ok:
                raise ConfigError(f"source {self.name!r}: {field}", problem)

    def takes(self, uri: str) -> bool:
        """Whether the patterns let an image of this URI in."""
        if self.leaves_out(uri):
            return False
        return not self.include or any(fnmatchcase(uri, pattern) for pattern in self.include)

    def leaves_out(self, uri: str) -> bool:
        """Whether ``exclude`` has a pattern for it."""
        return any(fnmatchcase(uri, pattern) for pattern in self.exclude)

    def _identity(self) -> Iterable[tuple[str, bool, str]]:
        yield (
            "name",
            bool(_NAME.fullmatch(self.name)),
            "must be 1 to 63 small letters, digits, dots, dashes and underscores, "
            "and begin with a letter or digit",
        )
        kinds = get_args(Kind)
        yield "kind", self.kind in kinds, f"must be one of {', '.join(kinds)}, not {self.kind!r}"
        yield "location", *_location(self.kind, self.location)
        for field, texts in (("include", self.include), ("exclude", self.exclude)):
            yield field, all(texts), "must not hold an empty pattern"
        yield "tags", all(map(_is_tag, self.tags)), "must be words of 1 to 100 printable characters"
        yield (
            "schedule",
            self.schedule is None or croniter.is_valid(self.schedule),
            f"must be a cron expression such as '0 1 * * *', not {self.schedule!r}",
        )
        # The value may be a secret that somebody put there: it is not repeated.
        yield (
            "credentials",
            self.credentials is None or bool(_CREDENTIALS.fullmatch(self.credentials)),
            "must be env:NAME or airflow:CONN_ID, and never the secret itself",
        )

    def _bounds(self) -> Iterable[tuple[str, bool, str]]:
        limits = self.limits
        for field in ("images", "pages", "requests", "bytes", "seconds"):
            value = getattr(limits, field)
            yield f"limits.{field}", value is None or value > 0, f"must be above 0, not {value}"
        depth = limits.depth
        yield "limits.depth", 0 <= depth <= 1000, f"must be between 0 and 1000, not {depth}"

    def _manners(self) -> Iterable[tuple[str, bool, str]]:
        manners = self.politeness
        contact, ports = manners.contact, manners.ports
        yield (
            "politeness.contact",
            contact is None or bool(CONTACT.fullmatch(contact)),
            f"must be a URL or mail address, not {contact!r}",
        )
        yield (
            "politeness.delay",
            0 <= manners.delay <= 3600,
            f"must be between 0 and 3600 seconds, not {manners.delay}",
        )
        yield (
            "politeness.per_host",
            1 <= manners.per_host <= 64,
            f"must be between 1 and 64, not {manners.per_host}",
        )
        yield (
            "politeness.window",
            manners.window is None or manners.window[0] != manners.window[1],
            "must begin and end at different times",
        )
        yield (
            "politeness.window",
            all(t.tzinfo is None for t in manners.window or ()),
            "must be in UTC, without an offset, such as 22:00-06:00",
        )
        yield (
            "politeness.ports",
            bool(ports) and all(0 < port < 65536 for port in ports),
            "must be ports between 1 and 65535",
        )


def _location(kind: str, location: str) -> tuple[bool, str]:
    if _USER.match(location):
        return False, "must not hold a password: name it by credentials"
    scheme = found.group(1).lower() if (found := _URL.fullmatch(location)) else None
    if kind == "web" or (kind == "urls" and scheme in ("http", "https")):
        return _readable(location)
    if kind == "objects":
        remote = scheme not in (None, "http", "https", *_LOCAL)
        return remote, "must be a URL such as s3://bucket/folder"
    if kind == "directory":
        return Path(location).is_absolute(), "must be the absolute path of a folder"
    if scheme == "file":
        return _a_path(location)
    return bool(scheme) or Path(location).is_absolute(), "must be an absolute path or a URL"


def _a_path(uri: str) -> tuple[bool, str]:
    try:
        path_of(uri)
    except ValueError as e:
        return False, f"cannot be read: {e}"
    return True, ""


def _readable(url: str) -> tuple[bool, str]:
    try:
        urls.parse(url)
    except UrlRefused as e:
        return False, f"cannot be fetched: {e.detail}"
    return True, ""


def _is_tag(text: str) -> bool:
    return 0 < len(text) <= 100 and text.isprintable() and text == text.strip() and "," not in text
