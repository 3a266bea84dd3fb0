"""Nightly: look at every source again, and note in the ledger what is new, changed or gone."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import CronDataIntervalTimetable, Param, dag, get_current_context, task

from ris_common import CRAWL_POOL, DEFAULT_ARGS, OBSERVED, began, parameters, task_settings
from ris_notify import late

# Airflow maps a task 1,024 times at most, unless core.max_map_length allows more: up to this many
# sources each have a task of their own, but for websites of one host; more share them.
MOST_GROUPS = 1000
# How many of these run at a time, unless a pool says it.
AT_ONCE = 4
# A crawl that takes longer tells. It is not ended, for then no scan would follow, and what comes
# last in the list might never be crawled; each try of a task is.
LATE = timedelta(hours=12)


@dag(
    dag_id="ris_crawl",
    schedule=CronDataIntervalTimetable("0 1 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=MOST_GROUPS,  # the pool, or AT_ONCE, says how many crawl
    default_args=DEFAULT_ARGS,
    tags=["ris-jobs"],
    doc_md=__doc__,
    params={
        "sources": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            description="Names of sources to crawl; all that are enabled, unless given.",
        ),
        "roots": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            description="Folders to crawl; each becomes a source if it is none yet.",
        ),
    },
)
def ris_crawl() -> None:
    @task
    def list_sources() -> list[list[str]]:
        from pathlib import Path

        from ris_jobs import jobs

        params = parameters()
        wanted = [*(params["sources"] or ()), *map(Path, params["roots"] or ())]
        return jobs.side_by_side(jobs.nightly(task_settings(), wanted), MOST_GROUPS)

    @task(
        pool=CRAWL_POOL or "default_pool",
        max_active_tis_per_dag=None if CRAWL_POOL else AT_ONCE,
    )
    def crawl(sources: list[str]) -> dict[str, dict[str, float]]:
        from dataclasses import asdict

        from ris_jobs import jobs
        from ris_jobs.progress import LogProgress

        done = jobs.crawl_each(task_settings(), sources, LogProgress(), began())
        return {name: asdict(figures) for name, figures in done.items()}

    # One unmapped task rings the bell: events of mapped tasks can be lost. What is pending
    # stands in PostgreSQL, so a doubled or missing event does no harm. It runs whatever became of
    # the crawls, and so a run would end well without a list, too, of which list_sources has told.
    @task(outlets=[OBSERVED], trigger_rule="all_done", on_failure_callback=[])
    def announce(listed: list[list[str]] | None) -> None:
        from airflow.sdk.exceptions import AirflowFailException

        if listed is None:
            raise AirflowFailException("sources could not be listed, so nothing was crawled")
        took = datetime.now(UTC) - began()
        if took > LATE:
            late(get_current_context(), took)

    listed = list_sources()
    crawl.expand(sources=listed) >> announce(listed)


ris_crawl()
