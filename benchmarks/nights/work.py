"""CPU seconds of tasks and of Milvus, sampled from Linux's /proc while Airflow runs them."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from types import TracebackType

import psutil

__all__ = ["Work"]

_EVERY_S = 0.25
# As Airflow's task runner calls its process.
_TASK = re.compile(r"airflow worker -- ([0-9a-f]{8}-[0-9a-f-]{27})$")


class Work:
    """While it is entered, samples what runs under the process ``pid`` of `ris airflow`. ``tasks``
    has the CPU seconds of each task instance by its id, those of its child processes included;
    ``milvus`` those of Milvus Lite. What is done after the last sample, in the quarter of a second
    before a process ends, is missed."""

    def __init__(self, pid: int) -> None:
        self.tasks: dict[str, float] = {}
        self.milvus = 0.0
        self._airflow = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample_often, daemon=True)

    def __enter__(self) -> Work:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        self._sample()

    def _sample_often(self) -> None:
        while not self._over.wait(_EVERY_S):
            self._sample()

    def _sample(self) -> None:
        with suppress(psutil.Error):
            for process in self._airflow.children(recursive=True):
                self._look(process)

    def _look(self, process: psutil.Process) -> None:
        try:
            command = " ".join(process.cmdline()).strip()
        except psutil.Error:
            return
        if task := _TASK.search(command):
            seconds = _seconds(process)
            self.tasks[task[1]] = max(seconds, self.tasks.get(task[1], 0.0))
        elif "milvus-lite server" in command:
            self.milvus = max(_seconds(process), self.milvus)


def _seconds(process: psutil.Process) -> float:
    """Of it, of the children that it has, and of those that it had and waited for."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            spent = one.cpu_times()
            total += spent.user + spent.system + spent.children_user + spent.children_system
    return total
