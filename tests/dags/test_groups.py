"""Programs end with what they started, however the process ends that runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from benchmarks.nights.airflow import until
from ris_jobs.errors import AirflowUnavailable
from ris_jobs.local_airflow import groups
from ris_jobs.local_airflow.alone import alone

# As Airflow's scheduler does, it waits for its child when it is told to end; that takes a second.
_CHILD = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), sys.exit()))
print("ready", flush=True)
time.sleep(600)
"""
_PROGRAM = f"""
import pathlib, signal, subprocess, sys
signal.signal(signal.SIGTERM, lambda *_: None)
child = subprocess.Popen([sys.executable, "-c", {_CHILD!r}], stdout=subprocess.PIPE)
child.stdout.readline()
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
child.wait()
"""
_RUNS_IT = """
import os, sys, time
from pathlib import Path
from ris_jobs.local_airflow.alone import alone
from ris_jobs.local_airflow.groups import Guard
from ris_jobs.local_airflow.programs import Program
program, file = sys.argv[1:]
command, home = (sys.executable, "-c", program, file), Path(file).parent
with alone(home) as kept, Guard(kept).running() as guard:
    with Program("program", command, os.environ, home, guard).running():
        time.sleep(600)
"""


@contextmanager
def running(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """What runs a program, with all that it started: a guard, the program, and the child of this.
    Whatever is left of them in the end is killed."""
    file = home / "child"
    command = [sys.executable, "-c", _RUNS_IT, _PROGRAM, file]
    with subprocess.Popen(command, start_new_session=True) as runs_it:
        until(lambda: file.exists() and file.read_text(), 60)
        started = psutil.Process(runs_it.pid).children(recursive=True)
        try:
            assert len(started) == 3 and int(file.read_text()) in {p.pid for p in started}
            yield runs_it, started
        finally:
            for process in (runs_it, *filter(_lives, started)):
                process.kill()


def test_programs_end_if_what_runs_them_is_killed(tmp_path: Path) -> None:
    with running(tmp_path) as (runs_it, started):
        os.killpg(runs_it.pid, signal.SIGKILL)
        until(lambda: not any(map(_lives, started)), 15)


def test_the_next_one_waits_until_what_was_left_has_ended(tmp_path: Path) -> None:
    with running(tmp_path) as (runs_it, started):
        refused = pytest.raises(AirflowUnavailable, match="another `ris airflow` runs there")
        with refused, alone(tmp_path):
            pass
        runs_it.kill()
        runs_it.wait()
        assert all(map(_lives, started))
        with alone(tmp_path):
            assert not any(map(_lives, started[1:])), "its guard alone may be about to end"


def test_what_does_not_heed_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "_STOP_S", 0.5)
    command = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout and stubborn.stdout.readline() == b"ready\n"
        groups.end(stubborn.pid, stubborn.poll)
        assert stubborn.returncode == -signal.SIGKILL


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
