"""Tells the parent what happens, without keeping the crawl from going on while it listens."""

from __future__ import annotations

import asyncio
import os

from ris_jobs.crawl.web import wire
from ris_jobs.crawl.web.values import Event

__all__ = ["Teller"]

_MOST = 256


class Teller:
    """Writes events to a file descriptor. ``tell`` waits while 256 of them wait to be read, and so
    does whoever calls it: a slow parent makes a slow crawl."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(_MOST)
        self._writing: asyncio.Task[None] | None = None

    async def tell(self, event: Event) -> None:
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write())
        await self._queue.put(event)

    async def end(self, event: Event) -> None:
        """Tell the last event, and wait until it is written."""
        await self.tell(event)
        await self._queue.put(None)
        assert self._writing
        await self._writing

    async def _write(self) -> None:
        while True:
            events = [await self._queue.get()]
            while not self._queue.empty():
                events.append(self._queue.get_nowait())
            lines = b"".join(wire.dump(event) for event in events if event)
            await asyncio.to_thread(self._put, lines)
            if events[-1] is None:
                return

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
