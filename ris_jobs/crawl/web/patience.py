"""Waits until a host may be asked, and remembers when one wants to be left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.crawler import Crawler

from ris_jobs.crawl.web.errand import MAX_DELAY, Stopped, later
from ris_jobs.crawl.web.turns import Turns

if TYPE_CHECKING:
    from ris_jobs.crawl.web.spider import Spider

__all__ = ["Patience"]


class Patience:
    """That of one crawl, with hosts and with the other crawls of this machine."""

    def __init__(self, spider: Spider, crawler: Crawler) -> None:
        self._spider = spider
        self._crawler = crawler
        self._file = spider.order.turns
        self._turns: Turns | None = None

    async def turn(self, host: str) -> None:
        """Waits while the host is to be left alone, unless that is too long, and for other crawls
        that ask it."""
        self._spider.course.check()
        while left := self._spider.course.meter.rest(host):
            if left > MAX_DELAY:
                raise later(left)
            await self._pause(min(left, 1.0))
        if self._file:
            with self._shared(self._file) as turns:
                wait = turns.take(host, self._delay(host))
            await self._pause(wait)

    def rests(self, host: str, seconds: float) -> None:
        """A host asks to be left alone for so long."""
        self._spider.course.meter.rests(host, seconds)

    @contextmanager
    def _shared(self, file: Path) -> Iterator[Turns]:
        """What crawls share. The crawl ends where that cannot be had: no image is at fault."""
        try:
            self._turns = self._turns or Turns(file)
            yield self._turns
        except OSError as error:
            self._spider.course.stop(f"{file} cannot be written to: {error.strerror}")
            raise Stopped(str(error)) from error

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
