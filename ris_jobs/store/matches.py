"""Matches: typed, directed pairs of copies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping

from ris_jobs.match import Match, Relation
from ris_jobs.match.containment import Surround
from ris_jobs.match.remade import Remade, Rounding
from ris_jobs.provenance import Pair
from ris_jobs.store.queries import query

_FETCH = 256
# Changes that leave what is seen as it was, and such of its colours.
_KEPT = frozenset({"colour-profile", "detail", "stretched"})
_RECOLOURED = frozenset({"colour", "monochrome"})


@dataclass(frozen=True, slots=True)
class Decided:
    """A stored match and what decided it: ``model`` as name-version, the version of the
    calibration, the run with the hash of its settings and its code."""

    match: Match
    model: str
    calibration: str
    run_id: int
    settings_hash: str
    code_version: str


def lock(db: Connection) -> None:
    """Wait until nobody else writes matches or what follows from them, until the caller's
    transaction ends."""
    db.execute(query("matches.lock"))


def save(
    db: Connection, found: Sequence[Match], *, model_id: int, calibration: str, run_id: int
) -> int:
    """Write pairs that are new, were judged by another model or calibration, or only now were
    ``searched`` (:class:`ris_jobs.match.alignment.Alignment`), under :func:`lock`;
    :func:`ris_jobs.store.suppression.settle` is to follow. Returns how many rows that were."""
    return saved(db, "matches.save", found, model_id, calibration, run_id)


def saved(
    db: Connection,
    name: str,
    found: Sequence[Match],
    model_id: int,
    calibration: str,
    run_id: int,
) -> int:
    """Write pairs by the query of that name. Returns how many rows that were."""
    if not found:
        return 0
    params = {
        "rows": json.dumps([_row(m) for m in found]),
        "model_id": model_id,
        "calibration": calibration,
        "run_id": run_id,
    }
    return db.execute(query(name), params).rowcount


def unresolved(db: Connection, limit: int | None = None) -> list[tuple[int, int]]:
    """(derived, source) ids of matches that families have yet to take in; at most ``limit``."""
    rows = db.execute(query("matches.unresolved"), {"limit": limit})
    return [(r.derived_id, r.source_id) for r in rows]


def unresolved_among(db: Connection, ids: Sequence[int]) -> list[tuple[int, int]]:
    """Those of them of which both images are among these."""
    rows = db.execute(query("matches.unresolved_among"), {"ids": list(ids)})
    return [(r.derived_id, r.source_id) for r in rows]


def reopen(db: Connection, ids: Sequence[int]) -> None:
    """These images can be used now: matches they had before, if any, are for families again."""
    db.execute(query("matches.reopen"), {"ids": list(ids)})


def component(db: Connection, ids: Iterable[int]) -> list[int]:
    """Ids of the images whose families matches of these may change."""
    return list(db.scalars(query("matches.component"), {"ids": sorted(set(ids))}))


def pairs(db: Connection, ids: Sequence[int]) -> list[Pair]:
    """Unsuppressed matches among these images."""
    return [pair_of(r) for r in db.execute(query("matches.pairs"), {"ids": list(ids)})]


def pair_of(r: Row[Any]) -> Pair:
    """A row of the query matches.pairs as provenance sees it."""
    return Pair(
        r.derived_id,
        r.source_id,
        r.relation,
        r.probability,
        claims=tuple(r.claims),
        counterclaims=tuple(r.counterclaims),
        scale=r.scale,
        inner=r.inside,
        box=tuple(r.box) if r.box else None,
        around=Surround(**r.around) if r.around else None,
        mirrored=r.orientation != 1,
        changed=not _KEPT.issuperset(r.changes),
        recoloured=not _RECOLOURED.isdisjoint(r.changes),
        remade=_remade(r.remade),
    )


def decided(db: Connection, ids: tuple[int, int]) -> Decided | None:
    """The match of two images, whichever is derived."""
    row = db.execute(query("matches.decided"), {"one": ids[0], "two": ids[1]}).mappings().first()
    if row is None:
        return None
    about = (f.name for f in fields(Decided) if f.name != "match")
    return Decided(_match(row), *(row[name] for name in about))


def of_run(db: Connection, run_id: int, end: datetime) -> Iterator[list[Match]]:
    """What a run that ended then wrote, some at a time, as it was judged: ``suppressed`` is what
    the judging itself said."""
    params = {"run_id": run_id, "end": end}
    streaming = db.execution_options(stream_results=True, max_row_buffer=_FETCH)
    for part in streaming.execute(query("matches.of_run"), params).mappings().partitions(_FETCH):
        yield [_match(row) for row in part]


def set_resolved(db: Connection, pairs: Sequence[tuple[int, int]]) -> None:
    params = {"derived": [d for d, _ in pairs], "sources": [s for _, s in pairs]}
    db.execute(query("matches.set_resolved"), params)


def count_by_relation(db: Connection, run_id: int) -> dict[str, tuple[int, int]]:
    """Relation → (found by the run, in the tables), suppressed pairs apart."""
    rows = db.execute(query("matches.count_by_relation"), {"run_id": run_id})
    return {r.relation: (r.new, r.total) for r in rows}


def count_suppressed(db: Connection) -> dict[str, int]:
    return {r.reason: r.total for r in db.execute(query("matches.count_suppressed"))}


def _remade(found: dict[str, Any] | None) -> Remade | None:
    if not found:
        return None
    one, two = (found[side] and Rounding(**found[side]) for side in ("derived", "source"))
    # What was judged without `toned` counts plain ground as `same`, too.
    toned = found.get("toned")
    return Remade(one, two, 0.0 if toned is None else found["same"], toned or 0.0)


def _match(row: RowMapping) -> Match:
    values = {f.name: row[f.name] for f in fields(Match)}
    values |= {"relation": Relation(row["relation"]), "box": row["box"] and tuple(row["box"])}
    return Match(**values)


def _row(m: Match) -> dict[str, Any]:
    return {f.name: getattr(m, f.name) for f in fields(m)} | {"evidence": dict(m.evidence)}
