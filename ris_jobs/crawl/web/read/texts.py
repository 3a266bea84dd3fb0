"""Texts, dates and links as documents write them, brought into one form."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from urllib.parse import urljoin, urlsplit

from ris_jobs.crawl.fetch.urls import MAX_URL, join, masked, parse
from ris_jobs.errors import UrlRefused
from ris_jobs.formats import SUFFIXES

__all__ = ["absolute", "date", "is_image_name", "text"]

MAX_TEXT = 1000
"""Characters that are kept of a text."""

_INLINE = re.compile(r"\s*(?:#|(?:data|javascript|mailto|tel|about|blob|cid):)", re.IGNORECASE)


def text(written: str | None) -> str | None:
    """One line of printable characters, at most :data:`MAX_TEXT`; None if nothing is left."""
    if not written:
        return None
    line = " ".join(written[: 4 * MAX_TEXT].split())[:MAX_TEXT]
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line) or None


def date(written: str | None) -> datetime | None:
    """A date as ISO 8601 or RFC 5322 writes it, in UTC (which is meant where no zone is given)."""
    if not written or len(written) > 100:
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(written.strip())
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError, IndexError, TypeError):
            continue
    return None


def absolute(base: str, written: str | None) -> str | None:
    """Where a link in the document at ``base`` leads, normalised; None if it is empty, or nothing
    to fetch (an anchor, inline data, a script). What is no URL to fetch from comes back as text:
    whoever asks for it is told what is wrong. User
    name and password are left out of it."""
    if not written or not written.strip() or _INLINE.match(written):
        return None
    try:
        return join(parse(base), written[: 2 * MAX_URL]).url
    except UrlRefused:
        return text(masked(_joined(base, written.strip())))


def _joined(base: str, written: str) -> str:
    try:
        return urljoin(base, written)
    except ValueError:
        return written


def is_image_name(url: str) -> bool:
    """Whether the URL ends like a file of pixels."""
    return suffix(url) in SUFFIXES


def suffix(url: str) -> str:
    """How the path of a URL ends, in small letters, with its dot."""
    try:
        return PurePosixPath(urlsplit(url).path).suffix.lower()
    except ValueError:
        return ""
