"""Rows for people: exports as they are, and the report's view values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, TextClause

from ris_jobs.report.views import (
    Bin,
    Changes,
    FamilyChange,
    FamilyView,
    Found,
    ImageView,
    KnownView,
    PairView,
    QuarantineView,
    UriChange,
)
from ris_jobs.store.queries import query
from ris_jobs.store.suppression import decided_of

_FETCH = 1000


def export_rows(db: Connection, what: str) -> Iterator[dict[str, Any]]:
    """Rows of one of matches, images, families, quarantine, hits, runs, streamed from the
    server."""
    return _streamed(db, query(f"export.{what}"), {})


def export_rows_at(db: Connection, what: str, as_of: datetime) -> Iterator[dict[str, Any]]:
    """Rows of one of matches, images, families, quarantine as they were at a time, likewise."""
    return _streamed(db, query(f"export.{what}_at"), {"as_of": as_of})


def pairs(db: Connection, run_id: int, limit: int) -> tuple[PairView, ...]:
    rows = db.execute(query("report.pairs"), {"run_id": run_id, "limit": limit}).mappings()
    return tuple(_pair(r) for r in rows)


def families(db: Connection, ids: Iterable[str | None]) -> tuple[FamilyView, ...]:
    """Those of the families with these ids that there are, None among them for no family."""
    wanted = sorted({int(i) for i in ids if i is not None})
    rows = db.execute(query("report.families"), {"ids": wanted})
    return tuple(_family(r) for r in rows)


def quarantine(db: Connection, limit: int) -> tuple[QuarantineView, ...]:
    """The first by reason and URI."""
    rows = db.execute(query("report.quarantine"), {"limit": limit}).mappings()
    return tuple(QuarantineView(**r) for r in rows)


def known(db: Connection, run_id: int, limit: int) -> tuple[KnownView, ...]:
    rows = db.execute(query("report.known"), {"run_id": run_id, "limit": limit}).mappings()
    return tuple(KnownView(**r) for r in rows)


def changes(db: Connection, run_id: int, limit: int) -> Changes:
    """What happened between the end of the scan before and that of the run; of each kind of event
    at most ``limit`` URIs."""
    before, span = _since_the_scan_before(db, run_id)
    uris = db.execute(query("report.uri_changes"), span | {"limit": limit}).all()
    # Where there was no scan before, all families are new, and listing them says nothing.
    families = db.execute(query("report.family_changes"), span).all() if before.since else []
    return Changes(
        since=before.since,
        since_run=None if before.run_id is None else str(before.run_id),
        events={r.event: r.total for r in uris},
        uris=tuple(UriChange(r.event, r.uri, r.sha256) for r in uris),
        families=tuple(_family_change(r) for r in families),
    )


def histogram(db: Connection, run_id: int) -> tuple[Bin, ...]:
    """The run's matches as it left them by probability, in twentieths."""
    return tuple(
        Bin(float(r.low), float(r.high), r.pairs, r.suppressed)
        for r in db.execute(query("report.histogram"), {"run_id": run_id})
    )


def found(db: Connection, run_id: int) -> Found:
    """What the run found. What has left quarantine since is not counted."""
    families = db.scalar(query("report.count_families"), {"run_id": run_id}) or 0
    suppressed = sum(b.suppressed for b in histogram(db, run_id))
    suppressed += db.scalar(query("report.count_moved"), {"run_id": run_id}) or 0
    _, span = _since_the_scan_before(db, run_id)
    quarantined = {r.reason: r.uris for r in db.execute(query("report.quarantined"), span)}
    return Found(families, suppressed, quarantined)


def _since_the_scan_before(db: Connection, run_id: int) -> tuple[Row[Any], dict[str, Any]]:
    """That scan, and the time from its end to that of the run."""
    before = db.execute(query("report.scan_before"), {"run_id": run_id}).one()
    return before, {"since": before.since or "-infinity", "until": before.until or "infinity"}


def quarantined_by_reason(db: Connection) -> dict[str, int]:
    return {r.reason: r.total for r in db.execute(query("export.quarantine_by_reason"))}


def _streamed(db: Connection, q: TextClause, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    streaming = db.execution_options(stream_results=True, max_row_buffer=_FETCH)
    for row in streaming.execute(q, params).mappings():
        yield {str(name): value for name, value in row.items()}


def _family(r: Row[Any]) -> FamilyView:
    weakest = (r.weakest_relation, r.weakest_probability) if r.weakest_relation else None
    verdict = (r.source_uri, r.confidence, tuple(r.reasons))
    return FamilyView(
        str(r.family_id), *verdict, tuple(r.members), tuple(r.images), r.model, weakest
    )


def _family_change(r: Row[Any]) -> FamilyChange:
    return FamilyChange(
        str(r.family_id), r.before, r.after, tuple(r.joined), r.source_before, r.source_after
    )


def _pair(r: RowMapping) -> PairView:
    return PairView(
        derived=_image(r, "derived"),
        source=_image(r, "source"),
        relation=r["relation"],
        probability=r["probability"],
        cosine=r["cosine"],
        hash_distance=r["hash_distance"],
        inliers=r["inliers"],
        scale=r["scale"],
        orientation=r["orientation"],
        box=tuple(r["box"]) if r["box"] else None,
        suppressed=r["suppressed"],
        evidence=r["evidence"],
        family_id=None if r["family_id"] is None else str(r["family_id"]),
        directed=r["evidence"].get("direction") != "undetermined",
        new=r["new"],
        decided=decided_of(r),
    )


def _image(r: RowMapping, side: str) -> ImageView:
    return ImageView(**{f.name: r[f"{side}_{f.name}"] for f in fields(ImageView)})
