"""Whole runs: a row in ris.run, the jobs in their order, and the summary at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ris_jobs import metrics
from ris_jobs.crawl.source import Source
from ris_jobs.errors import ConfigError, ServingChanged
from ris_jobs.jobs.banks import Compared, compare_banks
from ris_jobs.jobs.crawl import Crawled, crawl_all
from ris_jobs.jobs.figures import together
from ris_jobs.jobs.fingerprint import Fingerprinted, fingerprint
from ris_jobs.jobs.gauges import measure
from ris_jobs.jobs.match import Matched, match
from ris_jobs.jobs.models import (
    beside_of,
    calibration_of,
    keeps_model,
    open_pipeline,
    serving_stores,
    settled,
)
from ris_jobs.jobs.patience import patiently
from ris_jobs.jobs.report import counts, report
from ris_jobs.jobs.resolve import Resolved, resolve
from ris_jobs.jobs.wanted import enabled_sources, named_ids, uri_of, wanted_sources
from ris_jobs.jobs.watch import watched
from ris_jobs.logs import about
from ris_jobs.progress import Progress
from ris_jobs.report.views import Pairs, StageTime, Summary, as_json, from_json
from ris_jobs.settings import Settings
from ris_jobs.store import crawls, runs
from ris_jobs.store.images import Sources
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.runs import Run
from ris_jobs.store.stores import Stores

_LOG = logging.getLogger("ris_jobs")


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
    earlier runs left), and write the report to ``home/reports``. What a source could not do is
    raised at the end, as :func:`ris_jobs.jobs.crawl.crawl` does."""
    with serving_stores(settings) as (settings, stores):
        sources = wanted_sources(stores.engine, wanted, settings.contact)
        uris = tuple(map(uri_of, sources))
        with _run(stores.engine, "scan", settings, uris, stores.model_id) as (run, totals):
            totals.crawled, problem = crawl_all(stores.engine, run, sources, settings, progress)
            totals.fingerprinted = _fingerprint(stores, run, settings, progress)
            totals.compared = _banks(stores, run, settings, progress)
            totals.matched = _match(stores, run, settings, progress)
            totals.resolved = _resolve(stores, run, settings, progress)
        summary = _reported(stores, run, settings)
    if problem:
        raise problem
    return summary


def crawl_only(settings: Settings, wanted: Sequence[str | Path], progress: Progress) -> Crawled:
    """A run that only observes; fingerprinting and matching are left to a later scan."""
    with open_engine(settings) as engine:
        sources = wanted_sources(engine, wanted, settings.contact)
        uris = tuple(map(uri_of, sources))
        with _run(engine, "crawl", settings, uris, None) as (run, totals):
            totals.crawled, problem = crawl_all(engine, run, sources, settings, progress)
            if problem:
                raise problem
            return totals.crawled


def crawl_each(
    settings: Settings, names: Sequence[str], progress: Progress, since: datetime
) -> dict[str, Crawled]:
    """Crawl each source by a run of its own, but those that were crawled ``since`` then, by an
    earlier try. One that fails keeps no other from being crawled; what it raised is raised in
    the end, in an ExceptionGroup where several failed."""
    done, failed = dict[str, Crawled](), dict[str, Exception]()
    for name in _left(settings, names, since):
        try:
            done[name] = crawl_only(settings, [name], progress)
        except Exception as error:
            _LOG.error("source %s could not be crawled: %s", name, error)
            failed[name] = error
    if len(failed) > 1:
        raise ExceptionGroup(f"sources {', '.join(failed)} failed", [*failed.values()])
    for one in failed.values():
        raise one
    return done


def _left(settings: Settings, names: Sequence[str], since: datetime) -> list[str]:
    with open_engine(settings) as engine, engine.connect() as db:
        crawled = crawls.crawled(db, names, since)
    if crawled:
        _LOG.info("crawled by an earlier try: sources %s", ", ".join(sorted(crawled)))
    return [name for name in names if name not in crawled]


def nightly(settings: Settings, wanted: Sequence[str | Path] = ()) -> list[Source]:
    """The sources that a night crawls: those wanted, or all that are enabled."""
    with open_engine(settings) as engine:
        found = wanted_sources(engine, wanted, settings.contact) or enabled_sources(engine)
        return [stored.source for stored in found]


# ── a scan in steps, for an orchestrator that runs and retries each on its own ────────────────


def begin(settings: Settings, workers: int = 1, of: Sequence[str] = ()) -> int:
    """Open a run over everything pending, or what is of these sources, for so many ``workers`` a
    step. Returns its id, for the steps and :func:`finish`. :class:`ConfigError` where Milvus Lite
    would have to serve several, or the settings name another model than images are described by,
    :class:`ris_jobs.errors.NotFound` for a source that there is not.
    """
    if workers > 1 and settings.milvus_uri is None:
        raise ConfigError("workers", "can be more than 1 with RIS_MILVUS_URI only: Lite serves one")
    with open_engine(settings) as engine, engine.connect() as db:
        keeps_model(db, settings)
    with serving_stores(settings) as (settings, stores), stores.engine.begin() as db:
        named_ids(db, of)
        calibration = calibration_of(settings).version
        run = runs.start(db, "scan", settings, model_id=stores.model_id, calibration=calibration)
        return run.run_id


