"""Export: tables for other programs, by the contract of docs/export.md."""

from __future__ import annotations

from typing import BinaryIO

from sqlalchemy import Engine

from ris_jobs.report import rows
from ris_jobs.report.export import Format, write
from ris_jobs.store import reports

_COLUMNS = {
    "matches": rows.MATCH_COLUMNS,
    "images": rows.IMAGE_COLUMNS,
    "families": rows.FAMILY_COLUMNS,
    "quarantine": rows.QUARANTINE_COLUMNS,
    "hits": rows.HIT_COLUMNS,
}


def export(engine: Engine, what: str, form: Format, out: BinaryIO) -> int:
    """Write ``what`` (matches, images, families, quarantine, hits) as jsonl, csv or parquet.
    Returns the number of rows."""
    with engine.connect() as db:
        return write(reports.export_rows(db, what), _COLUMNS[what], form, out)
