"""What embeds has an interpreter of its own, which goes with its task however that goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.nights.airflow import until
from ris_jobs.settings import Settings
from tests.dags.conftest import DAGS

# Something that takes long, and says who does it.
_LONG = "[open({0!r}, 'w').write(str(__import__('os').getpid())), __import__('time').sleep(600)]"
_TASK = """
import sys
sys.path.insert(0, sys.argv[1])
from ris_apart import apart
apart(eval, sys.argv[2])
"""


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.syspath_prepend(str(DAGS))
    from ris_apart import apart  # type: ignore[import-not-found]  # dags/ is no package

    found: Callable[..., Any] = apart
    return found


def test_it_is_another_interpreter_of_the_same_group(
    apart: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import airflow  # noqa: F401  as a task's process has, before the following

    # So Airflow keeps tasks from its database.
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    asked = (
        "print('noise') or (lambda os: (os.getpid(), os.getpgrp(), os.getppid()))(__import__('os'))"
    )
    pid, group, parent = apart(eval, asked)
    assert pid != os.getpid()
    assert (group, parent) == (os.getpgrp(), os.getpid())


def test_errors_come_back_and_are_logged_with_where_they_were_raised(
    apart: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="invalid literal") as raised:
        apart(int, "many")
    assert "work(*arguments)" in raised.value.__notes__[0]
    assert "work(*arguments)" in capfd.readouterr().err  # where its log goes without Airflow
    # One that is not made of what it says.
    with pytest.raises(RuntimeError, match="ConfigError: RIS_BATCH_SIZE must be between 1 and"):
        apart(Settings.from_env, {"RIS_BATCH_SIZE": "0"})


def test_a_process_that_is_killed_is_an_error(apart: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match="SIGKILL: was it killed for want of memory"):
        apart(signal.raise_signal, signal.SIGKILL)


def test_a_task_that_takes_too_long_ends_it(apart: Callable[..., Any], tmp_path: Path) -> None:
    """Airflow raises an exception in the task, from a signal."""

    def too_long(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, too_long)
    late = threading.Thread(
        target=lambda: os.kill(_begun(tmp_path) and os.getpid(), signal.SIGALRM)
    )
    late.start()
    try:
        with pytest.raises(TimeoutError):
            apart(eval, _LONG.format(str(tmp_path / "pid")))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not psutil.pid_exists(_begun(tmp_path))


@pytest.mark.parametrize(("end", "by"), [(os.kill, signal.SIGKILL), (os.killpg, signal.SIGTERM)])
def test_it_ends_with_its_task(tmp_path: Path, end: Callable[[int, int], None], by: int) -> None:
    """The task alone dies, as when memory is short; or Airflow ends its group."""
    command = [sys.executable, "-c", _TASK, DAGS, _LONG.format(str(tmp_path / "pid"))]
    with subprocess.Popen(command, start_new_session=True) as task:
        try:
            worker = psutil.Process(_begun(tmp_path))
            assert worker.ppid() == task.pid
            end(task.pid, by)
            until(lambda: not worker.is_running(), 60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(task.pid, signal.SIGKILL)


def _begun(folder: Path) -> int:
    """The process that does what takes long."""
    file = folder / "pid"
    return int(until(lambda: file.exists() and file.read_text()))
