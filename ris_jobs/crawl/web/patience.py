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
        """Waits for a turn among the crawls that ask the host, and while that is to be left alone,
        unless that is too long. Who waited for the one asks for the other again."""
        self._spider.course.check()
        await self._rested(host)
        while wait := self._take(host):
            await self._pause(wait)
            if not self._rest(host):
                return
            await self._rested(host)

    def rests(self, host: str, seconds: float) -> None:
        """A host asks to be left alone for so long."""
        self._spider.course.meter.rests(host, seconds)
        if self._file:
            with self._shared(self._file) as turns:
                turns.rests(host, seconds)

    async def _rested(self, host: str) -> None:
        while left := self._rest(host):
            if left > MAX_DELAY:
                raise later(left)
            await self._pause(min(left, 1.0))

    def _rest(self, host: str) -> float:
        """Seconds for which a host is still to be left alone, whatever crawl it told."""
        left = self._spider.course.meter.rest(host)
        if not self._file:
            return left
        with self._shared(self._file) as turns:
            return max(left, turns.rest(host))

    def _take(self, host: str) -> float:
        """Seconds until the turn of a request."""
        if not self._file:
            return 0.0
        with self._shared(self._file) as turns:
            return turns.take(host, self._delay(host))

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
