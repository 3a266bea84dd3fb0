"""A website on loopback, in a thread of its own; what it logs is the truth about a crawl."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from time import monotonic
from typing import Any

from aiohttp import web

from ris_jobs.crawl.source import Limits, Politeness, Source
from tests.crawl.fetch.site import HOST, picture

PICTURE = picture()


@dataclass(frozen=True)
class Answer:
    """What is sent; a 304 instead, if the request knows its ETag or Last-Modified."""

    body: bytes = b""
    type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def known(self, request: web.BaseRequest) -> bool:
        asked = (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified"))
        return any(
            request.headers.get(sent) == self.headers[ours]
            for sent, ours in asked
            if ours in self.headers and sent in request.headers
        )


Page = Answer | Callable[[web.Request], Awaitable[web.StreamResponse]] | Iterator[Answer]
"""An iterator gives another answer each time."""


@dataclass(frozen=True)
class Hit:
    path: str
    status: int
    sent: int
    headers: Mapping[str, str]
    at: float


@dataclass
class Site:
    """``pages`` by path and query. Pages that write by themselves are logged without their size."""

    pages: dict[str, Page]
    host: str = HOST
    port: int = 0
    log: list[Hit] = field(default_factory=list)

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"http://{host or self.host}:{self.port}{path}"

    def source(self, path: str = "/", **more: Any) -> Source:
        """A source that begins at a path, without pauses; ``more`` are fields of its parts."""
        limits = {n: more.pop(n) for n in list(more) if n in Limits.__dataclass_fields__}
        manners = {n: more.pop(n) for n in list(more) if n in Politeness.__dataclass_fields__}
        usual = {"delay": 0.0, "per_host": 8, "allowed": (ip_network(self.host),)}
        manners = {**usual, "ports": frozenset({self.port}), **manners}
        return Source(**{
            "name": "site", "kind": "web", "location": self.url(path),
            "limits": Limits(**limits),
            "politeness": Politeness(**manners), **more,
        })  # fmt: skip

    @property
    def paths(self) -> Counter[str]:
        return Counter(hit.path for hit in self.log)

    @property
    def statuses(self) -> Counter[int]:
        return Counter(hit.status for hit in self.log)

    @property
    def sent(self) -> int:
        """Bytes of bodies that went out with 200."""
        return sum(hit.sent for hit in self.log if hit.status == 200)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        page = self.pages.get(request.raw_path, Answer(b"not here", status=404))
        answer = page if isinstance(page, Answer) or callable(page) else next(page)
        if not isinstance(answer, Answer):
            self._note(request, 200, 0)
            return await answer(request)
        if answer.known(request):
            kept = {n: answer.headers[n] for n in ("ETag", "Last-Modified") if n in answer.headers}
            self._note(request, 304, 0)
            return web.Response(status=304, headers=kept)
        self._note(request, answer.status, len(answer.body))
        headers = {"Content-Type": answer.type, **answer.headers}
        return web.Response(body=answer.body, status=answer.status, headers=headers)

    def _note(self, request: web.Request, status: int, sent: int) -> None:
        hit = Hit(request.raw_path, status, sent, dict(request.headers), monotonic())
        self.log.append(hit)


@contextmanager
def served(pages: Mapping[str, Page], host: str = HOST) -> Iterator[Site]:
    """The site with these pages, until the block ends."""
    site = Site(dict(pages), host)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> web.ServerRunner:
        runner = web.ServerRunner(web.Server(site._answer), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, host, 0).start()
        site.port = runner.addresses[0][1]
        return runner

    async def stop(runner: web.ServerRunner) -> None:
        """And whoever is still being answered."""
        await runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    try:
        runner = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        yield site
        asyncio.run_coroutine_threadsafe(stop(runner), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def image(number: int | str = 0, **headers: str) -> Answer:
    """A picture that no other number has; headers with ``_`` for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(PICTURE + f"{number}".encode(), "image/png", headers=named)


def page(*parts: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    markup = "<!DOCTYPE html><html><body>" + "".join(parts) + "</body></html>"
    return Answer(markup.encode(), headers=named)


def img(*urls: str) -> str:
    return "".join(f'<img src="{url}">' for url in urls)


def links(*urls: str) -> str:
    return "".join(f'<a href="{url}">x</a>' for url in urls)


def xml(body: str) -> Answer:
    return Answer(f'<?xml version="1.0"?>{body}'.encode(), "application/xml")


def robots(*lines: str) -> Answer:
    return Answer("\n".join(("User-agent: *", *lines)).encode(), "text/plain")
