"""Where sources name images: pages, and rows of lists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ris_jobs.store.crawls import Crawl
from ris_jobs.store.outside import MAX_URI, storable
from ris_jobs.store.queries import query
from ris_jobs.store.runs import Run

_FETCH = 1000
_NOW = "infinity"


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of an image that a source named before. ``seen``: this crawl has asked for it
    already; ``waits``: it failed, and its time has not come; ``left``: it was asked for before a
    limit ended the last crawl; ``judged``: its bytes, ``sha256``, are needed no more. ``page``
    named it."""

    uri: str
    etag: str | None
    last_modified: str | None
    answered_by: str | None
    sha256: str | None
    seen: bool
    waits: bool
    left: bool
    judged: bool
    page: str | None


def save(
    db: Connection, source_id: int, facts: Sequence[Mapping[str, Any]], seen_at: datetime
) -> None:
    """``facts``: the columns of ris.sighting by name, times as ISO 8601. What differs from before
    is kept as history."""
    if facts:
        params = {"source_id": source_id, "rows": _rows(facts), "seen_at": seen_at}
        db.execute(query("sightings.save"), params)


def place(db: Connection, source_id: int, facts: Sequence[Mapping[str, Any]]) -> None:
    """The same of images that were named before, which need not have been asked for now."""
    if facts:
        db.execute(query("sightings.place"), {"source_id": source_id, "rows": _rows(facts)})


def _rows(facts: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps([storable(f) | {"uri": storable(f["uri"], MAX_URI)} for f in facts])


def touch(db: Connection, source_id: int, uris: Sequence[str], seen_at: datetime) -> None:
    """They were named again; what is said of them stays as it is."""
    params = {"source_id": source_id, "uris": storable(uris, MAX_URI), "seen_at": seen_at}
    if uris:
        db.execute(query("sightings.touch"), params)


def claimed_days(
    db: Connection, ids: Sequence[int], as_of: datetime | None = None
) -> dict[int, tuple[str, str]]:
    """Image id → the earliest days (ISO 8601; empty: none) on which pages claim that it was
    published, and sources that its file was changed, as far as was known ``as_of`` a time (None:
    now)."""
    params = {"ids": list(ids), "as_of": as_of or _NOW}
    rows = db.execute(query("sightings.claimed_days"), params)
    return {r.image_id: (r.published_on or "", r.modified_on or "") for r in rows}


def known(db: Connection, crawl: Crawl, run: Run) -> Iterator[Before]:
    """All that the source of the crawl ever named, streamed."""
    streaming = db.execution_options(stream_results=True, max_row_buffer=_FETCH)
    params = {
        "source_id": crawl.source_id,
        "began_at": crawl.began_at,
        "done_since": crawl.done_since,
        "judged_by": run.judged_by,
    }
    for row in streaming.execute(query("sightings.known"), params):
        yield Before(*row)
