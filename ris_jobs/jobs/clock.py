"""The time that one crawl of a source may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

__all__ = ["Clock"]

T = TypeVar("T")


class Clock:
    """It began when this was made; ``seconds`` is what it may take, None: no limit."""

    def __init__(self, seconds: float | None) -> None:
        self._ends = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Seconds, 0 or more."""
        return None if self._ends is None else max(0.0, self._ends - time.monotonic())

    def over(self) -> bool:
        return self.left() == 0

    def within(self, take: Callable[[], T]) -> T | None:
        """What ``take`` gives or raises; None if that takes longer. Then it is left to itself, in a
        thread that keeps no process alive."""
        if self._ends is None:
            return take()
        taken: Future[T] = Future()
        threading.Thread(target=_into, args=(taken, take), daemon=True).start()
        wait([taken], self.left())
        return taken.result() if taken.done() else None


def _into(taken: Future[T], take: Callable[[], T]) -> None:
    try:
        taken.set_result(take())
    except BaseException as error:
        taken.set_exception(error)