def step(
    name: str, settings: Settings, run_id: int, progress: Progress, of: Sequence[str] = ()
) -> dict[str, Any]:
    """Do one of ``fingerprint``, ``banks``, ``match``, ``resolve`` for the run. Returns its
    figures. ``of`` names the sources whose images the first and the third take, if not of all."""
    with about(run=run_id), serving_stores(settings) as (settings, stores):
        with stores.engine.connect() as db:
            run = runs.resume(db, run_id)
            sources = named_ids(db, of)
        try:
            return asdict(_STEPS[name](stores, run, settings, progress, sources))
        finally:
            metrics.flush()


def finish(
    settings: Settings, run_id: int, figures: Mapping[str, Sequence[Mapping[str, Any]] | None]
) -> Summary:
    """Close the run with what each worker of its steps returned (None for a step that failed), and
    report."""
    totals = Totals(
        fingerprinted=Fingerprinted(**together(figures.get("fingerprint"))),
        compared=Compared(**together(figures.get("banks"))),
        matched=Matched(**together(figures.get("match"))),
        resolved=Resolved(**together(figures.get("resolve"))),
    )
    status = "done" if all(figures.get(name) for name in _STEPS) else "failed"
    with about(run=run_id), serving_stores(settings) as (settings, stores):
        with stores.engine.connect() as db:
            run = runs.resume(db, run_id)
        patiently(partial(_close, stores.engine, run, status, totals), settings.patience)
        return _reported(stores, run, settings)


def _fingerprint(
    stores: Stores, run: Run, settings: Settings, progress: Progress, of: Sources = None
) -> Fingerprinted:
    pipeline = partial(open_pipeline, settings)
    beside = beside_of(stores, settings)
    return fingerprint(stores, run, pipeline, settings, progress, beside=beside, of=of)


def _banks(
    stores: Stores, run: Run, settings: Settings, progress: Progress, _: Sources = None
) -> Compared:
    return compare_banks(stores.engine, run, progress, settings.patience)


def _match(
    stores: Stores, run: Run, settings: Settings, progress: Progress, of: Sources = None
) -> Matched:
    total = match(stores, run, calibration_of(settings), settings, progress, of=of)
    beside = beside_of(stores, settings)
    if beside and beside.ready:
        calibration = calibration_of(beside.settings)
        with suppress(ServingChanged):
            match(beside.stores, run, calibration, beside.settings, progress, apart=True, of=of)
    return total


def _resolve(
    stores: Stores, run: Run, settings: Settings, progress: Progress, _: Sources = None
) -> Resolved:
    return resolve(stores.engine, run.run_id, progress, settings.patience)


_STEPS: dict[str, Callable[[Stores, Run, Settings, Progress, Sources], Any]] = {
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
            db,
            kind,
            _noted(db, settings),
            roots=roots,
            model_id=model_id,
            calibration=calibration,
        )
    totals = Totals(roots)
    with about(run=run.run_id):
        try:
            yield run, totals
        except BaseException:
            with suppress(DBAPIError):  # what failed first is what is to be said
                _close(engine, run, "failed", totals)
            raise
        patiently(partial(_close, engine, run, "done", totals), settings.patience)


def _noted(db: Connection, settings: Settings) -> Settings:
    """With the model that serves, for a crawl lets be tried again what a scan would judge by other
    settings. Where it cannot be had a crawl goes on: scans say so."""
    try:
        return settled(db, settings)
    except ConfigError:
        return settings


def _close(engine: Engine, run: Run, status: str, totals: Totals) -> None:
    with engine.begin() as db:
        summary = summarise(db, run, totals)
        runs.finish(db, run, status, as_json(summary))
    measure(engine, run.run_id, summary)


def summarise(db: Connection, run: Run, totals: Totals) -> Summary:
    """The run in figures: what its jobs did, what the tables now hold, and what is unusual."""
    return watched(db, run, _figures(db, run, totals))


def _figures(db: Connection, run: Run, totals: Totals) -> Summary:
    return Summary(
        run_id=str(run.run_id),
        roots=totals.roots,
        seen=totals.crawled.seen,
        new=totals.crawled.new,
        changed=totals.crawled.changed,
        unchanged=totals.crawled.unchanged,
        gone=totals.crawled.gone,
        missed=totals.crawled.missed,
        refused=totals.crawled.refused,
        failed=totals.crawled.failed,
        fingerprinted=totals.fingerprinted.images,
        rejected=totals.fingerprinted.quarantined,
        matched=totals.matched.matched,
        pairs=Pairs(
            totals.matched.candidates,
            totals.matched.pixels,
            totals.matched.keypoints,
            totals.matched.confirmed,
            totals.matched.failed,
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
