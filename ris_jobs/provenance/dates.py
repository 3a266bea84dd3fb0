"""What is said of dates in the reasons of a verdict. None has any weight: when something was first
seen says little, and anybody can claim any date."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from ris_jobs.provenance import ImageFacts

__all__ = ["claimed_dates", "of_file", "seen"]

_DATE = re.compile(r"([0-9]{4})[:-]([0-9]{2})[:-]([0-9]{2})\b")


_MINE, _ANOTHERS = "for: its file is dated", "against: another's file is dated"


def of_file(reason: str) -> bool:
    """Whether a reason is about the date of a file, of which only the last one is kept."""
    return reason.startswith((_MINE, _ANOTHERS))


def seen(mine: ImageFacts, others: Sequence[ImageFacts]) -> Iterator[str]:
    """When it was first seen here."""
    earliest = min(known.first_seen_at for known in others)
    if mine.first_seen_at < earliest:
        yield "for: it was seen first here (0: first crawled is not first published)"
    elif mine.first_seen_at > earliest:
        yield "against: another was seen here before it (0: first crawled is not first published)"


def claimed_dates(mine: ImageFacts, others: Sequence[ImageFacts]) -> Iterator[str]:
    """The dates that files, pages and sources claim."""
    for day_of, claim, why in _CLAIMS:
        own = day_of(mine)
        earlier = min(filter(None, map(day_of, others)), default="")
        if own:
            yield f"for: {claim.format('it')} {own} (0: {why})"
        if earlier and (not own or earlier < own):
            yield f"against: {claim.format('another')} {earlier} (0: {why})"
    yield from _oldest(mine.modified_on, [known.modified_on for known in others])


def _oldest(own: str, others: Sequence[str]) -> Iterator[str]:
    """Nearly every file has some date: only what differs is said."""
    earliest = min(filter(None, others), default="")
    if own and earliest and own != earliest:
        side = _MINE if own < earliest else _ANOTHERS
        yield f"{side} {min(own, earliest)}, earlier (0: copying changes such dates)"


def _taken(known: ImageFacts) -> str:
    return _written(known, "DateTimeOriginal")


def _changed(known: ImageFacts) -> str:
    """Empty, too, where that is the day on which it was taken."""
    day = _written(known, "DateTime")
    return "" if day == _taken(known) else day


def _published(known: ImageFacts) -> str:
    return known.published_on


def _written(known: ImageFacts, field: str) -> str:
    """A day in EXIF as ISO 8601 has it; empty where the file claims none, or one that no calendar
    has: cameras whose clock was never set write zeros."""
    found = _DATE.match(known.traces.metadata.get(field, ""))
    try:
        return date.fromisoformat("-".join(found.groups())).isoformat() if found else ""
    except ValueError:
        return ""


_CLAIMS = (
    (_taken, "{} says it was taken on", "anybody can write that"),
    (_changed, "{} says it was changed on", "anybody can write that"),
    (_published, "pages say that {} was published on", "pages may claim any date"),
)
