"""Lists of image URLs: CSV, JSON lines or Parquet, with whatever columns they have beside.

A list may come from anywhere. It is read in a stream; of a cell so much is kept, and of a row, that
no list can fill the memory, and a row that cannot be used is said so and passed over.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ris_jobs.crawl import parquet
from ris_jobs.crawl.fetch import urls
from ris_jobs.errors import ConfigError, UrlRefused

__all__ = ["Bad", "Entry", "read"]

URL_COLUMNS = ("url", "image_url", "uri")
"""Names of the column that holds the URL, whatever their case; the first that is there."""

MAX_CELL = 1000
"""Characters of a cell that are kept."""

MAX_COLUMNS = 50
MAX_LINE = 1 << 20

# Characters of a cell of Parquet that are looked at, as it may be the URL.
_MAX_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An image's URL, as :func:`ris_jobs.crawl.fetch.urls.parse` spells it, and what stands beside
    it."""

    uri: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be used; ``row`` counts from 1, ``text`` is its URL if it has one,
    without a password."""

    row: int
    text: str
    problem: str


def read(file: Path, name: str) -> Iterator[Entry | Bad]:
    """All rows of a list, whose format its first bytes tell. :class:`ConfigError` names the source
    ``name`` when there is no column of URLs, or it is no list at all."""
    where = f"source {name!r}: location"
    with file.open("rb") as opened:
        head = opened.read(4096)
    rows: Iterator[Mapping[str, Any] | Bad]
    if head.startswith(b"PAR1"):
        rows = parquet.rows(file, where, URL_COLUMNS, _MAX_TEXT)
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        rows = _json_lines(file)
    else:
        rows = _csv(file, where)
    for number, row in enumerate(rows, 1):
        yield row if isinstance(row, Bad) else _entry(number, row)


def _entry(number: int, row: Mapping[str, Any]) -> Entry | Bad:
    by_name = {str(key).lower(): key for key in reversed(list(row))}
    key = next((by_name[name] for name in URL_COLUMNS if name in by_name), None)
    if key is None or not row[key]:
        return Bad(number, "", f"it has no {', '.join(URL_COLUMNS[:-1])} or {URL_COLUMNS[-1]}")
    text = str(row[key]).strip()
    try:
        uri = urls.parse(text).url
    except UrlRefused as e:
        return Bad(number, urls.masked(text)[: urls.MAX_URL], e.detail)
    if len(uri) > urls.MAX_URL:
        return Bad(number, text[: urls.MAX_URL], f"it has more than {urls.MAX_URL:,} characters")
    beside = [(_cell(k), _cell(v)) for k, v in row.items() if k != key and v is not None]
    return Entry(uri, dict(beside[:MAX_COLUMNS]))


def _cell(value: Any) -> str:
    """Text of any value: no NUL, no half of a character, not too long."""
    text = value if isinstance(value, str) else str(value)
    return text[:MAX_CELL].replace("\0", "").encode("utf-8", "replace").decode()


def _csv(file: Path, where: str) -> Iterator[Mapping[str, Any] | Bad]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as opened:
        lines = csv.reader(_bounded(opened))
        names = next(lines, None) or []
        if not {n.strip().lower() for n in names} & set(URL_COLUMNS):
            expected = ", ".join(URL_COLUMNS)
            raise ConfigError(where, f"is a list without any of the columns {expected}")
        names = [n.strip() for n in names]
        for number in range(1, 1 << 62):
            try:
                yield dict(zip(names, next(lines), strict=False))
            except StopIteration:
                return
            except csv.Error as e:
                yield Bad(number, "", f"it is no row of CSV: {e}")


def _json_lines(file: Path) -> Iterator[Mapping[str, Any] | Bad]:
    with file.open(encoding="utf-8-sig", errors="replace") as opened:
        for number, line in enumerate(_bounded(opened), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            yield row if isinstance(row, dict) else Bad(number, "", "it is no JSON object")


def _bounded(opened: Any) -> Iterator[str]:
    """Lines, of which those that are too long are cut off."""
    while line := opened.readline(MAX_LINE):
        yield line
        while not line.endswith("\n") and (line := opened.readline(MAX_LINE)):
            pass
