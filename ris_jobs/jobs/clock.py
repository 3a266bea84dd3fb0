"""The time that one crawl of a source may take."""

from __future__ import annotations

import time

__all__ = ["Clock"]


class Clock:
    """It began when this was made; ``seconds`` is what it may take, None: no limit."""

    def __init__(self, seconds: float | None) -> None:
        self._ends = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Seconds, 0 or more."""
        return None if self._ends is None else max(0.0, self._ends - time.monotonic())

    def over(self) -> bool:
        return self.left() == 0
