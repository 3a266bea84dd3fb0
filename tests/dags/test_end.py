"""A task ends when it is told to, and with its supervisor, whatever it waits for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from benchmarks.nights.airflow import until
from tests.dags.conftest import DAGS

# What Airflow does: a supervisor forks the task into a group of its own and forwards SIGTERM to it
# alone, and the task has a handler that lets it go on. A mutex that is taken again waits outside of
# Python, as the client of PostgreSQL does.
_SUPERVISOR = """
import ctypes, os, signal, socket, sys, time
from airflow.sdk.execution_time import task_runner
sys.path.insert(0, sys.argv[1])
mine, tasks = socket.socketpair()
supervisor, task = os.getpid(), os.fork()
if task:
    signal.signal(signal.SIGTERM, lambda *_: os.kill(task, signal.SIGTERM))
    sys.exit(os.waitpid(task, 0)[1])
mine.close()
os.setpgid(0, 0)
signal.signal(signal.SIGTERM, lambda *_: None)
task_runner.SUPERVISOR_COMMS = task_runner.CommsDecoder(socket=tasks)
import ris_common
from airflow.sdk import log
log.mask_secret = print
if sys.argv[3] == "late":
    open(sys.argv[2], "w").write(str(os.getpid()))
    while os.getppid() == supervisor:
        time.sleep(0.05)
ris_common.task_settings()
libc, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
open(sys.argv[2], "w").write(str(os.getpid()))
libc.pthread_mutex_lock(mutex)
libc.pthread_mutex_lock(mutex)
"""


@pytest.mark.parametrize(
    ("by", "when"),
    [(signal.SIGTERM, "at work"), (signal.SIGKILL, "at work"), (signal.SIGKILL, "late")],
)
def test_a_task_ends_with_its_supervisor(tmp_path: Path, by: int, when: str) -> None:
    """Also one that is late, so that its supervisor is gone before it has begun to heed that."""
    file = tmp_path / "pid"
    command = [sys.executable, "-c", _SUPERVISOR, DAGS, file, when]
    with subprocess.Popen(command, start_new_session=True) as supervisor:
        task = psutil.Process(int(until(lambda: file.exists() and file.read_text(), 60)))
        try:
            assert task.ppid() == supervisor.pid and os.getpgid(task.pid) == task.pid
            os.killpg(supervisor.pid, by)
            until(lambda: not task.is_running() or task.status() == psutil.STATUS_ZOMBIE, 10)
        finally:
            with suppress(psutil.NoSuchProcess):
                task.kill()
