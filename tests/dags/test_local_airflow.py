"""`ris airflow`: a real scheduler runs two nights, survives a kill, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine

ROOT = Path(__file__).parents[2]
DONE = ("success", "failed")


class Airflow:
    """The supervisor in a process of its own, and what its REST API answers."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_ports()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", "from ris_jobs.cli import main; main()", "airflow"),
                *("--port", str(self.port), "--dags", str(ROOT / "dags")),
            ],
            env={n: v for n, v in os.environ.items() if not n.startswith(("RIS_", "AIRFLOW"))}
            | {"RIS_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = [self.line(), self.line(), self.line()]
        self.token = ""

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, logs(self.home)
        return str(line)

    def sign_in(self, password: str) -> None:
        answer = self.ask("/auth/token", {"username": "admin", "password": password})
        self.token = answer["access_token"]

    def ask(self, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    def night(self, folder: Path, matches: int) -> None:
        """Crawl the folder, and wait until the scan that follows knows so many matches."""
        asked = {"logical_date": None, "conf": {"roots": [str(folder)]}}
        self.ask("/api/v2/dags/ris_crawl/dagRuns", asked)
        until(lambda: len(found(self.home)) >= matches)
        runs = until(self.at_rest)
        assert {run["state"] for run in runs} == {"success"}, logs(self.home)

    def at_rest(self) -> list[dict[str, Any]]:
        """All runs, once none is going on."""
        runs = list(self.ask("/api/v2/dags/~/dagRuns")["dag_runs"])
        return runs if all(run["state"] in DONE for run in runs) else []

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


def free_ports() -> int:
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


def until(true: Callable[[], Any], seconds: float = 240) -> Any:
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.5)
    return found


def logs(home: Path) -> str:
    files = sorted((home / "airflow").glob("*.log"))
    return "\n".join(f"{f.name}: {f.read_text(errors='replace')[-1500:]}" for f in files)


@pytest.fixture
def airflow(tmp_path: Path) -> Iterator[Airflow]:
    running = Airflow(tmp_path / "home")
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def images(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, photo in photos():
        if name in names:
            (folder / f"{name}.jpg").write_bytes(edits.jpeg(photo, 92))
            (folder / f"{name}-small.jpg").write_bytes(edits.jpeg(edits.thumbnail(photo, 160)))


def found(home: Path) -> list[tuple[str, str, int]]:
    """Each match, with the run that found it."""
    settings = Settings(home=home)
    with open_engine(settings) as engine, engine.connect() as db:
        rows = db.execute(
            text("SELECT relation, derived_uri, run_id FROM ris.match_by_uri ORDER BY derived_uri")
        )
        return [(r, Path(u).name, n) for r, u, n in rows]


@pytest.mark.slow
def test_two_nights_on_a_real_scheduler(airflow: Airflow, tmp_path: Path) -> None:
    password = airflow.said[2].rpartition(" ")[2].strip()
    airflow.sign_in(password)
    kept = airflow.home / "airflow" / "passwords.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert airflow.ask("/api/v2/importErrors")["total_entries"] == 0

    images(tmp_path / "in", "coffee", "rocket")
    airflow.night(tmp_path / "in", matches=2)
    first = found(airflow.home)
    assert [(r, n) for r, n, _ in first] == [
        ("thumbnail", "coffee-small.jpg"),
        ("thumbnail", "rocket-small.jpg"),
    ]

    # A scheduler that dies is started again, with no hand.
    (scheduler, *_) = airflow.processes("airflow", "scheduler")
    os.killpg(scheduler, signal.SIGKILL)
    until(lambda: [p for p in airflow.processes("airflow", "scheduler") if p != scheduler])

    images(tmp_path / "in", "chelsea")
    airflow.night(tmp_path / "in", matches=3)
    second = found(airflow.home)
    assert second[0][:2] == ("thumbnail", "chelsea-small.jpg")
    assert second[1:] == first, "what was known was worked on again"

    airflow.process.send_signal(signal.SIGTERM)
    assert airflow.process.wait(60) == 128 + signal.SIGTERM
    assert airflow.processes() == []
