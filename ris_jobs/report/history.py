"""What was ever known of a URI or an image, as plain values, and as lines for a terminal.

A spell held from ``since`` until ``until``, which is None for what holds still. Times are
timezone-aware.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ris_jobs.provenance.words import is_decided
from ris_jobs.report import text

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
    "timeline",
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


# ── for a terminal ───────────────────────────────────────────────────────────────────────────

_Line = tuple[datetime, str]


def timeline(history: History) -> RenderableType:
    """Everything in the order of time, then what held at the end of it."""
    lines = sorted(_told(history), key=lambda line: line[0])
    when = text.moment(history.as_of) if history.as_of else "now"
    standing = [*_standing(history)] or ["nothing is known"]
    return Group(
        Text(text.visible(history.subject), "bold"),
        *(Text(f"{text.moment(at)}  {text.visible(said)}") for at, said in lines),
        Text(when, "bold"),
        *(Text(text.visible(said)) for said in standing),
    )


def _told(history: History) -> Iterator[_Line]:
    """What is of one moment in the order of its causes: what people did, then matches, families."""
    yield from ((e.at, _event(e)) for e in history.events)
    yield from ((n.since, _named(n)) for n in history.named)
    yield from ((f.at, _failed(f)) for f in history.failures)
    for q in history.quarantine:
        yield q.since, f"in quarantine: {q.reason}: {q.detail}"
        yield from _ended(q.until, f"out of quarantine: {q.reason}")
    yield from _done(history)
    yield from ((m.since, _match(m)) for m in history.matches)
    for f in history.families:
        yield f.since, _family(f)
        stayed = any((f.sha256, f.until) == (o.sha256, o.since) for o in history.families)
        yield from _ended(None if stayed else f.until, f"in family {f.family_id} no more")
    yield from ((h.at, _happened(h)) for h in history.family_events)


def _done(history: History) -> Iterator[_Line]:
    """By reviewers."""
    for d in history.decisions:
        yield d.at, f"{d.who} decided on {d.first_uri} and {d.second_uri}: {d.answer}: {d.why}"
    for s in history.source_decisions:
        said = s.source_uri or s.answer
        yield s.at, f"{s.who} decided on the source of {s.uri}: {said}: {s.why}"
    for t in history.templates:
        yield t.since, f"marked as a template by {t.who}" + (f": {t.note}" if t.note else "")
        yield from _ended(t.until, "a template no more")
    for e in history.erasures:
        then = ", may come back" if e.returns else ""
        yield e.at, f"erased by {e.who}{then}: {e.why}"


def _happened(h: FamilyEvent) -> str:
    erased = "" if h.erased_by is None else f", as {h.erased_by} erased an image: {h.erased_why}"
    return _EVENTS[h.kind].format(h.family_id, h.other_id) + erased


_EVENTS = {
    "merged": "family {0} merged into family {1}",
    "split": "members of family {0} founded family {1}",
    "moved": "members of family {0} moved to family {1}",
    "shrank": "members of family {0} left it, and are in none",
    "ended": "family {0} ended",
}


def _ended(at: datetime | None, said: str) -> Iterator[_Line]:
    if at is not None:
        yield at, said


def _standing(history: History) -> Iterator[str]:
    gone = _gone(history)
    yield from (f"there: {uri}" for uri, since in gone.items() if since is None)
    left = [since for since in gone.values() if since is not None]
    if left and len(left) == len(gone):
        yield f"gone since {text.moment(max(left))}"
    yield from (_match(m) for m in history.matches if m.until is None)
    yield from (_family(f) for f in history.families if f.until is None)


def _gone(history: History) -> dict[str, datetime | None]:
    """Each URI, and since when it does not show the image any more; None where it does. An image
    is not there where its URI shows other bytes."""
    found: dict[str, datetime | None] = {}
    for e in history.events:
        there = e.event != "gone" and history.subject in (e.uri, e.sha256)
        found[e.uri] = None if there else found.get(e.uri) or e.at
    return found


def _event(e: UriEvent) -> str:
    shown = f"sha256 {e.sha256}" if e.sha256 else f"{e.reason}: {e.detail}"
    if e.event == "changed":
        return f"changed: {e.uri}: {shown}, before {e.previous_sha256 or 'unreadable'}"
    return f"{e.event}: {e.uri}" if e.event == "gone" else f"{e.event}: {e.uri}: {shown}"


def _named(n: Named) -> str:
    said = {
        "title": n.title,
        "alt": n.alt,
        "link": n.link,
        "published, it says": n.published_at and text.moment(n.published_at),
        "stands for": n.full_uri,
    } | dict(n.columns)
    told = "".join(f", {name}: {value}" for name, value in said.items() if value)
    where = f"on {n.page}" if n.page else "in its list"
    return f"named by {n.source} {where}: {n.uri}{told}"


def _failed(f: Failed) -> str:
    then = f"tried again at {text.moment(f.next_try_at)}" if f.next_try_at else "given up"
    tries = text.plural(f.attempts, "attempt")
    return f"not fetched by {f.source}: {f.uri}: {f.reason}: {f.detail}; {tries}, {then}"


def _match(m: Matched) -> str:
    arrow = "→" if m.directed else "↔"
    said = f"{m.relation}: {m.derived_uri} {arrow} {m.source_uri}, {text.percent(m.probability)}"
    return said + (f", suppressed: {m.suppressed}" if m.suppressed else "")


def _family(f: InFamily) -> str:
    if f.source_uri is None:
        return f"in family {f.family_id}, source undetermined"
    sure = "decided" if is_decided(f.reasons) else text.chance(f.confidence)
    return f"in family {f.family_id}, source {f.source_uri}, {sure}"
