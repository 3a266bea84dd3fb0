"""Tells the parent what happens, without keeping the crawl from going on while it listens."""

from __future__ import annotations

import asyncio
import os
import traceback

from ris_jobs.crawl.web import wire
from ris_jobs.crawl.web.values import Event

__all__ = ["Teller"]

_MOST = 64


class Teller:
    """Writes events to a file descriptor. ``tell`` waits while 64 of them wait to be read, and so
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
        """Where nobody can be told, there is nobody to crawl for."""
        try:
            while await asyncio.to_thread(self._put, await self._waiting()):
                pass
        except Exception:
            traceback.print_exc()
            os._exit(1)

    async def _waiting(self) -> list[Event | None]:
        events = [await self._queue.get()]
        while not self._queue.empty():
            events.append(self._queue.get_nowait())
        return events

    def _put(self, events: list[Event | None]) -> bool:
        """Whether there will be more."""
        view = memoryview(b"".join(wire.dump(event) for event in events if event))
        while view:
            view = view[os.write(self._descriptor, view) :]
        return events[-1] is not None
