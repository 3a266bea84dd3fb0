"""Manners: robots.txt, the pace that a host asks for, and waiting when it says so.

Scrapy's own middleware for robots.txt takes one that cannot be read for leave to do anything, and
the page of a 404 for rules; RFC 9309 says otherwise, and so do we. The rules are read by Protego,
as Scrapy does it.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.core.downloader import Slot
from scrapy.crawler import Crawler
from scrapy.extensions.throttle import AutoThrottle
from scrapy.http import Response

from ris_jobs.crawl.fetch.urls import Target, parse
from ris_jobs.crawl.web.errand import (
    BUSY,
    MAX_DELAY,
    Declined,
    Errand,
    errand_of,
    later,
    request,
)
from ris_jobs.crawl.web.read.robots import Rules
from ris_jobs.errors import Reason, UrlRefused

if TYPE_CHECKING:
    from ris_jobs.crawl.web.spider import Spider

__all__ = ["Courtesy", "Throttle"]

_SLOWER = 0.05  # seconds between requests to a host that was once too busy, at least


class Courtesy:
    """A downloader middleware; it stands before those that retry and redirect."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._robots: dict[str, asyncio.Task[Rules | Declined]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Courtesy:
        return cls(crawler)

    @property
    def _spider(self) -> Spider:
        return self._crawler.spider  # type: ignore[return-value]  # there is one, ours

    async def process_request(self, request: Request) -> None:
        """Raises :class:`Declined` for what is not to be asked for."""
        self._spider.course.check()
        errand, target = errand_of(request), _target(request)
        if errand.kind == "page" and target.host not in self._spider.hosts:
            raise Declined(Reason.URL_REFUSED, f"it leads to another site, {target.host}")
        if (left := self._spider.course.meter.rest(target.host)) > MAX_DELAY:
            raise later(left)
        if self._spider.order.source.politeness.robots and errand.kind != "robots":
            rules = await self._rules(f"{target.scheme}://{request.url.split('/')[2]}")
            if isinstance(rules, Declined):
                raise rules
            if not rules.allows(request.url):
                raise Declined(Reason.ROBOTS_REFUSED, "the robots.txt of its host forbids it")

    async def process_response(self, request: Request, response: Response) -> Response:
        if response.status in BUSY:
            self._wait(request)
        return response

    async def _rules(self, origin: str) -> Rules | Declined:
        """Those of the host, asked for once."""
        if origin not in self._robots:
            self._robots[origin] = asyncio.ensure_future(self._read_rules(origin))
        return await asyncio.shield(self._robots[origin])

    async def _read_rules(self, origin: str) -> Rules | Declined:
        errand = Errand("robots", f"{origin}/robots.txt")
        assert self._crawler.engine
        try:
            response = await self._crawler.engine.download_async(request(errand))
        except Declined as error:
            return _unreadable(error)
        if response.status >= 500 or response.status == 429:
            detail = f"the server answered {response.status}"
            return _unreadable(Declined(Reason.HTTP_STATUS, detail, failed=True))
        rules = Rules(response.body if response.status < 400 else b"")
        return self._obeyed(origin, rules)

    def _obeyed(self, origin: str, rules: Rules) -> Rules | Declined:
        host = parse(origin).host
        if rules.delay > MAX_DELAY:
            detail = f"the robots.txt of its host allows a request every {rules.delay:g} s only"
            return Declined(Reason.ROBOTS_REFUSED, detail)
        if rules.delay > self._spider.order.source.politeness.delay:
            self._slow(host, rules.delay)
        self._spider.found_sitemaps(host, rules.sitemaps)
        return rules

    def _wait(self, request: Request) -> None:
        """Its host was busy: nobody asks it for a while, and then more slowly."""
        host = _target(request).host
        if (wait := self._spider.course.meter.rest(host)) > MAX_DELAY:
            raise later(wait)
        if slot := self._slow(host, _SLOWER):
            slot.lastseen = max(slot.lastseen, monotonic() + wait - slot.delay)

    def _slow(self, host: str, delay: float) -> Slot | None:
        """From now on no more than a request in so many seconds to this host."""
        assert self._crawler.engine
        downloader = self._crawler.engine.downloader
        pace = downloader.per_slot_settings.setdefault(host, {"delay": 0.0})
        pace["delay"] = max(pace["delay"], delay, self._spider.order.source.politeness.delay)
        if slot := downloader.slots.get(host):
            slot.delay = max(slot.delay, pace["delay"])
        return slot


class Throttle(AutoThrottle):
    """Scrapy's, but never faster than a host asked for."""

    def _adjust_delay(self, slot: Slot, latency: float, response: Response) -> None:
        super()._adjust_delay(slot, latency, response)
        assert self.crawler.engine
        host = parse(response.url).host
        pace = self.crawler.engine.downloader.per_slot_settings.get(host, {})
        slot.delay = max(slot.delay, pace.get("delay", 0.0))


def _target(request: Request) -> Target:
    try:
        return parse(request.url)
    except UrlRefused as error:
        raise Declined(error.reason, error.detail) from error


def _unreadable(why: Declined) -> Declined:
    detail = f"the robots.txt of its host cannot be read: {why.detail}"
    return Declined(why.reason, detail, failed=why.failed, retry_after=why.retry_after)
