"""Replay of verdicts: find a run's families again from the matches that there were then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection

from ris_jobs.jobs.resolve import facts_among
from ris_jobs.progress import Advance
from ris_jobs.provenance import Family, families
from ris_jobs.provenance.dates import of_file
from ris_jobs.provenance.model import model
from ris_jobs.report.replayed import FamilyDifference, Verdicts, changes
from ris_jobs.store import images, verdicts
from ris_jobs.store.verdicts import Kept

__all__ = ["replay_verdicts"]


def replay_verdicts(db: Connection, run_id: int, advance: Advance) -> Verdicts:
    """Each family that the run wrote, also if it is another now, beside what the matches, decisions
    and dates of that time give. What an image that was erased since had a say in, and what other
    weights gave, is counted and left out."""
    kept = verdicts.of_run(db, run_id)
    mine = [k for k in kept if k.model == model().version]
    found, erased = list[FamilyDifference](), 0
    for since, part in groupby(mine, key=lambda k: k.since):
        told = [*part]
        lost, now = _again(db, [i for k in told for i in k.members], since)
        here = [k for k in told if lost.isdisjoint(k.members)]
        found += _differences(db, here, now)
        erased += len(told) - len(here)
        advance(len(told))
    return Verdicts(
        rows=len(mine) - erased,
        weights=model().version,
        differences=found,
        erased=erased,
        by_other_weights=len(kept) - len(mine),
    )


def _again(
    db: Connection, ids: Sequence[int], as_of: datetime
) -> tuple[frozenset[int], Mapping[int, Family]]:
    """Images that something erased since had a say about, and the families of all others by
    their anchors."""
    touched = verdicts.component(db, ids, as_of)
    usable = verdicts.usable(db, touched, as_of)
    gone = [i for i, known in usable.items() if not known]
    lost = frozenset(verdicts.component(db, gone, as_of)) if gone else frozenset[int]()
    there = [i for i in touched if i in usable and i not in lost]
    known = facts_among(db, there, as_of)
    pairs, rulings = verdicts.pairs(db, there, as_of), verdicts.rulings(db, there, as_of)
    return lost, {f.anchor_id: f for f in families.resolve(pairs, known, rulings)}


def _differences(
    db: Connection, kept: Sequence[Kept], now: Mapping[int, Family]
) -> Iterator[FamilyDifference]:
    for k in kept:
        family = now.get(k.anchor_id)
        ids = {*k.members, *(family.members if family else ())}
        uris = images.uris(db, [*ids])
        then = _plain(k.source_id, k.confidence, k.reasons, k.members, uris)
        if family is None:
            yield FamilyDifference(k.family_id, uris[k.anchor_id], [])
            continue
        v = family.verdict
        again = _plain(v.source_id, v.confidence, v.reasons, family.members, uris)
        if found := [*changes(then, again)]:
            yield FamilyDifference(k.family_id, uris[k.anchor_id], found)


def _plain(
    source_id: int | None,
    confidence: float,
    reasons: Sequence[str],
    members: Sequence[int],
    uris: Mapping[int, str],
) -> dict[str, object]:
    return {
        "source": None if source_id is None else uris[source_id],
        "confidence": confidence,
        "reasons": [reason for reason in reasons if not of_file(reason)],
        "members": [uris[i] for i in members],
    }
