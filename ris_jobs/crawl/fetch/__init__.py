"""One URL's bytes from the web, taken as from a stranger.

Entry point: :class:`ris_jobs.crawl.fetch.fetcher.Fetcher`. It takes a :class:`Policy` and gives
one of the values of :data:`Outcome`; it raises nothing for what a server does, and knows
neither cookies nor proxies. :mod:`~ris_jobs.crawl.fetch.addresses` holds the rule of which
addresses may be connected to, :mod:`~ris_jobs.crawl.fetch.urls` the reading of URLs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ris_jobs import __version__
from ris_jobs.crawl.fetch.addresses import Network
from ris_jobs.errors import ConfigError, Reason

__all__ = [
    "CONTACT", "PORTS", "Failed", "Fetched", "Gone", "Headers", "Known", "NotModified", "Outcome",
    "Policy", "Redirected", "Refused",
]  # fmt: skip

PORTS = frozenset({80, 443, 8080, 8443})
"""Ports that are connected to unless a source says otherwise."""

CONTACT = re.compile(r"https?://[!-~]+|[!-~]+@[!-~]+")
"""What a contact looks like: a URL or mail address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What fetching for one source may do and take.

    ``contact`` (a URL or mail address) is part of the User-Agent; :class:`ConfigError` if it is
    none. ``max_bytes`` bounds a body as it comes and as it is once decoded, ``seconds`` a fetch
    with all its redirects, ``idle_seconds`` the wait for a connection or for the next bytes.
    ``allowed`` are networks that are not public but belong to the source; ``ports`` are those
    that may be connected to.
    """

    contact: str
    max_bytes: int = 256 << 20
    seconds: float = 300
    idle_seconds: float = 20
    redirects: int = 5
    allowed: tuple[Network, ...] = ()
    ports: frozenset[int] = PORTS

    def __post_init__(self) -> None:
        if not CONTACT.fullmatch(self.contact):
            raise ConfigError("contact", f"must be a URL or mail address, not {self.contact!r}")

    @property
    def user_agent(self) -> str:
        return f"ris-jobs/{__version__} (+{self.contact})"


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier fetch of the URL was told: asks for the bytes only if they are others. No URL
    that it leads to is told."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers that matter, as the server sent them; None if it did not, or sent more than
    1,000 characters or such as are not printable ASCII."""

    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    cache_control: str | None = None
    retry_after: str | None = None
    x_robots_tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """``url`` is where it ended, ``redirects`` the URLs that led there, the one asked for first;
    ``seconds`` is the time it took, ``received`` the bytes of the body as they came, encoded."""

    url: str
    redirects: tuple[str, ...]
    seconds: float
    received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched(_Answer):
    """All bytes came; ``size`` and ``sha256`` (64 hex digits) are of the decoded body."""

    status: int
    headers: Headers
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified(_Answer):
    """The bytes are those that are known."""

    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirected(_Answer):
    """The URL leads to another one, ``to``, that was not asked to be followed."""

    status: int
    headers: Headers
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone(_Answer):
    """The server says that there is nothing (404 or 410)."""

    status: int
    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(_Answer):
    """By us: the URL, an address or the content is such as we do not take. ``detail`` is a
    sentence for people; ``asked``: a server answered before."""

    reason: Reason
    detail: str
    asked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(_Answer):
    """The network or the server failed, and may not the next time. ``status`` is the one it gave,
    if any; ``retry_after`` the seconds it asks to wait."""

    reason: Reason
    detail: str
    status: int | None = None
    retry_after: float | None = None


Outcome = Fetched | NotModified | Redirected | Gone | Refused | Failed
