"""Whether a crawl goes on: it ends at its limits, outside its window, or when it must."""

from __future__ import annotations

import asyncio

from scrapy.crawler import Crawler

from ris_jobs.crawl.source import Source
from ris_jobs.crawl.web.errand import Stopped
from ris_jobs.crawl.web.meter import Meter
from ris_jobs.crawl.web.teller import Teller

__all__ = ["Course"]

_TELL_SECONDS = 60


class Course:
    """``stopped`` is why the crawl was ended; None while it goes on."""

    def __init__(self, source: Source) -> None:
        self.meter = Meter(source.limits, source.politeness.window)
        self.stopped: str | None = None
        self._crawler: Crawler | None = None

    def begin(self, crawler: Crawler, teller: Teller) -> None:
        """Look at the clock each second, and tell the totals of hosts each minute."""
        self._crawler = crawler
        self._watch = asyncio.ensure_future(self._watched(teller))

    async def _watched(self, teller: Teller) -> None:
        while True:
            for _ in range(_TELL_SECONDS):
                await asyncio.sleep(1)
                if why := self.meter.over():
                    self.stop(why)
            for host in self.meter.hosts():
                await teller.tell(host)

    def check(self) -> None:
        """Raises :class:`Stopped` if nothing more may be asked for."""
        if self.stopped is None and (why := self.meter.over() or self.meter.spent()):
            self.stop(why)
        if self.stopped is not None:
            raise Stopped(self.stopped)

    def stop(self, why: str) -> None:
        """End the crawl: what is on its way may come, nothing else is asked for."""
        if self.stopped is not None:
            return
        self.stopped = why
        assert self._crawler and self._crawler.engine
        engine = self._crawler.engine
        self._closing = asyncio.ensure_future(engine.close_spider_async(reason="stopped"))
        # What waits for its turn is let through, and meets check(): nobody waits for it.
        for slot in engine.downloader.slots.values():
            slot.delay = 0.0
            slot.close()
            asyncio.get_running_loop().call_soon(engine.downloader._process_queue, slot)

    def end(self) -> None:
        self._watch.cancel()
