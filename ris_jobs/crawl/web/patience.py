"""Waits until a host may be asked, and remembers when one wants to be left alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from scrapy.crawler import Crawler

from ris_jobs.crawl.web.errand import MAX_DELAY, later
from ris_jobs.crawl.web.turns import Turns

if TYPE_CHECKING:
    from ris_jobs.crawl.web.spider import Spider

__all__ = ["Patience"]


class Patience:
    """That of one crawl, with hosts and with the other crawls of this machine."""

    def __init__(self, spider: Spider, crawler: Crawler) -> None:
        self._spider = spider
        self._crawler = crawler
        self._turns = Turns(spider.order.turns) if spider.order.turns else None

    async def turn(self, host: str) -> None:
        """Waits while the host is to be left alone, unless that is too long, and for other crawls
        that ask it."""
        self._spider.course.check()
        while left := self._spider.course.meter.rest(host):
            if left > MAX_DELAY:
                raise later(left)
            await self._pause(min(left, 1.0))
        if self._turns:
            await self._pause(self._turns.take(host, self._delay(host)))

    def rests(self, host: str, seconds: float) -> None:
        """A host asks to be left alone for so long."""
        self._spider.course.meter.rests(host, seconds)

    async def _pause(self, seconds: float) -> None:
        """The crawl may be stopped meanwhile."""
        while seconds > 0:
            await asyncio.sleep(min(seconds, 1.0))
            self._spider.course.check()
            seconds -= 1.0

    def _delay(self, host: str) -> float:
        """Seconds between two requests to a host: ours, or what it asked for."""
        assert self._crawler.engine
        pace = self._crawler.engine.downloader.per_slot_settings.get(host, {})
        asked: float = pace.get("delay", 0.0)
        return max(self._spider.order.source.politeness.delay, asked)

    def close(self) -> None:
        if self._turns:
            self._turns.close()
