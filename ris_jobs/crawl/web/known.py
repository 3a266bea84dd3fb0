"""What earlier crawls learned of images: a SQLite file, for there may be more of them than fit into
memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ris_jobs.crawl.fetch import Known

__all__ = ["Before", "Memory", "write"]

_TABLE = """
CREATE TABLE known (uri BLOB PRIMARY KEY, etag TEXT, last_modified TEXT, answered_by BLOB,
                    done INTEGER NOT NULL, counts INTEGER NOT NULL, waits INTEGER NOT NULL,
                    page BLOB)
WITHOUT ROWID
"""
_TEXT = ("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """An image that was named before. ``answered_by`` is the URL that sent ETag and date, None if
    it is ``uri``. ``done``: not to be asked for in this crawl; ``counts``: part of what the limit
    of images allows; ``waits``: it is told if it is still named; ``page`` named it, None if none
    did."""

    uri: str
    etag: str | None = None
    last_modified: str | None = None
    answered_by: str | None = None
    done: bool = False
    counts: bool = False
    waits: bool = False
    page: str | None = None


def write(path: Path, images: Iterable[Before]) -> None:
    """Make the file, which is not there yet."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        db.execute(_TABLE)
        insert = "INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        db.executemany(insert, map(_row, images))
        db.execute("COMMIT")


class Memory:
    """Images that are not to be asked for are ``in`` it; ``counted`` is how many of these are part
    of what the limit of images allows."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        (self.counted,) = self._db.execute("SELECT count(*) FROM known WHERE counts").fetchone()

    def __contains__(self, uri: str) -> bool:
        return self._is("done", uri)

    def waits(self, uri: str) -> bool:
        return self._is("waits", uri)

    def page(self, uri: str) -> str | None:
        """Which page named an image before; None if none did."""
        found = self._of("page", uri)
        return found[0].decode(*_TEXT) if found and found[0] is not None else None

    def validators(self, uri: str, url: str) -> Known | None:
        """What ``url`` sent of the image; None if another URL answered for it."""
        found = self._of("coalesce(answered_by, uri), etag, last_modified", uri, "NOT done")
        return Known(*found[1:]) if found and found[0] == _key(url) else None

    def _is(self, column: str, uri: str) -> bool:
        found = self._of(column, uri)
        return bool(found and found[0])

    def _of(self, columns: str, uri: str, only: str = "true") -> tuple[Any, ...] | None:
        asked = f"SELECT {columns} FROM known WHERE uri = ? AND {only}"
        found: tuple[Any, ...] | None = self._db.execute(asked, (_key(uri),)).fetchone()
        return found


def _row(i: Before) -> tuple[Any, ...]:
    answered_by, page = (None if url is None else _key(url) for url in (i.answered_by, i.page))
    return _key(i.uri), i.etag, i.last_modified, answered_by, i.done, i.counts, i.waits, page


def _key(uri: str) -> bytes:
    """What a page names may hold halves of characters."""
    return uri.encode(*_TEXT)
