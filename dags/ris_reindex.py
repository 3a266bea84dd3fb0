"""By hand: fill another model beside the one that serves, show what would change, and let it serve.

It goes on where an earlier run stopped, and nights go on meanwhile, with both models.
"""

from datetime import datetime, timedelta

from airflow.sdk import Param, dag, task

from ris_apart import apart
from ris_common import DEFAULT_ARGS, began, parameters, task_settings


@dag(
    dag_id="ris_reindex",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["ris-jobs"],
    doc_md=__doc__,
    params={
        "model": Param(
            "builtin", type="string", minLength=1, description="The model that is to serve."
        ),
        "regions": Param(
            None,
            type=["null", "string"],
            pattern=r"^[0-5]\+([0-9]|[1-4][0-9]|50)$",
            description="Parts described beside the whole, such as 5+10; the model's own if unset.",
        ),
        "limit": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            description="At most so many images this time; all if unset.",
        ),
        "pause": Param(
            0, type="number", minimum=0, maximum=3600, description="Seconds after each batch."
        ),
        "switch": Param(
            False, type="boolean", description="Let it serve in the end, if the gate holds."
        ),
    },
)
def ris_reindex() -> None:
    @task
    def start() -> str | None:
        from ris_jobs import jobs

        params = parameters()
        settings = task_settings()
        return jobs.start_reindex(settings, params["model"], params["regions"], "airflow").beside

    # What would change is not known, and the model cannot serve, until nothing is left to fill.
    @task.short_circuit(execution_timeout=timedelta(days=14))
    def fill() -> bool:
        from ris_jobs import jobs
        from ris_jobs.progress import LogProgress

        params = parameters()
        pace = jobs.Pace(params["limit"], params["pause"])
        return bool(apart(jobs.run_reindex, task_settings(), pace, LogProgress()).ready)

    @task
    def report() -> dict[str, int]:
        from ris_jobs import jobs

        settings = task_settings()
        found = jobs.churn_report(settings, settings.home / "reports" / "churn.html")
        return dict(found.totals)

    @task.short_circuit
    def asked() -> bool:
        return bool(parameters()["switch"])

    @task
    def switch() -> dict[str, int] | None:
        from ris_jobs import jobs

        settings = task_settings()
        if jobs.switched(settings, began()):  # by a try that was killed before it could say so
            return None
        return dict(jobs.switch(settings, None, "airflow").totals)

    start() >> fill() >> report() >> asked() >> switch()


ris_reindex()
