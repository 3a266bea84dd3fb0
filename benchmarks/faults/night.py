"""A night: its tasks in processes of their own, tried again as an orchestrator tries them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from ris_jobs import jobs
from ris_jobs.jobs.models import model_of
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store.stores import open_stores

STEPS = ("fingerprint", "banks", "match", "resolve")
TASKS = ("crawl", "begin", *STEPS, "report")
TRIES = 3

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["ris_jobs.jobs", "pymilvus", "torch", "cv2"])

# What a night must leave, whatever befell it: no ids, no times, no run.
QUESTIONS = {
    "images": "SELECT sha256, status, reason, detail, phash, pdq FROM ris.image ORDER BY 1",
    "described": "SELECT i.sha256, md5(d.vectors), d.regions, d.indexed_at IS NOT NULL, "
    "d.matched_at IS NOT NULL FROM ris.descriptor d JOIN ris.image i USING (image_id) ORDER BY 1",
    "uris": "SELECT uri, reason, count(*) FROM ris.observation GROUP BY 1, 2 ORDER BY 1, 2",
    "matches": "SELECT derived_uri, source_uri, relation, round(probability::numeric, 5), "
    "round(cosine::numeric, 5), box, suppressed, evidence FROM ris.match_by_uri ORDER BY 1, 2",
    "families": "SELECT source_uri, confidence, reasons, members FROM ris.family_by_uri ORDER BY 4",
    "quarantine": "SELECT uri, reason, detail FROM ris.image_by_uri "
    "WHERE status = 'quarantined' ORDER BY 1",
    "hits": "SELECT uri, bank, label, distance FROM ris.bank_hit_by_uri ORDER BY 1, 2, 3",
    "hubs": "SELECT uri FROM ris.hub JOIN ris.image_uri USING (image_id) ORDER BY 1",
}

Tables = dict[str, list[tuple[object, ...]]]


class Worker:
    """One try of one task, in a process of its own, which is yet to begin."""

    def __init__(self, task: str, *arguments: Any) -> None:
        self._answer, self._theirs = _CONTEXT.Pipe()
        arguments = (self._theirs, task, *arguments)
        self.process: BaseProcess = _CONTEXT.Process(target=_work, args=arguments)

    def begin(self) -> None:
        self.process.start()
        self._theirs.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    @contextmanager
    def never_left(self) -> Iterator[None]:
        """Killed where something else goes wrong: nobody would wait for its end."""
        try:
            yield
        except BaseException:
            if self.process.is_alive():
                self.kill()
            raise

    def end(self) -> tuple[bool, Any]:
        """Whether it ended well, and what it returned or how it failed."""
        try:
            well, said = self._answer.recv()
        except EOFError:
            well, said = False, "it was killed"
        self.process.join()
        return well, said


Disturbance = Callable[[Worker], None]


class Night:
    """All tasks over one folder. ``said`` are the failures that were got over."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.run_id = 0
        self.said: list[str] = []

    def go(self, during: Mapping[str, Disturbance] | None = None) -> None:
        """Do each task, up to three times while it fails; what is to happen ``during`` one
        happens the first time."""
        figures: dict[str, Any] = {}
        for task in TASKS:
            disturb = (during or {}).get(task)
            for attempt in range(TRIES):
                worker = Worker(task, self.settings, self.folder, self.run_id, figures)
                with worker.never_left():
                    if disturb and not attempt:
                        disturb(worker)  # which lets it begin
                    else:
                        worker.begin()
                    well, said = worker.end()
                if well:
                    break
                self.said.append(f"{task}: {said}")
            else:
                raise AssertionError("; ".join(self.said))
            if task == "begin":
                self.run_id = said
            if task in STEPS:
                figures[task] = [said]

    @property
    def url(self) -> str:
        """Of its database."""
        return str(self.settings.database_url)

    def tables(self) -> Tables:
        return tables(self.url)

    def environment(self) -> dict[str, str]:
        """For a ``ris`` of its own."""
        ours = {
            "RIS_HOME": str(self.settings.home),
            "RIS_DATABASE_URL": self.url,
            "RIS_BATCH_SIZE": str(self.settings.batch_size),
        }
        return {**os.environ, **ours}

    def vectors(self) -> tuple[int, int, int]:
        """How many Milvus holds, and of how many images too few or too many."""
        with open_stores(self.settings, model_of(self.settings)) as stores:
            drift = jobs.check_index(stores)
            return stores.vectors.count(), len(drift.missing), len(drift.extra)


def tables(database_url: str) -> Tables:
    engine = create_engine(database_url)
    with engine.connect() as db:
        found = {name: [tuple(r) for r in db.execute(text(q))] for name, q in QUESTIONS.items()}
    engine.dispose()
    return found


def holds_rows(database_url: str, table: str) -> bool:
    """Whether a session has claimed rows of the table, and has been about something else than
    PostgreSQL for a while, in mid-transaction."""
    asked = text(
        "SELECT count(*) FROM pg_stat_activity JOIN pg_locks l USING (pid) "
        "WHERE l.relation = CAST(:table AS regclass) AND l.mode = 'RowShareLock' AND l.granted "
        "AND state = 'idle in transaction' AND clock_timestamp() - state_change > interval '1 s'"
    )
    engine = create_engine(database_url)
    with engine.connect() as db:
        found = db.scalar(asked, {"table": f"ris.{table}"})
    engine.dispose()
    return bool(found)


def _work(
    answer: Connection,
    task: str,
    settings: Settings,
    folder: Path,
    run_id: int,
    figures: Mapping[str, Any],
) -> None:
    try:
        answer.send((True, _do(task, settings, folder, run_id, figures)))
    except Exception as error:
        answer.send((False, f"{type(error).__name__}: {error}"))


def _do(
    task: str, settings: Settings, folder: Path, run_id: int, figures: Mapping[str, Any]
) -> Any:
    if task == "crawl":
        jobs.crawl_only(settings, [folder], LogProgress())
        return None
    if task == "begin":
        return jobs.begin(settings)
    if task == "report":
        return jobs.finish(settings, run_id, figures).run_id
    return jobs.step(task, settings, run_id, LogProgress())
