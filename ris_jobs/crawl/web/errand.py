"""What a request is made for, and the ways in which it may come to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from ris_jobs.crawl.web.values import Where
from ris_jobs.errors import Reason

__all__ = [
    "BUSY",
    "MAX_DELAY",
    "MAX_HOPS",
    "Broken",
    "Declined",
    "Errand",
    "Stopped",
    "errand_of",
    "later",
    "request",
]

BUSY = (429, 503)
"""Statuses of a host that is asked too much."""

MAX_HOPS = 5
"""Pages in a row that send on to another one."""

MAX_DELAY = 120.0
"""Seconds between two requests, or until the next, that a host may ask for; what asks for more is
left alone."""


@dataclass(frozen=True, slots=True)
class Errand:
    """``uri`` is what was asked for first, before any redirect; ``depth`` how many links lead from
    a first page to a page, or how many indexes hold a sitemap; ``hops`` how many pages in a row
    sent on to the next."""

    kind: Literal["page", "sitemap", "image", "robots"]
    uri: str
    depth: int = 0
    where: Where | None = None
    hops: int = 0


class Declined(IgnoreRequest):
    """It was not fetched: refused for good, or failed this time."""

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        failed: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.failed = failed
        self.retry_after = retry_after


class Broken(Declined):
    """The network or the server failed in a way that may be over at once: it is tried again."""


class Stopped(IgnoreRequest):
    """The crawl ends: nothing more is asked for."""


def later(seconds: float) -> Declined:
    """A host asks to be left alone for longer than we wait."""
    detail = f"its server asks to be left alone for {seconds:.0f} s"
    return Declined(Reason.HTTP_STATUS, detail, failed=True, retry_after=seconds)


_PRIORITY = {"robots": 1000, "sitemap": 2, "image": 1, "page": 0}


def request(errand: Errand, **more: Any) -> Request:
    """Images go before pages, so that what waits stays little."""
    return Request(
        errand.uri,
        priority=_PRIORITY[errand.kind],
        dont_filter=True,
        meta={"errand": errand, "verbatim_url": True},
        **more,
    )


def errand_of(request: Request) -> Errand:
    errand: Errand = request.meta["errand"]
    return errand
