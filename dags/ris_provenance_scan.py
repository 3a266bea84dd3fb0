"""After each crawl: fingerprint what is new, look for known hashes, match, resolve, report.

What is pending stands in PostgreSQL, whichever run claims it: a run that is started twice, late or
for a past date does what is pending then, once.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, dag, get_current_context, task

from ris_apart import apart
from ris_common import (
    DEFAULT_ARGS,
    MOST_SCAN_TASKS,
    OBSERVED,
    SCAN_TASKS,
    parameters,
    task_settings,
)
from ris_notify import overdue, tell

if TYPE_CHECKING:
    from ris_jobs.settings import Settings

SHARED = ("fingerprint", "match")
EMBEDS = "fingerprint"


@dag(
    dag_id="ris_provenance_scan",
    schedule=[OBSERVED],
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=MOST_SCAN_TASKS,
    dagrun_timeout=timedelta(hours=23),
    on_failure_callback=[overdue],
    default_args=DEFAULT_ARGS,
    tags=["ris-jobs"],
    doc_md=__doc__,
    params={
        "workers": Param(
            SCAN_TASKS,
            type="integer",
            minimum=1,
            maximum=MOST_SCAN_TASKS,
            description="Tasks that fingerprint, and that match, side by side; RIS_SCAN_TASKS, "
            "unless given. More than 1 needs a Milvus server (RIS_MILVUS_URI).",
        ),
        "sources": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            description="Names of sources whose new images are fingerprinted and matched, with all "
            "that is there; those of all, unless given.",
        ),
        "model": Param(
            None,
            type=["null", "string"],
            minLength=1,
            description="The model to scan with, as RIS_MODEL; a run that is given another than "
            "the one that images are described by fails: ris_reindex changes it.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            description="Only count what waits for each step (report returns it); change nothing.",
        ),
    },
)
def ris_provenance_scan() -> None:
    # The report tells of this one and the next two, whichever failed.
    @task(on_failure_callback=[])
    def begin() -> int:
        from airflow.sdk.exceptions import AirflowSkipException

        from ris_jobs import jobs

        params = parameters()
        if params["dry_run"]:
            raise AirflowSkipException("a dry run: nothing is begun, and report counts what waits")
        return jobs.begin(_settings(params), params["workers"], params["sources"] or ())

    # Which number a worker has means nothing: each claims what the others have not.
    @task(on_failure_callback=[])
    def workers() -> list[int]:
        return list(range(parameters()["workers"]))

    @task(on_failure_callback=[])
    def work(step: str, ris_run: int, worker: int = 0) -> dict[str, object]:
        from ris_jobs import jobs
        from ris_jobs.progress import LogProgress

        params = parameters()
        do = partial(apart, jobs.step) if step == EMBEDS else jobs.step
        done: dict[str, object] = do(
            step, _settings(params), ris_run, LogProgress(), params["sources"] or ()
        )
        return done

    # Runs whatever happened before it, and fails if a step did: a night never ends unsaid.
    @task(trigger_rule="all_done")
    def report(ris_run: int | None, figures: dict[str, Any]) -> dict[str, object]:
        from airflow.sdk.exceptions import AirflowFailException

        from ris_jobs import jobs
        from ris_jobs.report.views import as_json

        params = parameters()
        if params["dry_run"]:
            return dict(jobs.waiting(_settings(params), params["sources"] or ()))
        if ris_run is None:
            raise AirflowFailException("no run was begun, so there is nothing to report")
        wanted = {name: params["workers"] if name in SHARED else 1 for name in figures}
        done = {name: _each(given) for name, given in figures.items()}
        missing = [name for name, parts in done.items() if len(parts) < wanted[name]]
        complete = {name: None if name in missing else parts for name, parts in done.items()}
        summary = as_json(jobs.finish(_settings(params), ris_run, complete))
        if missing:  # which no other try of this task can mend
            raise AirflowFailException(f"run {ris_run}: {', '.join(missing)} did not finish")
        if summary["anomalies"]:
            tell(get_current_context(), f"scan {ris_run} is unusual", summary["anomalies"])
        return summary

    ris_run = begin()
    shares = workers()
    figures = {}
    for name in ("fingerprint", "banks", "match", "resolve"):
        step = work.override(task_id=name)
        if name in SHARED:
            figures[name] = step.partial(step=name, ris_run=ris_run).expand(worker=shares)
        else:
            figures[name] = step(name, ris_run)
    figures["fingerprint"] >> figures["banks"] >> figures["match"] >> figures["resolve"]
    report(ris_run, figures)


def _settings(params: Any) -> "Settings":
    """Of the task, with the model that the run was given, if any."""
    from dataclasses import replace

    settings = task_settings()
    return replace(settings, model=params["model"] or settings.model)


def _each(given: Any) -> list[Any]:
    """What each task of a step returned; those that failed returned nothing."""
    parts = [given] if given is None or isinstance(given, dict) else list(given)
    return [part for part in parts if part is not None]


ris_provenance_scan()
