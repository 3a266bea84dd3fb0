"""Whole runs: a row in ris.run, the jobs in their order, and the summary at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from ris_jobs.jobs.banks import Compared, compare_banks
from ris_jobs.jobs.crawl import Crawled, crawl
from ris_jobs.jobs.fingerprint import Fingerprinted, fingerprint
from ris_jobs.jobs.match import Matched, match
from ris_jobs.jobs.models import calibration_of, model_of, open_pipeline
from ris_jobs.jobs.report import counts, report
from ris_jobs.jobs.resolve import Resolved, resolve
from ris_jobs.jobs.wanted import enabled_sources, uri_of, wanted_sources
from ris_jobs.progress import Progress
from ris_jobs.report.views import Pairs, StageTime, Summary, as_json, from_json
from ris_jobs.settings import Settings
from ris_jobs.store import runs
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.runs import Run
from ris_jobs.store.stores import Stores, open_stores


@dataclass(slots=True)
class Totals:
    """What the jobs of one run did."""

    roots: tuple[str, ...] = ()
    crawled: Crawled = field(default_factory=Crawled)
    fingerprinted: Fingerprinted = field(default_factory=Fingerprinted)
    compared: Compared = field(default_factory=Compared)
    matched: Matched = field(default_factory=Matched)
    resolved: Resolved = field(default_factory=Resolved)


def scan(settings: Settings, wanted: Sequence[str | Path], progress: Progress) -> Summary:
    """Crawl folders, URLs and sources by name, work off everything pending (theirs, and what
    earlier runs left), and write the report to ``home/reports``."""
    with open_stores(settings, model_of(settings)) as stores:
        sources = wanted_sources(stores.engine, wanted, settings.contact)
        uris = tuple(map(uri_of, sources))
        with _run(stores.engine, "scan", settings, uris, stores.model_id) as (run, totals):
            totals.crawled = crawl(stores.engine, run, sources, settings, progress)
            totals.fingerprinted = _fingerprint(stores, run, settings, progress)
            totals.compared = _banks(stores, run, settings, progress)
            totals.matched = _match(stores, run, settings, progress)
            totals.resolved = _resolve(stores, run, settings, progress)
        return _reported(stores, run, settings)


def crawl_only(settings: Settings, wanted: Sequence[str | Path], progress: Progress) -> Crawled:
    """A run that only observes; fingerprinting and matching are left to a later scan."""
    with open_engine(settings) as engine:
        sources = wanted_sources(engine, wanted, settings.contact)
        uris = tuple(map(uri_of, sources))
        with _run(engine, "crawl", settings, uris, None) as (run, totals):
            totals.crawled = crawl(engine, run, sources, settings, progress)
            return totals.crawled


def nightly(settings: Settings, wanted: Sequence[str | Path] = ()) -> list[str]:
    """Names of the sources that a night crawls: those wanted, or all that are enabled."""
    with open_engine(settings) as engine:
        found = wanted_sources(engine, wanted, settings.contact)
        return [s.source.name for s in found] or enabled_sources(engine)


# ── a scan in steps, for an orchestrator that runs and retries each on its own ────────────────


def begin(settings: Settings) -> int:
    """Open a run over everything pending. Returns its id, for the steps and :func:`finish`."""
    with open_stores(settings, model_of(settings)) as stores, stores.engine.begin() as db:
        calibration = calibration_of(settings).version
        run = runs.start(db, "scan", settings, model_id=stores.model_id, calibration=calibration)
        return run.run_id


def step(name: str, settings: Settings, run_id: int, progress: Progress) -> dict[str, Any]:
    """Do one of ``fingerprint``, ``banks``, ``match``, ``resolve`` for the run. Returns its
    figures."""
    with open_stores(settings, model_of(settings)) as stores:
        with stores.engine.connect() as db:
            run = runs.resume(db, run_id)
        return asdict(_STEPS[name](stores, run, settings, progress))


def finish(
    settings: Settings, run_id: int, figures: Mapping[str, Mapping[str, Any] | None]
) -> Summary:
    """Close the run with what its steps returned (None for one that failed), and report."""
    totals = Totals(
        fingerprinted=Fingerprinted(**figures.get("fingerprint") or {}),
        compared=Compared(**figures.get("banks") or {}),
        matched=Matched(**figures.get("match") or {}),
        resolved=Resolved(**figures.get("resolve") or {}),
    )
    status = "done" if all(figures.get(name) for name in _STEPS) else "failed"
    with open_stores(settings, model_of(settings)) as stores:
        with stores.engine.begin() as db:
            run = runs.resume(db, run_id)
            runs.finish(db, run, status, as_json(summarise(db, run, totals)))
        return _reported(stores, run, settings)


def _fingerprint(stores: Stores, run: Run, settings: Settings, progress: Progress) -> Fingerprinted:
    return fingerprint(stores, run, partial(open_pipeline, settings), settings, progress)


def _banks(stores: Stores, run: Run, _: Settings, progress: Progress) -> Compared:
    return compare_banks(stores.engine, run, progress)


def _match(stores: Stores, run: Run, settings: Settings, progress: Progress) -> Matched:
    return match(stores, run, calibration_of(settings), settings, progress)


def _resolve(stores: Stores, run: Run, _: Settings, progress: Progress) -> Resolved:
    return resolve(stores.engine, run.run_id, progress)


_STEPS: dict[str, Callable[[Stores, Run, Settings, Progress], Any]] = {
    "fingerprint": _fingerprint,
    "banks": _banks,
    "match": _match,
    "resolve": _resolve,
}


def _reported(stores: Stores, run: Run, settings: Settings) -> Summary:
    """The summary that the run was closed with, and the page made of it."""
    page = settings.home / "reports" / f"run-{run.run_id}.html"
    report(stores.engine, stores.previews, run.run_id, page)
    with stores.engine.connect() as db:
        return replace(from_json(runs.get(db, run.run_id)["summary"]), report=str(page))


@contextmanager
def _run(
    engine: Engine, kind: str, settings: Settings, roots: tuple[str, ...], model_id: int | None
) -> Iterator[tuple[Run, Totals]]:
    """A row in ris.run that ends as done or failed, whatever happens in between."""
    calibration = calibration_of(settings).version if model_id is not None else None
    with engine.begin() as db:
        run = runs.start(
            db, kind, settings, roots=roots, model_id=model_id, calibration=calibration
        )
    totals = Totals(roots)
    status = "failed"
    try:
        yield run, totals
        status = "done"
    finally:
        with engine.begin() as db:
            runs.finish(db, run, status, as_json(summarise(db, run, totals)))


def summarise(db: Connection, run: Run, totals: Totals) -> Summary:
    """The run in figures: what its jobs did, and what the tables now hold."""
    return Summary(
        run_id=str(run.run_id),
        roots=totals.roots,
        seen=totals.crawled.seen,
        new=totals.crawled.new,
        changed=totals.crawled.changed,
        unchanged=totals.crawled.unchanged,
        gone=totals.crawled.gone,
        refused=totals.crawled.refused,
        failed=totals.crawled.failed,
        fingerprinted=totals.fingerprinted.images,
        pairs=Pairs(
            totals.matched.candidates,
            totals.matched.pixels,
            totals.matched.keypoints,
            totals.matched.confirmed,
        ),
        stages=_stage_times(totals),
        **counts(db, run.run_id),
    )


def _stage_times(t: Totals) -> tuple[StageTime, ...]:
    return (
        StageTime("crawl", t.crawled.seconds, t.crawled.seen),
        StageTime("fingerprint", t.fingerprinted.seconds, t.fingerprinted.images),
        *_inner("fingerprint", t.fingerprinted),
        StageTime("banks", t.compared.seconds, t.compared.images),
        StageTime("match", t.matched.seconds, t.matched.images),
        *_inner("match", t.matched),
        StageTime("resolve", t.resolved.seconds, t.resolved.images),
    )


def _inner(name: str, job: Fingerprinted | Matched) -> Iterator[StageTime]:
    return (StageTime(f"{name}: {s}", seconds, job.images) for s, seconds in job.stages.items())
