"""The only way out: every request of Scrapy, for whatever, is made by our own fetcher."""

from __future__ import annotations

import asyncio
import io
from collections import defaultdict
from typing import TYPE_CHECKING, BinaryIO

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response

from ris_jobs.crawl.fetch import (
    Failed,
    Fetched,
    Gone,
    Headers,
    NotModified,
    Outcome,
    Policy,
    Redirected,
    Refused,
)
from ris_jobs.crawl.fetch.fetcher import Fetcher
from ris_jobs.crawl.fetch.urls import parse
from ris_jobs.crawl.web.errand import (
    BUSY,
    Broken,
    Declined,
    Errand,
    Stopped,
    errand_of,
)
from ris_jobs.crawl.web.patience import Patience
from ris_jobs.crawl.web.read import sitemap
from ris_jobs.crawl.web.read.robots import forbids
from ris_jobs.crawl.web.spool import Spool
from ris_jobs.errors import ImageRejected, Reason, UrlRefused

if TYPE_CHECKING:
    from ris_jobs.crawl.web.spider import Spider

__all__ = ["Exit"]

_PAGE_BYTES = 10 << 20
_SLACK = 1.0
_FAIR = 0.2  # the part of its time after which a request is too slow, whatever ended it


class Exit(BaseDownloadHandler):
    """A Scrapy download handler for ``http`` and ``https``. It follows no redirect: those go
    through Scrapy, and so through all rules, once more."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        spider: Spider = crawler.spider  # type: ignore[assignment]  # there is one, ours
        order = spider.order
        self._spider = spider
        self._home = _origin(order.source.location)
        policy = Policy(
            contact=order.contact,
            max_bytes=order.max_bytes,
            seconds=order.seconds,
            idle_seconds=order.idle_seconds,
            allowed=order.source.politeness.allowed,
            ports=order.source.politeness.ports,
        )
        self._fetcher = Fetcher(policy)
        self._opened = False
        self._spool = Spool(order.spool)
        self._patience = Patience(spider, crawler)
        lanes = order.source.politeness.per_host
        self._lanes: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(lanes))

    async def download_request(self, request: Request) -> Response:
        """The answer, with its outcome in ``request.meta``; :class:`Declined` if there is none."""
        if not self._opened:
            self._opened = True
            await self._fetcher.__aenter__()
        host = (_origin(request.url) or ("", "", 0))[1]
        # Scrapy lets more through at a time when many come at once and nothing delays them.
        async with self._lanes[host]:
            await self._patience.turn(host)
            return await self._download(request, host)

    async def _download(self, request: Request, host: str) -> Response:
        errand = errand_of(request)
        if errand.kind == "image":
            return _response(request, await self._image(request, errand, host), b"")
        into = io.BytesIO()
        outcome = await self._fetch(request, errand, host, into)
        return _response(request, outcome, into.getvalue())

    async def _image(self, request: Request, errand: Errand, host: str) -> Outcome:
        try:
            async with self._spool.file() as file:
                outcome = await self._fetch(request, errand, host, file)
                if isinstance(outcome, Fetched):
                    request.meta["path"] = await self._spool.keep(file)
                return outcome
        except OSError as error:  # not the network's: those are outcomes
            self._spider.course.stop(f"{self._spool.folder} cannot be written to: {error.strerror}")
            raise Stopped(str(error)) from error

    async def _fetch(self, request: Request, errand: Errand, host: str, into: BinaryIO) -> Outcome:
        meter, image = self._spider.course.meter, errand.kind == "image"
        limit = sitemap.MAX_BYTES if errand.kind == "sitemap" else _PAGE_BYTES
        meter.begins()
        outcome = await self._fetcher.fetch(
            request.url,
            into,
            known=self._spider.known(errand.uri, request.url) if image else None,
            is_image=image,
            follow=False,
            authorization=self._authorization(request.url),
            max_bytes=None if image else limit,
            seconds=self._seconds(),
            admit=_admit if image and self._spider.order.source.politeness.robots else None,
        )
        meter.ends(host, outcome)
        if isinstance(outcome, Failed) and outcome.status in BUSY:
            self._patience.rests(host, self._rest(request, outcome))
        if isinstance(outcome, Failed) and outcome.reason is Reason.TIMED_OUT:
            self._timed_out(outcome)
        request.meta["outcome"] = outcome
        request.meta["download_latency"] = outcome.seconds
        return outcome

    def _seconds(self) -> float:
        """What a request may take: hardly more than is left to the crawl, which is stopped then."""
        seconds, left = self._spider.order.seconds, self._spider.course.meter.left()
        return seconds if left is None else min(seconds, left + _SLACK)

    def _timed_out(self, outcome: Failed) -> None:
        """Where it may be the crawl's time that was too short, and not its own, nothing failed."""
        if why := self._spider.course.meter.over():
            self._spider.course.stop(why)
            if outcome.seconds < _FAIR * self._spider.order.seconds:
                raise Stopped(why)

    def _rest(self, request: Request, outcome: Failed) -> float:
        """Seconds to leave a busy host alone: as long as it says, or longer with each try."""
        if outcome.retry_after is not None:
            return outcome.retry_after
        pace = max(self._spider.order.source.politeness.delay, 1.0)
        return float(pace * 2 ** request.meta.get("retry_times", 0))

    def _authorization(self, url: str) -> str | None:
        ours = self._home is not None and _origin(url) == self._home
        return self._spider.order.authorization if ours else None

    async def close(self) -> None:
        self._patience.close()
        if self._opened:
            await self._fetcher.__aexit__(None, None, None)


def _admit(headers: Headers) -> None:
    if word := forbids([headers.x_robots_tag]):
        detail = f"its server does not want it taken: X-Robots-Tag says {word}"
        raise ImageRejected(Reason.NOINDEX, detail)


def _response(request: Request, outcome: Outcome, body: bytes) -> Response:
    headers = {}
    match outcome:
        case Refused():
            raise Declined(outcome.reason, outcome.detail)
        case Failed(reason=Reason.TIMED_OUT):  # to wait once more could cost as much again
            raise Declined(outcome.reason, outcome.detail, failed=True)
        case Failed(status=None):
            raise Broken(outcome.reason, outcome.detail, failed=True)
        case Failed():
            status = outcome.status or 0
        case NotModified():
            status = 304
        case Redirected():
            status, headers["Location"] = outcome.status, outcome.to
        case Fetched() | Gone():
            status = outcome.status
    return Response(request.url, status=status, headers=headers, body=body)


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        return parse(url).origin
    except UrlRefused:
        return None
