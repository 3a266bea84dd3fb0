"""Lists of URLs: fetched from wherever they are, and written as the crawler takes them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from ris_jobs.crawl import Failure, lists
from ris_jobs.crawl.fetch import Fetched, Outcome, Policy
from ris_jobs.crawl.fetch.fetcher import Fetcher
from ris_jobs.crawl.source import Source
from ris_jobs.errors import Reason, SourceUnavailable
from ris_jobs.jobs.clock import Clock
from ris_jobs.jobs.credentials import filesystem
from ris_jobs.store.outside import MAX_URI, storable

__all__ = ["write_list"]

_MAX_BYTES = 2 << 30
_BLOCK = 1 << 20
_SECONDS = 3600
_MAX_REFUSED = 10_000


def write_list(
    source: Source,
    contact: str,
    authorization: str | None,
    folder: Path,
    out: Path,
    clock: Clock,
) -> tuple[list[Failure], int]:
    """Write a line of JSON for each image that the source's list names and its patterns take.

    Returns the first 10,000 rows that cannot be used, and how many there are.
    :class:`SourceUnavailable` when the list cannot be had, in the time that is left to the crawl.
    """
    file = _local(source, contact, authorization, folder / "list", clock)
    refused: list[Failure] = []
    bad = 0
    with out.open("w") as lines:
        for entry in lists.read(file, source.name):
            if clock.over():
                raise _too_slow(source)
            if isinstance(entry, lists.Bad):
                bad += 1
                if bad <= _MAX_REFUSED:
                    refused.append(_refusal(source, entry))
            elif source.takes(entry.uri):
                line = {"uri": entry.uri, "columns": dict(entry.columns)}
                lines.write(json.dumps(line) + "\n")
    return refused, bad


def _refusal(source: Source, bad: lists.Bad) -> Failure:
    named = bad.text or f"row {bad.row} of source {source.name}"
    named = storable(named, MAX_URI)
    return Failure(named, Reason.URL_REFUSED, f"row {bad.row} of the list: {bad.problem}")


def _too_slow(source: Source) -> SourceUnavailable:
    problem = f"its list was not read within {source.limits.seconds:g} s"
    return SourceUnavailable(source.name, problem, "May limits.seconds be more?")


def _local(
    source: Source, contact: str, authorization: str | None, copy: Path, clock: Clock
) -> Path:
    """The list as a file of this machine."""
    scheme, mark, _ = source.location.partition("://")
    if not mark:
        path = Path(source.location)
        if not path.is_file():
            raise SourceUnavailable(source.name, f"there is no file {path}", "Is it right?")
        return path
    if scheme.lower() in ("http", "https"):
        outcome = asyncio.run(_fetch(source, contact, authorization, copy, clock))
        if not isinstance(outcome, Fetched):
            said = getattr(outcome, "detail", "the server says that there is nothing")
            raise SourceUnavailable(source.name, f"its list was not fetched: {said}", "Try later.")
        return copy
    try:
        size = _copy(source, copy, clock)
    # The libraries behind fsspec raise what they like.
    except Exception as e:
        fix = "Do location and credentials fit, and can it be reached from here?"
        raise SourceUnavailable(source.name, str(e) or type(e).__name__, fix) from e
    if clock.over():
        raise _too_slow(source)
    if size > _MAX_BYTES:
        problem = f"its list has more than {_MAX_BYTES:,} bytes"
        raise SourceUnavailable(source.name, problem, "Can it be parted?")
    return copy


def _copy(source: Source, copy: Path, clock: Clock) -> int:
    """Copy a list from a store, but little more than the most that is taken; how many bytes. Where
    the time is over not all of them are there."""
    size = 0
    with filesystem(source).open(source.location, "rb") as there, copy.open("wb") as here:
        while size <= _MAX_BYTES and not clock.over() and (block := there.read(_BLOCK)):
            size += here.write(block)
    return size


async def _fetch(
    source: Source, contact: str, authorization: str | None, copy: Path, clock: Clock
) -> Outcome:
    manners = source.politeness
    policy = Policy(
        contact=contact,
        max_bytes=_MAX_BYTES,
        seconds=_SECONDS,
        allowed=manners.allowed,
        ports=manners.ports,
    )
    async with Fetcher(policy) as fetcher:
        with copy.open("wb") as file:
            return await fetcher.fetch(
                source.location,
                file,
                is_image=False,
                authorization=authorization,
                seconds=None if (left := clock.left()) is None else min(left, _SECONDS),
            )
