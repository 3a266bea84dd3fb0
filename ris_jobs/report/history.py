"""What was ever known of a URI or an image, as plain values.

A spell held from ``since`` until ``until``, which is None for what holds still. Times are
timezone-aware.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

__all__ = [
    "Decided",
    "DecidedSource",
    "Erased",
    "Failed",
    "FamilyEvent",
    "History",
    "InFamily",
    "Matched",
    "Named",
    "Quarantined",
    "Templated",
    "UriEvent",
    "as_json",
]


@dataclass(frozen=True, slots=True)
class UriEvent:
    """At a URI something ``appeared``, ``changed``, ``returned`` or was ``gone``, as in the view
    ris.uri_event. ``sha256`` is None for bytes that could not be read."""

    at: datetime
    event: str
    uri: str
    sha256: str | None
    previous_sha256: str | None
    reason: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Named:
    """The ``source`` of this name found the image at ``uri`` named on a ``page``, or in its list.
    All text is from outside: what the image is said to show (``alt``), where it leads to
    (``link``), when it was published (``published_at``), the larger image it stands for, the
    columns of a list."""

    since: datetime
    until: datetime | None
    uri: str
    source: str
    page: str | None
    title: str | None
    alt: str | None
    link: str | None
    published_at: datetime | None
    full_uri: str | None
    columns: Mapping[str, Any]
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Failed:
    """The last of so many ``attempts`` in a row to fetch the image at ``uri``; what it showed
    before stays as it was. It is tried again at ``next_try_at``, or was given up."""

    at: datetime
    uri: str
    source: str
    reason: str
    detail: str
    attempts: int
    next_try_at: datetime | None
    gave_up_at: datetime | None


@dataclass(frozen=True, slots=True)
class Quarantined:
    since: datetime
    until: datetime | None
    sha256: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Matched:
    """A match as it was judged then; ``directed`` is False where it was not told which of the two
    is derived."""

    since: datetime
    until: datetime | None
    derived_uri: str
    source_uri: str
    derived_sha256: str
    source_sha256: str
    relation: str
    probability: float
    directed: bool
    suppressed: str | None
    model: str
    calibration: str
    run_id: int


@dataclass(frozen=True, slots=True)
class InFamily:
    """An image was in a family with this verdict; ``source_uri`` is None where it was
    undetermined."""

    since: datetime
    until: datetime | None
    sha256: str
    family_id: int
    source_uri: str | None
    confidence: float
    reasons: Sequence[str]
    run_id: int | None


@dataclass(frozen=True, slots=True)
class Decided:
    at: datetime
    first_uri: str
    second_uri: str
    answer: str
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Templated:
    since: datetime
    until: datetime | None
    sha256: str
    note: str | None
    who: str


@dataclass(frozen=True, slots=True)
class Erased:
    """An image was erased on demand; ``returns``: it may be taken up again."""

    at: datetime
    sha256: str
    who: str
    why: str
    returns: bool


@dataclass(frozen=True, slots=True)
class DecidedSource:
    """What a reviewer said of the source of the image at ``uri``; ``source_uri`` is None unless the
    ``answer`` is source."""

    at: datetime
    uri: str
    answer: str
    source_uri: str | None
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class FamilyEvent:
    """A family ``merged`` into another, ``split``, had members that ``moved``, ``shrank`` or
    ``ended``, as in ris.family_event; ``erased_by`` and ``erased_why`` are of the erasure that did
    it, None where none did."""

    at: datetime
    kind: str
    family_id: int
    other_id: int | None
    run_id: int | None
    erased_by: str | None = None
    erased_why: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """All of it, each list in the order of time. ``subject`` is a URI or a sha256; what came after
    ``as_of`` (None: now) is left out, and what ended after it had not ended."""

    subject: str
    as_of: datetime | None
    events: Sequence[UriEvent]
    quarantine: Sequence[Quarantined]
    matches: Sequence[Matched]
    families: Sequence[InFamily]
    decisions: Sequence[Decided]
    templates: Sequence[Templated]
    erasures: Sequence[Erased] = ()
    source_decisions: Sequence[DecidedSource] = ()
    family_events: Sequence[FamilyEvent] = ()
    named: Sequence[Named] = ()
    failures: Sequence[Failed] = ()


def as_json(history: History) -> dict[str, Any]:
    """The same as JSON values, times in ISO 8601."""
    plain: dict[str, Any] = _plain(asdict(history))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value.isoformat() if isinstance(value, datetime) else value
