"""What is listed, in batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from ris_jobs.jobs import ahead
from ris_jobs.jobs.ahead import Ahead, Going
from ris_jobs.jobs.clock import Clock


def ended() -> bool:
    """Whether nothing is listed any more, or soon not."""
    for thread in threading.enumerate():
        if thread.name == "listing":
            thread.join(60)
    return all(thread.name != "listing" for thread in threading.enumerate())


def test_all_comes_in_order_and_then_the_end() -> None:
    with closing(Ahead(lambda _: iter(range(5)), 2)) as listed:
        assert [listed.batch(Clock(None)) for _ in range(4)] == [[0, 1], [2, 3], [4], []]
        assert listed.ended


def test_what_was_listed_before_an_error_comes_before_it() -> None:
    def broken(_: Going) -> Iterator[int]:
        yield 1
        raise OSError("away")

    with closing(Ahead(broken, 5)) as listed:
        assert listed.batch(Clock(None)) == [1]
        with pytest.raises(OSError, match="away"):
            listed.batch(Clock(None))


@pytest.mark.parametrize("seconds", [None, 2.0])
def test_nothing_is_held_back_for_long(
    seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "_SECONDS", 0.2)
    released = threading.Event()

    def slow(_: Going) -> Iterator[int]:
        yield 1
        released.wait()

    clock = Clock(seconds)
    with closing(Ahead(slow, 5)) as listed:
        assert listed.batch(clock) == [1]
        assert not clock.over() and not listed.ended
        if seconds:
            assert listed.batch(clock) == []
            assert clock.over() and not listed.ended
        released.set()


def test_one_that_is_closed_lists_no_further() -> None:
    gone: list[int] = []

    def endless(_: Going) -> Iterator[int]:
        while True:
            gone.append(0)
            yield 0

    with closing(Ahead(endless, 3)) as listed:
        listed.batch(Clock(None))
    assert ended() and len(gone) < 20


def test_one_that_is_closed_looks_no_further_where_there_is_nothing() -> None:
    def nothing(going: Going) -> Iterator[int]:
        while going():
            time.sleep(0.001)
        return iter(())

    with closing(Ahead(nothing, 3)) as listed:
        assert listed.batch(Clock(0.05)) == []
    assert ended()
