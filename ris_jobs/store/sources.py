"""Sources and the crawls of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, RowMapping

from ris_jobs.crawl.declared import as_declared, source_of
from ris_jobs.crawl.directory import path_of, uri_of
from ris_jobs.crawl.source import Source
from ris_jobs.errors import ConfigError, NotFound
from ris_jobs.store.queries import query

_LOG = logging.getLogger("ris_jobs")


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of ris.source; ``file`` brought it, or None."""

    source_id: int
    source: Source
    enabled: bool
    file: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The last crawl of a source. ``ended_at`` is None while it is under way or interrupted;
    ``waiting`` URIs failed and are asked for later, ``given_up`` ones not any more."""

    began_at: datetime
    ended_at: datetime | None
    complete: bool
    why: str | None
    seen: int
    failed: int
    waiting: int
    given_up: int


def add(db: Connection, source: Source, file: str | None = None) -> Stored:
    """:class:`ConfigError` when there is one of that name."""
    params = _row(source) | {"file": file}
    source_id: int | None = db.scalar(query("sources.add"), params)
    if source_id is None:
        raise ConfigError(f"source {source.name!r}", "is there already; --replace changes it")
    return Stored(source_id, source, True, file)


def change(db: Connection, stored: Stored, source: Source, file: str | None) -> None:
    """Make the source what ``source`` says; it keeps its history."""
    params = _row(source) | {"file": file, "source_id": stored.source_id}
    db.execute(query("sources.change"), params)


def enable(db: Connection, stored: Stored, enabled: bool) -> None:
    db.execute(query("sources.enable"), {"source_id": stored.source_id, "enabled": enabled})


def remove(db: Connection, name: str) -> None:
    """:class:`NotFound` when there is none. Also one whose row cannot be read is removed."""
    db.execute(query("sources.remove"), {"source_id": _row_named(db, name).source_id})


def there(db: Connection) -> list[tuple[Stored, Last | None]]:
    """All sources but removed ones, by name; a row that cannot be read is logged and left out."""
    rows = db.execute(query("sources.there"))
    return [(stored, _last(r)) for r in rows if (stored := _if_sound(r))]


def named(db: Connection, name: str) -> Stored:
    """:class:`NotFound` when there is none, or it was removed; :class:`ConfigError` when its row
    cannot be read."""
    return _stored(_row_named(db, name))


def readable(db: Connection) -> list[Stored]:
    """Every source that ever was, those that are there first; a row that cannot be read is logged
    and left out."""
    return [stored for r in db.execute(query("sources.readable")) if (stored := _if_sound(r))]


def crawls(db: Connection, stored: Stored, limit: int) -> Sequence[RowMapping]:
    """The last rows of ris.source_crawl, newest first."""
    params = {"source_id": stored.source_id, "limit": limit}
    return db.execute(query("sources.crawls"), params).mappings().all()


def given_up(db: Connection, stored: Stored, limit: int) -> Sequence[RowMapping]:
    """URIs that are not asked for any more: uri, reason, detail, attempts, gave_up_at."""
    params = {"source_id": stored.source_id, "limit": limit}
    return db.execute(query("sources.given_up"), params).mappings().all()


def _row(source: Source) -> dict[str, Any]:
    local = source.kind == "directory" or "://" not in source.location
    return {
        "name": source.name,
        "kind": source.kind,
        # As a URI: a path may hold bytes that are no text.
        "location": uri_of(Path(source.location)) if local else source.location,
        "include": list(source.include),
        "exclude": list(source.exclude),
        "tags": list(source.tags),
        "schedule": source.schedule,
        "credentials": source.credentials,
        "limits": json.dumps(as_declared(source.limits)),
        "politeness": json.dumps(as_declared(source.politeness)),
    }


def _row_named(db: Connection, name: str) -> Row[Any]:
    if row := db.execute(query("sources.named"), {"name": name}).one_or_none():
        return row
    raise NotFound(f"there is no source {name!r}; `ris source list` shows all")


def _if_sound(r: Row[Any]) -> Stored | None:
    try:
        return _stored(r)
    except ConfigError as e:
        _LOG.error("%s; `ris source remove %s`, and add it anew", e, r.name)
        return None


def _stored(r: Row[Any]) -> Stored:
    """:class:`ConfigError` for a row that no version of today would have written."""
    try:
        location = str(path_of(r.location)) if r.location.startswith("file://") else r.location
    except ValueError as e:
        raise ConfigError(f"source {r.name!r}: location", f"cannot be read: {e}") from e
    values = {
        "kind": r.kind,
        "location": location,
        "include": r.include,
        "exclude": r.exclude,
        "tags": r.tags,
        "schedule": r.schedule,
        "credentials": r.credentials,
        "limits": r.limits,
        "politeness": r.politeness,
    }
    return Stored(r.source_id, source_of(r.name, values), r.enabled, r.file)


def _last(r: Row[Any]) -> Last | None:
    if r.crawled_at is None:
        return None
    return Last(
        began_at=r.crawled_at,
        ended_at=r.ended_at,
        complete=r.complete,
        why=r.why,
        seen=r.seen,
        failed=r.failed,
        waiting=r.waiting,
        given_up=r.given_up,
    )
