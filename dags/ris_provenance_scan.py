"""After each crawl: fingerprint what is new, look for known hashes, match, resolve, report."""

from datetime import datetime

from airflow.sdk import dag, task

from ris_common import DEFAULT_ARGS, OBSERVED


@dag(
    dag_id="ris_provenance_scan",
    schedule=[OBSERVED],
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=["ris-jobs"],
    doc_md=__doc__,
)
def ris_provenance_scan() -> None:
    @task
    def begin() -> int:
        from ris_jobs import jobs
        from ris_jobs.settings import Settings

        return jobs.begin(Settings.from_env())

    @task
    def work(step: str, ris_run: int) -> dict[str, object]:
        from ris_jobs import jobs
        from ris_jobs.progress import LogProgress
        from ris_jobs.settings import Settings

        return jobs.step(step, Settings.from_env(), ris_run, LogProgress())

    # Runs whatever happened before it, and fails if a step did: a night never ends unsaid.
    @task(trigger_rule="all_done")
    def report(
        ris_run: int | None, figures: dict[str, dict[str, object] | None]
    ) -> dict[str, object]:
        from ris_jobs import jobs
        from ris_jobs.report.views import as_json
        from ris_jobs.settings import Settings

        if ris_run is None:
            raise RuntimeError("no run was begun, so there is nothing to report")
        summary = as_json(jobs.finish(Settings.from_env(), ris_run, figures))
        missing = [name for name, figure in figures.items() if figure is None]
        if missing:
            raise RuntimeError(f"run {ris_run}: {', '.join(missing)} did not finish")
        return summary

    ris_run = begin()
    figures = {
        name: work.override(task_id=name)(name, ris_run)
        for name in ("fingerprint", "banks", "match", "resolve")
    }
    figures["fingerprint"] >> figures["banks"] >> figures["match"] >> figures["resolve"]
    report(ris_run, figures)


ris_provenance_scan()
