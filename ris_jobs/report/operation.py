"""How the service is doing, as plain values: what `ris status` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from ris_jobs.report.anomalies import LATE
from ris_jobs.report.text import duration, plural
from ris_jobs.report.views import StageTime

__all__ = ["REINDEX", "Ran", "Status", "Waiting", "as_json", "needs"]

REINDEX = timedelta(days=15)
"""A run that changes the model and has not ended by then was killed: the DAG lets one fill for 14
days."""

# Upkeep is weekly, and may be a day late.
_UPKEEP_LATE = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work that waits for a ``stage``: ``images`` (for resolve pairs), and for how long the oldest
    of them has; None where nothing waits or nobody noted it."""

    stage: str
    images: int
    age: timedelta | None


@dataclass(frozen=True, slots=True)
class Ran:
    """A run; ``state`` is running, done, failed or cut off."""

    run_id: int
    kind: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    stages: tuple[StageTime, ...]
    anomalies: tuple[str, ...]

    @property
    def took(self) -> timedelta | None:
        return None if self.finished_at is None else self.finished_at - self.started_at


@dataclass(frozen=True, slots=True)
class Status:
    """``upkeep`` is its last run, None if it never ran; ``sizes`` count rows, and bytes where the
    name says so; ``quarantine`` URIs by reason; ``needs`` are sentences on
    what needs a hand, none when all is well."""

    at: datetime
    waiting: tuple[Waiting, ...]
    runs: tuple[Ran, ...]
    upkeep: Ran | None
    quarantine: Mapping[str, int]
    sizes: Mapping[str, int]
    needs: tuple[str, ...]


def needs(
    at: datetime, last: Sequence[Ran], waiting: Sequence[Waiting], began: datetime | None
) -> tuple[str, ...]:
    """What needs a hand at that time, by the last runs (of each kind, and of crawls of each
    source), what waits, and when the first run began."""
    said = [sentence for run in last for sentence in _of_run(at, run)]
    if nights := [run for run in last if run.kind != "upkeep"]:
        said += _late(at, nights)
    upkeep = [run.started_at for run in last if run.kind == "upkeep"]
    return (*said, *_upkeep_late(at, upkeep, began), *_old(waiting))


def _of_run(at: datetime, run: Ran) -> list[str]:
    name, ago = f"{run.kind} {run.run_id}", _ago(at, run.finished_at or run.started_at)
    if run.state == "failed":
        return [f"{name} failed {ago}: its log says why; the next one goes on where it stopped"]
    most = REINDEX if run.kind == "reindex" else LATE
    if run.state == "running" and at - run.started_at > most:
        return [f"{name} began {ago} and has not ended: it is stuck, or was cut off"]
    return [f"{name}, {ago}: {anomaly}" for anomaly in run.anomalies]


def _late(at: datetime, runs: Sequence[Ran]) -> list[str]:
    newest = max(run.finished_at or run.started_at for run in runs)
    if at - newest <= LATE:
        return []
    return [f"nothing has run since {_ago(at, newest)}: is the scheduler running?"]


def _upkeep_late(at: datetime, last: Sequence[datetime], began: datetime | None) -> list[str]:
    newest = max(last, default=began)
    if newest is None or at - newest <= _UPKEEP_LATE:
        return []
    since = f"has not run since {_ago(at, newest)}" if last else "has never run"
    return [f"upkeep {since}: is the DAG ris_upkeep paused? `ris upkeep` makes up for it"]


def _old(waiting: Sequence[Waiting]) -> list[str]:
    return [
        f"{plural(w.images, 'image')} waiting for {w.stage}, the oldest for {_span(w.age)}"
        for w in waiting
        if w.age is not None and w.age > LATE and w.stage != "resolve"
    ]


def _ago(at: datetime, then: datetime) -> str:
    return f"{_span(at - then)} ago"


def _span(age: timedelta) -> str:
    return duration(max(age.total_seconds(), 0.0))


def as_json(status: Status) -> dict[str, Any]:
    """For machines: times in ISO 8601, spans in seconds."""
    return {
        "at": status.at.isoformat(),
        "needs": list(status.needs),
        "waiting": [
            {"stage": w.stage, "images": w.images, "oldest_seconds": _seconds(w.age)}
            for w in status.waiting
        ],
        "runs": [_run_as_json(run) for run in status.runs],
        "upkeep": _run_as_json(status.upkeep) if status.upkeep else None,
        "quarantine": dict(status.quarantine),
        "sizes": dict(status.sizes),
    }


def _run_as_json(run: Ran) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "kind": run.kind,
        "state": run.state,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "stages": [asdict(stage) for stage in run.stages],
        "anomalies": list(run.anomalies),
    }


def _seconds(age: timedelta | None) -> float | None:
    return None if age is None else age.total_seconds()
