"""Name servers that are slow keep nobody waiting but those who ask for their names."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ris_jobs.crawl.fetch import Failed, Outcome, Policy
from ris_jobs.crawl.fetch.fetcher import Fetcher
from ris_jobs.crawl.fetch.resolver import Resolver
from ris_jobs.errors import Reason, UrlRefused


class Names:
    """In the place of the system's resolver: names that begin with slow wait for the end."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.end = threading.Event()

    def look(self, host: str, port: int, *_: object) -> list[Any]:
        self.asked[host] += 1
        if host.startswith("slow"):
            self.end.wait(30)
        if host.endswith(".not"):
            raise socket.gaierror("no such name")
        kinds = socket.AF_INET, socket.SOCK_STREAM, 6, ""
        return [(*kinds, ("192.0.2.1", port)), (*kinds, ("192.0.2.66", port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names.look)
    yield names
    names.end.set()


def any_address(address: str) -> None:
    pass


def test_a_slow_name_takes_one_thread_and_holds_up_no_other_work(names: Names) -> None:
    async def ask() -> tuple[list[str], int]:
        resolver = Resolver(any_address)
        slow = [asyncio.create_task(resolver.resolve("slow.example", 80)) for _ in range(500)]
        more = [asyncio.create_task(resolver.resolve(f"slow{i}.example")) for i in range(40)]
        async with asyncio.timeout(5):
            found = await resolver.resolve("quick.example", 443)
            await asyncio.to_thread(int)  # as files are written
        names.end.set()
        answers = await asyncio.gather(*slow, *more)
        await resolver.close()
        return [r["host"] for r in found], len(answers)

    assert asyncio.run(ask()) == (["192.0.2.1", "192.0.2.66"], 540)
    assert names.asked["slow.example"] == 1


def test_who_gives_up_leaves_the_answer_to_others(names: Names) -> None:
    async def ask() -> list[Any]:
        resolver = Resolver(any_address)
        first, second = (asyncio.create_task(resolver.resolve("slow.not")) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        names.end.set()
        given = await asyncio.gather(second, return_exceptions=True)
        await resolver.close()
        return given

    (error,) = asyncio.run(ask())
    assert isinstance(error, socket.gaierror)
    assert names.asked == {"slow.not": 1}


def test_a_fetcher_leaves_no_threads_behind(names: Names) -> None:
    fetcher = Fetcher(Policy(contact="https://example.org/"))  # still there when it is done

    async def ask() -> Outcome:
        async with fetcher:
            return await fetcher.fetch("http://quick.not/", io.BytesIO())

    assert isinstance(asyncio.run(ask()), Failed)
    assert names.asked == {"quick.not": 1}
    waiting = [t for t in threading.enumerate() if t.name.startswith("names")]
    for thread in waiting:
        thread.join(5)
    assert not any(thread.is_alive() for thread in waiting)


def test_a_name_that_has_a_bad_address_is_a_bad_name(names: Names) -> None:
    def judge(address: str) -> None:
        if address.endswith(".66"):
            raise UrlRefused(Reason.ADDRESS_REFUSED, address)

    async def ask() -> None:
        await Resolver(judge).resolve("quick.example", 80)

    with pytest.raises(UrlRefused, match=r"192\.0\.2\.66"):
        asyncio.run(ask())
    # Each connection asks anew: what a name meant before does not count.
    with pytest.raises(UrlRefused):
        asyncio.run(ask())
    assert names.asked["quick.example"] == 2
