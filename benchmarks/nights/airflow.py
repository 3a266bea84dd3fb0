"""`ris airflow` in a process of its own, asked by its REST API."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

__all__ = ["Airflow", "logs", "until"]

_ROOT = Path(__file__).parents[2]
# Ctrl-C ends it also where whoever starts it ignores that, as what a shell runs behind itself does.
_PROGRAM = """
import signal
from ris_jobs.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
_DONE = ("success", "failed")
_T = TypeVar("_T")


class Airflow:
    """Runs in a home of its own while it is entered, with settings from ``environment`` alone."""

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        self.home = home
        given = (environment or {}).items()
        self._settings = {name: value for name, value in given if name.startswith("RIS_")}

    def __enter__(self) -> Airflow:
        self._port = _free_ports()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", _PROGRAM, "airflow"),
                *("--port", str(self._port), "--dags", str(_ROOT / "dags")),
            ],
            env={n: v for n, v in os.environ.items() if not n.startswith(("RIS_", "AIRFLOW"))}
            | self._settings
            | {"RIS_HOME": str(self.home), "PYTHONPATH": str(_ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for _ in range(3):  # it starts, is ready, and has a password
            self._line()
        self._token = ""
        passwords = json.loads((self.home / "airflow" / "passwords.json").read_text())
        sign_in = {"username": "admin", "password": passwords["admin"]}
        self._token = self.ask("/auth/token", sign_in)["access_token"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.stop()
        self.process.kill()
        self.process.wait()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """As a system that shuts down would, or by SIGINT, as Ctrl-C; returns the exit status.
        Its programs end one after the other, and each has 20 s to do so."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, by)
        return self.process.wait(150)

    def ask(self, path: str, body: Any = None) -> Any:
        """What the REST API answers to a GET, or to a POST of a body."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", data, headers)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)

    def night(self, conf: Mapping[str, Any], seconds: float = 480) -> str:
        """Crawl with these parameters, and wait until the scan that follows has ended, and any
        other. Returns the id of the crawl's run. Raises RuntimeError where a run fails."""
        crawl = self.begin(conf)
        self.end(crawl, seconds)
        return crawl

    def begin(self, conf: Mapping[str, Any]) -> str:
        """Crawl with these parameters; the id of its run."""
        asked = {"logical_date": None, "conf": conf}
        return str(self.ask("/api/v2/dags/ris_crawl/dagRuns", asked)["dag_run_id"])

    def end(self, crawl: str, seconds: float) -> None:
        """Wait until the scan that follows this crawl has ended, and any other. Raises RuntimeError
        where a run fails."""
        until(lambda: crawl in self._rang(), seconds)
        runs = until(self._at_rest, seconds)
        if failed := [run for run in runs if run["state"] != "success"]:
            raise RuntimeError(f"{failed}\n{logs(self.home)}")

    def settle(self, seconds: float = 480) -> None:
        """Wait until what it begins by itself when it first starts has ended."""
        until(lambda: self._rang() and self._at_rest(), seconds)

    def log(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> str:
        """What the first try of a task wrote, as the REST API shows it."""
        task = f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}"
        shown = self.ask(f"{task}/logs/1?full_content=true&map_index={map_index}")["content"]
        return "\n".join(str(line["event"]) for line in shown)

    def tasks(self) -> dict[str, str]:
        """Id of each task instance of the latest runs → which task it is."""
        return {t["id"]: t["task_id"] for t in self._instances()}

    def tries(self) -> dict[str, int]:
        """Task → how often it was tried, in the latest runs."""
        return dict(sorted((t["task_id"], t["try_number"]) for t in self._instances()))

    def working(self) -> set[str]:
        """The tasks that run now."""
        return {t["task_id"] for t in self._instances() if t["state"] == "running"}

    def leader(self, program: str) -> int | None:
        """The process that `ris airflow` started for one of Airflow's programs, if it lives."""
        for pid in self.processes("airflow", program):
            with suppress(ProcessLookupError):
                if os.getpgid(pid) == pid:
                    return pid
        return None

    def processes(self, *words: str) -> list[int]:
        """Those that run in this home, with all of these words in their command line."""
        mark = f"AIRFLOW_HOME={self.home / 'airflow'}".encode()
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                environ = (place / "environ").read_bytes()
                command = (place / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if mark in environ.split(b"\0") and all(word in command for word in words):
                found.append(int(place.name))
        return found

    def _instances(self) -> list[dict[str, Any]]:
        asked = "/api/v2/dags/~/dagRuns/~/taskInstances?limit=100&order_by=-start_date"
        return list(self.ask(asked)["task_instances"])

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(logs(self.home))
        return str(line)

    def _rang(self) -> set[str]:
        """The runs of crawls that have rung; none while a ring was not followed by a scan. One scan
        may follow several."""
        asked = "/api/v2/assets/events?limit=100&order_by=-timestamp"
        try:
            rings = self.ask(asked)["asset_events"]
        except urllib.error.HTTPError as error:
            # Airflow 3.3.2 cannot tell of an event while a run that it made has not begun.
            if error.code != 500:
                raise
            return set()
        followed = all(ring["created_dagruns"] for ring in rings)
        return {ring["source_run_id"] for ring in rings} if followed else set()

    def _at_rest(self) -> list[dict[str, Any]]:
        """All runs, once none is going on."""
        runs = list(self.ask("/api/v2/dags/~/dagRuns")["dag_runs"])
        return runs if all(run["state"] in _DONE for run in runs) else []


def until(true: Callable[[], _T], seconds: float = 240) -> _T:
    """What it gives once that is true; TimeoutError after so many seconds. Who does not answer is
    asked again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError):
            if found := true():
                return found
        time.sleep(0.5)
    raise TimeoutError(f"it was not so after {seconds:g} s")


def logs(home: Path) -> str:
    """The end of what each program of Airflow wrote."""
    files = sorted((home / "airflow").glob("*.log"))
    return "\n".join(f"{f.name}: {f.read_text(errors='replace')[-1500:]}" for f in files)


def _free_ports() -> int:
    """A port that is free, as the next one is."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                two.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
