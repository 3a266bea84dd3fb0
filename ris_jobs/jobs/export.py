"""Export: tables for other programs, by the contract of docs/export.md."""

from __future__ import annotations

from typing import BinaryIO

from sqlalchemy import Engine

from ris_jobs.errors import ConfigError
from ris_jobs.jobs.history import time_of
from ris_jobs.report import rows
from ris_jobs.report.export import Format, write
from ris_jobs.store import reports

_COLUMNS = {
    "matches": rows.MATCH_COLUMNS,
    "images": rows.IMAGE_COLUMNS,
    "families": rows.FAMILY_COLUMNS,
    "quarantine": rows.QUARANTINE_COLUMNS,
    "hits": rows.HIT_COLUMNS,
    "runs": rows.RUN_COLUMNS,
}
# Of these it is known what they were at a time.
_KEPT = ("matches", "images", "families", "quarantine")


def export(engine: Engine, what: str, form: Format, out: BinaryIO, as_of: str | None = None) -> int:
    """Write ``what`` (matches, images, families, quarantine, hits, runs) as jsonl, csv or parquet,
    as it was believed ``as_of`` a run or a time (:func:`ris_jobs.jobs.history.time_of`). Returns
    the number of rows.

    Raises :class:`ConfigError` for hits and runs as of a time.
    """
    with engine.connect() as db:
        if as_of is None:
            found = reports.export_rows(db, what)
        elif what in _KEPT:
            found = reports.export_rows_at(db, what, time_of(db, as_of))
        else:
            raise ConfigError("--as-of", f"is for {', '.join(_KEPT)}, not for {what}")
        return write(found, _COLUMNS[what], form, out)
