"""The scheduler of a real Airflow is killed while one of its tasks writes."""

from __future__ import annotations

import os
import signal

from benchmarks.faults.scene import Outcome, Scene
from benchmarks.faults.servers import held
from benchmarks.nights.airflow import Airflow, until

# Airflow looks every five minutes for tasks whose scheduler is gone.
_NIGHT_S = 1800.0


def killed(scene: Scene) -> Outcome:
    """kill -9 of the scheduler alone, in mid-transaction of the first task that wants the matches;
    `ris airflow` starts another."""
    night = scene.night()
    with Airflow(night.settings.home, night.environment()) as airflow:
        with held(night.url, "match") as lock:
            crawl = airflow.begin({"roots": [str(night.folder)]})
            until(lock.reached, _NIGHT_S)
            scheduler = airflow.leader("scheduler")
            assert scheduler is not None
            os.kill(scheduler, signal.SIGKILL)
            until(lambda: airflow.leader("scheduler") not in (None, scheduler))
        airflow.end(crawl, _NIGHT_S)
        said = [f"{task}: tried {n} times" for task, n in airflow.tries().items() if n > 1]
        airflow.stop()
    assert said, "no task was disturbed"
    return Outcome(night.tables(), night.vectors(), said)
