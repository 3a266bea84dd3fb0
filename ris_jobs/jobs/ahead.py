"""What is listed, in batches: a slow listing is waited for, and what it gave is not held back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Generic, TypeVar

from ris_jobs.crawl import Going
from ris_jobs.jobs.clock import Clock

__all__ = ["Ahead"]

_SECONDS = 5.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


class Ahead(Generic[T]):
    """Goes through a listing in a thread that keeps no process alive, about ``most`` ahead of who
    takes what it gives. To be closed: the listing is given a question, whether to go on."""

    def __init__(self, listing: Callable[[Going], Iterator[T]], most: int) -> None:
        self._listing = listing
        self._most = most
        self._waiting: Queue[T | _End] = Queue(most + 1)
        self._end: _End | None = None
        self._closed = False
        threading.Thread(target=self._go, name="listing", daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether all was taken."""
        return self._end is not None

    def batch(self, clock: Clock) -> list[T]:
        """The next ones: ``most``, or those that came within some seconds of the first, fewer
        where little time is left to read them. Empty at the end, and when the time is over.
        Raises what the listing raised, once all that it gave before was taken."""
        batch: list[T] = []
        time = clock
        while self._end is None and len(batch) < self._most:
            try:
                found = self._waiting.get(timeout=time.left())
            except Empty:
                break
            if isinstance(found, _End):
                self._end = found
            else:
                batch.append(found)
                time = time if len(batch) > 1 else Clock(_patience(clock))
        if not batch and self._end and self._end.error:
            raise self._end.error
        return batch

    def close(self) -> None:
        """The thread ends with what it is asking for."""
        self._closed = True
        while not self._waiting.empty():
            self._waiting.get_nowait()

    def _go(self) -> None:
        try:
            for one in self._listing(self._going):
                if self._closed:
                    return
                self._waiting.put(one)
        except BaseException as error:
            self._waiting.put(_End(error))
        else:
            self._waiting.put(_End(None))

    def _going(self) -> bool:
        return not self._closed


def _patience(clock: Clock) -> float:
    left = clock.left()
    return _SECONDS if left is None else min(_SECONDS, left / 2)
