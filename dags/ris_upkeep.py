"""Weekly: put right what time leaves behind, and erase what is past its time.

URIs of the web that no page names any more are asked for again, some of them each time.
"""

from datetime import datetime
from functools import partial

from airflow.sdk import CronDataIntervalTimetable, Param, dag, task

from ris_apart import apart
from ris_common import DEFAULT_ARGS, parameters, task_settings


@dag(
    dag_id="ris_upkeep",
    schedule=CronDataIntervalTimetable("0 12 * * 0", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["ris-jobs"],
    doc_md=__doc__,
    params={"dry_run": Param(False, type="boolean", description="Only count; change nothing.")},
)
def ris_upkeep() -> None:
    @task
    def upkeep() -> dict[str, int]:
        from dataclasses import asdict

        from ris_jobs import jobs
        from ris_jobs.progress import LogProgress

        dry_run = bool(parameters()["dry_run"])
        keep_up = partial(jobs.keep_up, dry_run=dry_run)
        return asdict(apart(keep_up, task_settings(), LogProgress()))

    upkeep()


ris_upkeep()
