"""A history as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from ris_jobs.provenance.words import is_decided
from ris_jobs.report import text
from ris_jobs.report.history import Failed, FamilyEvent, History, InFamily, Matched, Named, UriEvent

__all__ = ["timeline"]

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
    shown = _shown(history)
    for m in history.matches:
        if m.until is None and not shown.isdisjoint({m.derived_sha256, m.source_sha256}):
            yield _match(m)
    yield from (_family(f) for f in history.families if f.until is None and f.sha256 in shown)


def _shown(history: History) -> set[str | None]:
    """The image that is the subject, and the one that the subject shows, or showed when it went."""
    seen = [e.sha256 for e in history.events if e.uri == history.subject and e.event != "gone"]
    return {history.subject, *seen[-1:]}


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
