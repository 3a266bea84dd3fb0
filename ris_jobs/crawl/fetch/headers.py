"""The response headers that are kept: short, printable, and else not at all."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from multidict import MultiMapping

from ris_jobs.crawl.fetch import Headers

__all__ = ["kept", "seconds_to_wait"]

_PLAIN = re.compile(r"[ -~]{1,1000}")


def kept(headers: MultiMapping[str]) -> Headers:
    """Of several headers of one name, what they say together."""
    return Headers(
        content_type=_value(headers, "Content-Type"),
        etag=_value(headers, "ETag"),
        last_modified=_value(headers, "Last-Modified"),
        cache_control=_value(headers, "Cache-Control"),
        retry_after=_value(headers, "Retry-After"),
        x_robots_tag=_value(headers, "X-Robots-Tag"),
    )


def _value(headers: MultiMapping[str], name: str) -> str | None:
    value = ", ".join(headers.getall(name, []))
    return value if _PLAIN.fullmatch(value) else None


def seconds_to_wait(retry_after: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for, from ``now`` on; None if it says nothing."""
    if retry_after is None:
        return None
    if re.fullmatch("[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
