"""Nightly: look at every source again, and note in the ledger what is new, changed or gone."""

from datetime import datetime

from airflow.sdk import CronDataIntervalTimetable, Param, dag, get_current_context, task

from ris_common import DEFAULT_ARGS, OBSERVED, task_settings


@dag(
    dag_id="ris_crawl",
    schedule=CronDataIntervalTimetable("0 1 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
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
    def list_sources() -> list[str]:
        from pathlib import Path

        from ris_jobs import jobs

        params = get_current_context()["params"]
        wanted = [*(params["sources"] or ()), *map(Path, params["roots"] or ())]
        return jobs.nightly(task_settings(), wanted)

    @task(max_active_tis_per_dag=4)
    def crawl(source: str) -> dict[str, float]:
        from dataclasses import asdict

        from ris_jobs import jobs
        from ris_jobs.progress import LogProgress

        return asdict(jobs.crawl_only(task_settings(), [source], LogProgress()))

    # One unmapped task rings the bell: events of mapped tasks can be lost. What is pending
    # stands in PostgreSQL, so a doubled or missing event does no harm.
    @task(outlets=[OBSERVED], trigger_rule="all_done")
    def announce() -> None:
        pass

    crawl.expand(source=list_sources()) >> announce()


ris_crawl()
