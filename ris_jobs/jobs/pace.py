"""How fast a job may work."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """At most ``limit`` images (None: all), and ``pause`` seconds of rest after each batch."""

    limit: int | None = None
    pause: float = 0.0

    def next(self, batch: int, done: int) -> int:
        """How many images the next batch may have, ``batch`` at most; 0: it is enough."""
        return batch if self.limit is None else max(0, min(batch, self.limit - done))

    def rest(self) -> None:
        time.sleep(self.pause)
