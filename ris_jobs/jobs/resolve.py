"""Resolve: take new matches into families, part by part; a family that goes on keeps its id."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType

from sqlalchemy import Connection, Engine

from ris_jobs.jobs.patience import patiently
from ris_jobs.progress import Progress
from ris_jobs.provenance import ImageFacts
from ris_jobs.provenance import families as provenance
from ris_jobs.provenance.history import Before, Event, events, keep_ids
from ris_jobs.store import families, images, matches, sightings

_SHOWN = 20
# Matches whose families are looked at together.
_PAIRS = 4096

Lost = Mapping[int, Sequence[tuple[int, int]]]
"""(derived, source) ids of matches that are no more, by the derived one."""
_NOTHING_LOST: Lost = MappingProxyType({})
_BY_ITSELF: Mapping[str, int] = MappingProxyType({})


@dataclass(slots=True)
class Resolved:
    """How many images were looked at again."""

    images: int = 0
    seconds: float = 0.0


def resolve(
    engine: Engine, run_id: int | None, progress: Progress, patience: float = 0.0
) -> Resolved:
    """Look again at all images that new or changed matches reach, and at nothing else;
    ``run_id`` is None outside of a run, ``patience`` is how many seconds to wait for a server that
    is away. Killed between parts, the next run goes on."""
    started, total = time.perf_counter(), Resolved()
    with progress.stage("resolve", None) as advance:
        while count := patiently(partial(_resolve, engine, run_id), patience):
            total.images += count
            advance(count)
    total.seconds = time.perf_counter() - started
    return total


def _resolve(engine: Engine, run_id: int | None) -> int:
    with engine.begin() as db:
        matches.lock(db)
        return len(take_in(db, run_id))


def take_in(db: Connection, run_id: int | None, lost: Lost = _NOTHING_LOST) -> list[int]:
    """Look again at what some of the matches reach that families have yet to take in, under
    :func:`ris_jobs.store.matches.lock`. Returns these images: none where nothing is left.

    A part is everything that its matches reach, so the families are the same however the matches
    are parted, and a match that lies in a part is not taken in once more by another.
    """
    some = matches.unresolved(db, _PAIRS)
    return look_again(db, [i for pair in some for i in pair], run_id, lost) if some else []


def look_again(
    db: Connection,
    ids: Sequence[int],
    run_id: int | None,
    lost: Lost = _NOTHING_LOST,
    because: Mapping[str, int] = _BY_ITSELF,
) -> list[int]:
    """Find the families of all that matches reach from these images anew, under
    :func:`ris_jobs.store.matches.lock`. Matches that are new, changed or ``lost`` are the cause of
    what happens to families, beside what people did: ``because`` is the id of a ``decision`` on a
    source or of an ``erasure``. Returns these images."""
    touched = _reached(db, ids)
    facts = facts_among(db, touched)
    rulings = families.rulings(db, touched)
    # Of an erased image nothing is known.
    pairs = [p for p in matches.pairs(db, touched) if {p.derived_id, p.source_id} <= facts.keys()]
    found = provenance.resolve(pairs, facts, rulings)
    old = families.touching(db, touched)
    before = [Before(f.family_id, f.anchor_id, f.members) for f in old]
    kept = list(zip(keep_ids(before, found), found, strict=True))
    now = families.replace(db, old, kept, run_id)
    new = matches.unresolved_among(db, touched)
    changed = sorted({*new, *(pair for i in touched for pair in lost.get(i, ()))})
    for event in events(before, now):
        families.record(db, event, _cause(event, changed, because), run_id)
    matches.set_resolved(db, new)
    return touched


def _reached(db: Connection, ids: Sequence[int]) -> list[int]:
    """All that matches reach from these images, and from whoever is in a family with them: what
    no match ties to its family any more leaves it in the same step."""
    touched = matches.component(db, ids)
    while left := {i for f in families.touching(db, touched) for i in f.members}.difference(
        touched
    ):
        touched = matches.component(db, [*touched, *left])
    return touched


def _cause(
    event: Event, changed: Sequence[tuple[int, int]], because: Mapping[str, int]
) -> dict[str, object]:
    """What made it happen: matches that were new or changed among its members, or people."""
    among = [pair for pair in changed if event.members.issuperset(pair)]
    return {"matches": among[:_SHOWN], **because}


def facts_among(
    db: Connection, ids: Sequence[int], as_of: datetime | None = None
) -> dict[int, ImageFacts]:
    """What provenance knows of those of these images that can be used, dates as they were known
    ``as_of`` a time (None: now)."""
    days = sightings.claimed_days(db, ids, as_of)
    return {
        i: ImageFacts(
            s.sha256,
            s.fingerprint.width,
            s.fingerprint.height,
            s.first_seen_at,
            s.fingerprint.traces,
            *days.get(i, ()),
        )
        for i, s in images.by_ids(db, ids).items()
    }
