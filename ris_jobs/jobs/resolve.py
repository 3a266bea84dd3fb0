"""Resolve: take new matches into families; a family that goes on keeps its id."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from ris_jobs.progress import Progress
from ris_jobs.provenance import Family, ImageFacts
from ris_jobs.provenance import families as provenance
from ris_jobs.store import families, images, matches
from ris_jobs.store.families import StoredFamily
from ris_jobs.store.images import Stored


@dataclass(slots=True)
class Resolved:
    """How many images were looked at again."""

    images: int = 0
    seconds: float = 0.0


def resolve(engine: Engine, run_id: int | None, progress: Progress) -> Resolved:
    """Look again at all images that new or changed matches reach, and at nothing else;
    ``run_id`` is None outside of a run."""
    started = time.perf_counter()
    with engine.begin() as db, progress.stage("resolve", None) as advance:
        matches.lock(db)
        new = matches.unresolved(db)
        if not new:
            return Resolved()
        touched = matches.component(db, (i for pair in new for i in pair))
        facts = {i: _facts(s) for i, s in images.by_ids(db, touched).items()}
        found = provenance.resolve(matches.pairs(db, touched), facts)
        old = families.touching(db, touched)
        families.replace(db, old, keep_ids(old, found), run_id)
        matches.set_resolved(db, new)
        advance(len(touched))
    return Resolved(len(touched), time.perf_counter() - started)


def keep_ids(
    old: Sequence[StoredFamily], found: Sequence[Family]
) -> list[tuple[int | None, Family]]:
    """Which stored family each found one continues: that with the same anchor, else that with
    the most members in common (of equals, the older); None for a new family."""
    claims = sorted(
        (f.anchor_id != o.anchor_id, -shared, o.family_id, f.anchor_id)
        for f in found
        for o in old
        if (shared := len(set(f.members) & set(o.members)))
    )
    kept: dict[int, int] = {}
    for _, _, family_id, anchor_id in claims:
        if anchor_id not in kept and family_id not in kept.values():
            kept[anchor_id] = family_id
    return [(kept.get(f.anchor_id), f) for f in found]


def _facts(s: Stored) -> ImageFacts:
    f = s.fingerprint
    camera = not f.traces.metadata.keys().isdisjoint({"Make", "Model"})
    return ImageFacts(f.width, f.height, f.format, s.first_seen_at, camera)
