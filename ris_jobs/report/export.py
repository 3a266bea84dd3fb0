"""Rows as files: JSON lines, CSV that spreadsheets cannot run, Parquet. All are streamed.

CSV (RFC 4180, UTF-8, CRLF): a text cell that a spreadsheet could take for a formula gets one
leading apostrophe, as a person would type it: ``=1+1`` is written ``'=1+1``. Apostrophes that
were there already count as text, so taking one off a cell that begins so gives the value back.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from types import NoneType
from typing import Any, BinaryIO, Literal, get_args

from ris_jobs.report.rows import Box, Columns

__all__ = ["Format", "write"]

Format = Literal["jsonl", "csv", "parquet"]

ROWS_A_GROUP = 10_000

# Spreadsheets skip blanks, quotes and unprintable characters before a formula's first sign,
# and take the full-width signs too. A tab or line break alone can open a new cell on pasting.
_SKIPPED = r"""[\s"'`\x00-\x1f\u200b\u2060\ufeff]*"""
_FORMULA = re.compile(_SKIPPED + r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def write(
    rows: Iterable[Mapping[str, Any]], columns: Columns, format: Format, out: BinaryIO
) -> int:
    """Write ``rows`` in the columns' order and return how many there were.

    Values are brought to their column's type first (anything to text, Decimal to float). Times
    must be timezone-aware and come out in UTC, ISO 8601. A missing column raises KeyError,
    further keys are left out. ``out`` needs no seek.
    """
    writer = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}[format]
    kinds = {name: _kind(hint) for name, hint in columns.items()}
    plain = ({name: _plain(row[name], kind) for name, kind in kinds.items()} for row in rows)
    return writer(plain, kinds, out)


def _kind(hint: Any) -> Any:
    """``int | None`` → ``int``."""
    if NoneType in get_args(hint):
        return next(kind for kind in get_args(hint) if kind is not NoneType)
    return hint


def _plain(value: Any, kind: Any) -> Any:
    if value is None:
        return None
    if kind is datetime:
        return _utc(value)
    if kind is Box:
        return [float(edge) for edge in value]
    if kind == list[str]:
        return [str(item) for item in value]
    return kind(value) if kind in (str, int, float, bool) else value


def _utc(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError(f"time {time.isoformat()} has no time zone")
    return time.astimezone(UTC)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_iso)


def _iso(value: Any) -> str:
    """Times as ``2026-01-31T02:15:04Z``; what else JSON does not know (Decimal) as text."""
    if not isinstance(value, datetime):
        return str(value)
    return _utc(value).isoformat().replace("+00:00", "Z")


def _jsonl(rows: Iterator[dict[str, Any]], kinds: Columns, out: BinaryIO) -> int:
    count = 0
    for row in rows:
        out.write(_bytes(_json(row) + "\n"))
        count += 1
    return count


def _csv(rows: Iterator[dict[str, Any]], kinds: Columns, out: BinaryIO) -> int:
    out.write(_line(kinds))
    count = 0
    for row in rows:
        out.write(_line(_cell(value) for value in row.values()))
        count += 1
    return count


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return _bytes(line.getvalue())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _defused(value)
    return _iso(value) if isinstance(value, datetime) else _json(value)


def _defused(text: str) -> str:
    return "'" + text if _FORMULA.match(text) else text


def _parquet(rows: Iterator[dict[str, Any]], kinds: Columns, out: BinaryIO) -> int:
    import pyarrow as pa  # half a second that the other formats need not pay
    import pyarrow.parquet as pq

    schema = _schema(kinds)
    nested = [name for name, kind in kinds.items() if _arrow(kind) is None]
    count = 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        while group := list(islice(rows, ROWS_A_GROUP)):
            for row in group:
                row |= {name: _json(row[name]) for name in nested if row[name] is not None}
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def _schema(kinds: Columns) -> Any:
    import pyarrow as pa

    return pa.schema([(name, _arrow(kind) or pa.string()) for name, kind in kinds.items()])


def _arrow(kind: Any) -> Any:
    """The Arrow type of a column; None for objects, which are kept as JSON text."""
    import pyarrow as pa

    types = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        datetime: pa.timestamp("us", tz="UTC"),
        Box: pa.list_(pa.float64()),
        list[str]: pa.list_(pa.string()),
    }
    return types.get(kind)


def _bytes(text: str) -> bytes:
    # Lone surrogates (names that are not UTF-8) become \udcXX, which JSON reads back.
    return text.encode("utf-8", "backslashreplace")
