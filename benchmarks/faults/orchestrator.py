"""A real Airflow loses its scheduler, or ends as a whole, while one of its tasks writes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import psutil

from benchmarks.faults.night import Night
from benchmarks.faults.scene import Outcome, Scene
from benchmarks.faults.servers import held
from benchmarks.nights.airflow import Airflow, until

_NIGHT_S = 1800.0


def scheduler_killed(task: str, table: str, scene: Scene) -> Outcome:
    """kill -9 of the scheduler alone, while the task writes a table, in mid-transaction;
    `ris airflow` starts another."""
    night = scene.night()
    with Airflow(night.settings.home, night.environment()) as airflow:
        crawl = _disturbed(airflow, night, task, table, lambda: _kill_scheduler(airflow))
        return _after(airflow, night, task, crawl)


def killed(task: str, table: str, scene: Scene) -> Outcome:
    """kill -9 of `ris airflow` alone instead: all that it started ends, and another one goes on."""
    return _ended(task, table, scene, lambda airflow: airflow.process.kill())


def interrupted(task: str, table: str, scene: Scene) -> Outcome:
    """Ctrl-C instead."""
    return _ended(task, table, scene, interrupt)


def ends(airflow: Airflow, end: Callable[[Airflow], object]) -> list[str]:
    """Let it end, with all that it has started; the command lines of what still lives two minutes
    later: its programs end one after the other, and each is waited for."""
    started = psutil.Process(airflow.process.pid).children(recursive=True)
    end(airflow)
    with suppress(TimeoutError):
        until(lambda: not any(map(_lives, started)), 120)
    return [" ".join(process.cmdline()) for process in started if _lives(process)]


def interrupt(airflow: Airflow) -> None:
    """Ctrl-C, after which it ends well."""
    status = airflow.stop(signal.SIGINT)
    assert status == 0, status


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _ended(task: str, table: str, scene: Scene, end: Callable[[Airflow], object]) -> Outcome:
    night = scene.night()

    def disturb() -> None:
        left = ends(airflow, end)
        assert left == [], left

    with Airflow(night.settings.home, night.environment()) as airflow:
        crawl = _disturbed(airflow, night, task, table, disturb)
    with Airflow(night.settings.home, night.environment()) as again:
        return _after(again, night, task, crawl)


def _disturbed(
    airflow: Airflow, night: Night, task: str, table: str, disturb: Callable[[], object]
) -> str:
    """Crawl, and disturb the task while it writes; the id of the crawl's run."""
    airflow.settle(_NIGHT_S)
    crawl = airflow.begin({"roots": [str(night.folder)]})
    until(lambda: task in airflow.working(), _NIGHT_S)
    with held(night.url, table) as lock:
        until(lock.reached, _NIGHT_S)
        disturb()
    return crawl


def _after(airflow: Airflow, night: Night, task: str, crawl: str) -> Outcome:
    """What is there once the night has ended."""
    airflow.end(crawl, _NIGHT_S)
    tries = airflow.tries()
    airflow.stop()
    assert tries[task] > 1, "the task was not disturbed"
    said = [f"{name}: tried {n} times" for name, n in tries.items() if n > 1]
    return Outcome(night.tables(), night.vectors(), said)


def _kill_scheduler(airflow: Airflow) -> None:
    scheduler = airflow.leader("scheduler")
    assert scheduler is not None
    os.kill(scheduler, signal.SIGKILL)
    until(lambda: airflow.leader("scheduler") not in (None, scheduler))
