"""History: all that was ever known of a URI or an image, and what was believed as of a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Engine

from ris_jobs.errors import ConfigError, NotFound
from ris_jobs.jobs.lookup import meant
from ris_jobs.report.history import History, UriEvent
from ris_jobs.settings import Settings
from ris_jobs.store import history as kept

_RUN = re.compile(r"[0-9]{1,18}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def history(engine: Engine, settings: Settings, name: str, as_of: str | None) -> History:
    """All of a URI, of a path, or of the image with a sha256, wherever it was seen; as it was
    known ``as_of`` a run or a time, see :func:`time_of`.

    Raises :class:`NotFound` for what no scan has seen.
    """
    with engine.connect() as db:
        at = None if as_of is None else time_of(db, as_of)
        for uri, sha256 in meant(settings, name):
            if uri is not None and kept.knows_uri(db, uri):
                return _at(db, uri, at)
            if sha256 is not None and (image := kept.image_of(db, sha256)) is not None:
                return _of(db, sha256, image, at)
    raise NotFound(f"no scan has seen {name!r}; see `ris export images` for what there is")


def time_of(db: Connection, as_of: str) -> datetime:
    """A number is a run, and means its end; else a time in ISO 8601, UTC where it does not say.
    A date means the end of that day."""
    if _RUN.fullmatch(as_of):
        return kept.run_end(db, int(as_of))
    try:
        if _DATE.fullmatch(as_of):
            day = datetime.combine(date.fromisoformat(as_of), datetime.min.time(), UTC)
            return day + timedelta(days=1, microseconds=-1)
        time = datetime.fromisoformat(as_of)
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as e:
        problem = f"must be a run or a time such as 2026-01-31 or 2026-01-31T02:15Z, not {as_of!r}"
        raise ConfigError("--as-of", problem) from e


def _at(db: Connection, uri: str, as_of: datetime | None) -> History:
    ids = kept.images_at(db, uri, as_of)
    events = kept.events_at(db, uri, as_of)
    return _whole(db, uri, as_of, events, [uri], ids)


def _of(db: Connection, sha256: str, image_id: int, as_of: datetime | None) -> History:
    events = kept.events_of(db, sha256, as_of)
    return _whole(db, sha256, as_of, events, sorted({e.uri for e in events}), [image_id])


def _whole(
    db: Connection,
    subject: str,
    as_of: datetime | None,
    events: Sequence[UriEvent],
    uris: Sequence[str],
    ids: Sequence[int],
) -> History:
    lists = kept.of_uris(db, uris, as_of) | kept.of_images(db, ids, as_of)
    return History(subject, as_of, events, **lists)
