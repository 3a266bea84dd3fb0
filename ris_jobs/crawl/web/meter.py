"""Counts what a crawl takes, from which host, and says when it is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from ris_jobs.crawl.fetch import Failed, Outcome, Refused
from ris_jobs.crawl.source import Limits
from ris_jobs.crawl.web.values import Host

__all__ = ["Meter", "inside"]

_LONGEST_REST = 30 * 86400


@dataclass(slots=True)
class _Total:
    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    failed: int = 0
    waited: float = 0.0


class Meter:
    """``clock`` gives the time, UTC."""

    def __init__(
        self,
        limits: Limits,
        window: tuple[time, time] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._limits = limits
        self._window = window
        self._clock = clock
        self._begun = clock()
        self._hosts: dict[str, _Total] = {}
        self._rests: dict[str, datetime] = {}
        self._requests = 0
        self._bytes = 0

    def over(self) -> str | None:
        """Why the crawl has to end now, whatever is left; None if it may go on."""
        left = self.left()
        if self._window and not inside(self._window, self._clock().time()):
            return "night window closed"
        if left is not None and left <= 0:
            return "budget of time"
        return None

    def left(self) -> float | None:
        """Seconds until the budget of time is spent; None without one."""
        if self._limits.seconds is None:
            return None
        return self._limits.seconds - (self._clock() - self._begun).total_seconds()

    def spent(self) -> str | None:
        """Why no further request may be made; None if one may."""
        limits = self._limits
        if limits.requests is not None and self._requests >= limits.requests:
            return "budget of requests"
        if limits.bytes is not None and self._bytes >= limits.bytes:
            return "budget of bytes"
        return None

    def begins(self) -> None:
        self._requests += 1

    def ends(self, host: str, outcome: Outcome) -> None:
        if isinstance(outcome, Refused) and not outcome.asked:  # it never left this machine
            self._requests -= 1
            return
        total = self._hosts.setdefault(host, _Total())
        total.requests += 1
        total.bytes += outcome.received
        total.seconds += outcome.seconds
        total.failed += isinstance(outcome, Failed)
        self._bytes += outcome.received

    def rests(self, host: str, seconds: float) -> None:
        """A host asks to be left alone for so long."""
        self._hosts.setdefault(host, _Total()).waited += seconds
        until = self._clock() + timedelta(seconds=min(seconds, _LONGEST_REST))
        self._rests[host] = max(until, self._rests.get(host, until))

    def rest(self, host: str) -> float:
        """Seconds for which a host is still to be left alone."""
        until = self._rests.get(host)
        return max(0.0, (until - self._clock()).total_seconds()) if until else 0.0

    def hosts(self) -> Iterator[Host]:
        for name, total in sorted(self._hosts.items()):
            yield Host(
                host=name,
                requests=total.requests,
                bytes=total.bytes,
                seconds=round(total.seconds, 3),
                failed=total.failed,
                waited=round(total.waited, 3),
            )


def inside(window: tuple[time, time], now: time) -> bool:
    """Whether a time of the day is in a span of it, which may pass midnight."""
    begin, end = window
    return begin <= now < end if begin < end else now >= begin or now < end
