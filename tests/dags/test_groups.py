"""Programs end with what they started, however the process ends that runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.nights.airflow import until
from ris_jobs.local_airflow import groups

# As Airflow's scheduler does, it waits for its child when it is told to end.
_PROGRAM = """
import pathlib, signal, subprocess, sys
signal.signal(signal.SIGTERM, lambda *_: None)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
child.wait()
"""
_RUNS_IT = """
import os, sys, time
from pathlib import Path
from ris_jobs.local_airflow.groups import Guard
from ris_jobs.local_airflow.programs import Program
program, file = sys.argv[1:]
command = (sys.executable, "-c", program, file)
with Guard().running() as guard:
    with Program("program", command, os.environ, Path(file).parent, guard).running():
        time.sleep(600)
"""


def test_programs_end_if_what_runs_them_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "child"
    command = [sys.executable, "-c", _RUNS_IT, _PROGRAM, file]
    with subprocess.Popen(command, start_new_session=True) as runs_it:
        until(lambda: file.exists() and file.read_text(), 60)
        started = psutil.Process(runs_it.pid).children(recursive=True)
        assert len(started) == 3 and int(file.read_text()) in {p.pid for p in started}
        try:
            os.killpg(runs_it.pid, signal.SIGKILL)
            until(lambda: not any(map(_lives, started)), 15)
        finally:
            for process in filter(_lives, started):
                process.kill()


def test_what_does_not_heed_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "_STOP_S", 0.5)
    command = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout and stubborn.stdout.readline() == b"ready\n"
        groups.end(stubborn.pid, stubborn.poll)
        assert stubborn.returncode == -signal.SIGKILL


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
