"""What metrics show between runs: how the last one went, and what waits now."""

from __future__ import annotations

from sqlalchemy import Engine

from ris_jobs import metrics
from ris_jobs.report.anomalies import match_rate, quarantine_share
from ris_jobs.report.views import Summary
from ris_jobs.store import runs, status

__all__ = ["ended", "measure"]


def measure(engine: Engine, run_id: int, summary: Summary) -> None:
    """Set every gauge by a run that has ended, and send all that was measured."""
    if not metrics.asked():
        return
    with engine.connect() as db:
        waiting = status.waiting(db, status.now(db))
    kind = _count(engine, run_id)
    for w in waiting:
        metrics.put("ris.queue.images", w.images, stage=w.stage)
        metrics.put("ris.queue.age", w.age.total_seconds() if w.age else 0.0, stage=w.stage)
    for stage in summary.stages:
        metrics.put("ris.run.time", stage.seconds, stage=stage.name)
        metrics.put("ris.run.rate", stage.rate, stage=stage.name)
    if kind == "scan":
        _of_scan(summary)
    metrics.flush()


def ended(engine: Engine, run_id: int) -> None:
    """Count a run that has ended, and send all that was measured."""
    if metrics.asked():
        _count(engine, run_id)
        metrics.flush()


def _count(engine: Engine, run_id: int) -> str:
    """Its kind."""
    with engine.connect() as db:
        row = runs.get(db, run_id)
    kind, status = str(row["kind"]), str(row["status"])
    metrics.add("ris.runs", 1, kind=kind, status=status)
    metrics.put("ris.run.finished", row["finished_at"].timestamp(), kind=kind, status=status)
    return kind


def _of_scan(summary: Summary) -> None:
    for name, share in (
        ("ris.run.match_rate", match_rate(summary)),
        ("ris.run.quarantine_share", quarantine_share(summary)),
    ):
        metrics.put(name, share[0] if share else None)
    metrics.put("ris.run.drift", summary.drift)
    metrics.put("ris.run.anomalies", len(summary.anomalies))
    for reason, uris in summary.quarantined.items():
        metrics.put("ris.quarantine.uris", uris, reason=reason)
