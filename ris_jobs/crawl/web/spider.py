"""Asks, reads what comes, and asks on, until nothing in reach is left or it is enough."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import scrapy
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response
from twisted.python.failure import Failure

from ris_jobs.crawl.fetch import Fetched, Known
from ris_jobs.crawl.fetch.urls import masked, parse
from ris_jobs.crawl.web import results
from ris_jobs.crawl.web.course import Course
from ris_jobs.crawl.web.errand import Declined, Errand, Stopped, errand_of, request
from ris_jobs.crawl.web.frontier import Frontier
from ris_jobs.crawl.web.known import Memory
from ris_jobs.crawl.web.read import Document
from ris_jobs.crawl.web.read.document import read
from ris_jobs.crawl.web.read.robots import follows, forbids
from ris_jobs.crawl.web.read.texts import absolute, text
from ris_jobs.crawl.web.teller import Teller
from ris_jobs.crawl.web.values import Ended, Named, Order, Placed, Where
from ris_jobs.errors import UrlRefused

__all__ = ["Spider"]


class Spider(scrapy.Spider):
    """One crawl. Whatever it learns goes to ``teller``."""

    name = "ris-jobs"

    def __init__(self, order: Order, teller: Teller) -> None:
        super().__init__()
        self.order = order
        self.course = Course(order.source)
        self._teller = teller
        self._memory = Memory(order.known)
        self._frontier = Frontier(order.source, self._memory)
        self._first: str | None = None
        self._nowhere = False
        self._learned = self._looked = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **more: Any) -> Spider:
        spider = super().from_crawler(crawler, *args, **more)
        crawler.signals.connect(spider._idle, signals.spider_idle)
        crawler.signals.connect(spider._end, signals.spider_closed)
        crawler.signals.connect(spider._error, signals.spider_error)
        return spider

    @property
    def hosts(self) -> frozenset[str]:
        return self._frontier.hosts

    def known(self, uri: str, url: str) -> Known | None:
        """What ``url``, which stands for the image ``uri`` or is it, sent before."""
        return self._memory.validators(uri, url)

    # What to ask for

    async def start(self) -> AsyncIterator[Request]:
        self.course.begin(self.crawler, self._teller)
        if self.order.source.kind == "urls":
            async for asked in self._listed():
                yield asked
            return
        try:
            url = parse(self.order.source.location).url
        except UrlRefused as error:
            self._frontier.miss(f"its location cannot be asked for: {error.detail}")
            self._nowhere = True
            return
        self._first = url
        kind = "sitemap" if url.endswith((".xml", ".gz")) else "page"
        for asked in self._requests(self._frontier.document(url, 0, kind)):
            yield asked

    async def _listed(self) -> AsyncIterator[Request]:
        """The images of a list, not all at once."""
        assert self.order.images and self.crawler.engine
        with self.order.images.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                where = Where(columns=row["columns"])
                for asked in await self._image(row["uri"], where):
                    if self.crawler.engine.needs_backout():
                        await self.crawler.signals.wait_for(signals.scheduler_empty)
                    yield asked

    def _requests(self, errands: Iterable[Errand]) -> Iterator[Request]:
        for errand in errands:
            yield request(errand, callback=self._answered, errback=self._unanswered)

    async def _image(
        self, written: str, where: Where, *, forbidden: str | None = None, later: bool = False
    ) -> list[Request]:
        """The request for an image; what is no URL to fetch is told, and not asked for."""
        self._learned = True
        try:
            uri = parse(written).url
        except UrlRefused as error:
            uri = text(masked(written)) or ""
            for errand in self._frontier.image(uri, where):
                declined = Declined(error.reason, error.detail)
                await self._teller.tell(results.of_failure(errand, declined))
            return []
        if self._frontier.names(uri):
            await self._teller.tell(Named(uri=uri))
        if not (forbidden or later) and self._frontier.places.again(uri, where):
            await self._teller.tell(Placed(uri=uri, where=where))
        asked = self._frontier.image(uri, where, forbidden=forbidden, later=later)
        return list(self._requests(asked))

    def found_sitemaps(self, host: str, written: Iterable[str]) -> None:
        """Those that the robots.txt of a host names."""
        if host in self.hosts and self.order.source.kind == "web":
            assert self.crawler.engine
            for url in filter(None, (absolute(self.order.source.location, w) for w in written)):
                for asked in self._requests(self._frontier.document(url, 0, "sitemap")):
                    self.crawler.engine.crawl(asked)

    def _idle(self) -> None:
        assert self.crawler.engine
        if self.course.stopped is None and (waiting := list(self._requests(self._frontier.rest()))):
            for asked in waiting:
                self.crawler.engine.crawl(asked)
            raise DontCloseSpider

    # What came of it

    async def _answered(self, response: Response) -> AsyncIterator[Request]:
        assert response.request
        self._looked = True
        errand, outcome = errand_of(response.request), response.request.meta["outcome"]
        if errand.kind == "image":
            await self._teller.tell(
                results.of_outcome(errand, outcome, response.request.meta.get("path"))
            )
        elif not isinstance(outcome, Fetched):
            gone = response.status < 500 and response.status != 429
            if gone:
                self._frontier.places.read(response.url)
            self._lost(errand, f"the server answered {response.status}", answered=gone)
        elif response.url == errand.uri or self._frontier.arrived(response.url):
            header = outcome.headers.x_robots_tag
            if found := read(response.body, outcome.headers.content_type, response.url):
                async for asked in self._read(errand, response.url, found, header):
                    yield asked

    async def _read(
        self, errand: Errand, url: str, found: Document, header: str | None
    ) -> AsyncIterator[Request]:
        """Asks for what a document names, as far as it may be."""
        obeys = self.order.source.politeness.robots
        is_page = found.kind == "page"
        word = (found.forbids or forbids([header])) if obeys and is_page else None
        for image in found.images:
            where = results.where(url, image)
            later = found.kind == "sitemap"
            for asked in await self._image(image.uri, where, forbidden=word, later=later):
                yield asked
        self._frontier.places.read(url)
        depth = 0 if errand.kind == "sitemap" else errand.depth + is_page
        if not (obeys and is_page) or (found.follow and follows([header])):
            if found.onward:
                for asked in self._onward(errand, url, found.onward):
                    yield asked
            for link in found.links:
                for asked in self._requests(self._frontier.document(link, depth)):
                    yield asked
        nesting = errand.depth + 1 if errand.kind == "sitemap" else 1
        for link in found.sitemaps:
            for asked in self._requests(self._frontier.document(link, nesting, "sitemap")):
                yield asked

    def _onward(self, errand: Errand, here: str, url: str) -> Iterator[Request]:
        """A page that sends browsers on is read, and so is the other, if it is of this site and was
        not asked for before. Where that is not followed from the first page on, nothing is known of
        the site; one that sends to itself, whatever redirects led to it, is only shown anew."""
        if url in (errand.uri, here):
            return
        asked = self._frontier.asked(url)
        followed = list(self._requests(self._frontier.onward(errand, url)))
        if errand.uri == self._first:
            if not (asked or followed):
                self._frontier.miss(f"{errand.uri} sends on to {url}, and is not followed there")
            self._first = url
        yield from followed

    async def _unanswered(self, failure: Failure) -> None:
        asked: Request = failure.request  # type: ignore[attr-defined]  # set by Scrapy alone
        errand, error = errand_of(asked), failure.value
        if error is None or isinstance(error, Stopped):
            return
        self._looked = True
        if errand.kind == "image":
            await self._teller.tell(results.of_failure(errand, error))
        else:
            answered = isinstance(error, Declined) and not error.failed
            self._lost(errand, str(error) or repr(error), answered=answered)

    def _lost(self, errand: Errand, why: str, *, answered: bool) -> None:
        """A page that was not read. That it is gone or closed to us is an answer; but without the
        first page nothing is known of the site."""
        first = errand.uri == self._first
        self._nowhere = self._nowhere or first
        if first or not answered:
            self._frontier.miss(f"{errand.uri} was not read: {why}")

    def _error(self) -> None:
        self._frontier.miss("an error of this program, see the log")

    # The end

    async def _end(self, reason: str) -> None:
        self.course.end()
        if reason == "start_error":
            return  # and without the last event the parent takes it for dead
        for image in self._frontier.withheld():
            await self._teller.tell(image)
        why = self.course.stopped or self._frontier.missed or reason
        complete = why == "finished"
        for placed in self._frontier.places.left(complete=complete):
            await self._teller.tell(placed)
        for host in self.course.meter.hosts():
            await self._teller.tell(host)
        ended = Ended(
            complete=complete,
            limited=self.course.stopped is not None or self._frontier.full,
            why=why,
            pages=self._frontier.pages,
            lost=self._is_lost(),
        )
        await self._teller.end(ended)

    def _is_lost(self) -> bool:
        if self.course.stopped is not None and not self._looked:
            return True
        return self._nowhere and not self._learned
