"""A crawl that goes on tells how far it is."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from ris_jobs.crawl.source import Source
from ris_jobs.crawl.web import Host, course, wire
from ris_jobs.crawl.web.course import Course
from ris_jobs.crawl.web.teller import Teller
from tests.crawl.web.test_frontier import fetched


def test_totals_are_told_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "_TELL_SECONDS", 1)
    reading, writing = os.pipe()

    async def run(crawler: Any = None) -> None:
        going = Course(Source(name="x", kind="web", location="https://example.org/"))
        going.meter.begins()
        going.meter.ends("example.org", fetched(7))
        going.begin(crawler, Teller(writing))
        await asyncio.sleep(1.5)
        going.end()

    asyncio.run(run())
    told = wire.event(os.read(reading, 1 << 16))
    assert isinstance(told, Host) and (told.host, told.requests, told.bytes) == (
        "example.org",
        1,
        7,
    )
    os.close(reading)
    os.close(writing)
