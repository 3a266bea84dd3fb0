"""CPU seconds of tasks are those of real processes, their children's included."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks.nights.work import Work

TASK = "01890a5d-ac96-774b-bcce-b302099a8057"
BURN = "import time\nwhile time.process_time() < 0.6: pass\n"
# A task that computes 0.6 s itself and waits for a child that does, then lives on, idle.
RUNNER = f"""
import subprocess, sys, time
from setproctitle import setproctitle
setproctitle("airflow worker -- {TASK}")
{BURN}
subprocess.run([sys.executable, "-c", {BURN!r}], check=True)
print("done", flush=True)
time.sleep(60)
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[bytes]]:
    """Of such a task, and of another program that computes; the task says when it has."""
    programs = (("-c", BURN + "time.sleep(60)"), ("-c", RUNNER))
    started = (
        f"import subprocess, sys; p = [subprocess.Popen([sys.executable, *a]) for a in {programs}]"
    )
    command = [sys.executable, "-c", f"{started}; sys.stdin.read(); [one.kill() for one in p]"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process


def test_a_task_counts_with_its_children_and_nothing_else_does(
    parent: subprocess.Popen[bytes],
) -> None:
    assert parent.stdout
    with Work(parent.pid) as work:
        assert parent.stdout.readline() == b"done\n"
    assert work.tasks.keys() == {TASK}
    assert 1.1 < work.tasks[TASK] < 2.0
    assert work.milvus == 0
