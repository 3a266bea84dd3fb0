"""The faults, each with what it does to a night that is otherwise like the undisturbed one."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.faults import pictures
from benchmarks.faults.night import Disturbance, Night, Tables, Worker, in_transaction
from benchmarks.faults.servers import Milvus, Postgres, held, until
from ris_jobs import jobs
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine

Vectors = tuple[int, int, int]


@dataclass
class Scene:
    """Where nights are: a folder of pictures, a PostgreSQL, and how long servers stay away."""

    base: Path
    postgres: Postgres
    away: float
    pictures: Path
    bank: Path
    nights: int = 0

    @classmethod
    @contextmanager
    def set_up(cls, base: Path, away: float) -> Iterator[Scene]:
        folder, bank = base / "photos", base / "known.csv"
        pictures.write(folder)
        pictures.write_bank(bank)
        with Postgres.serving(base) as postgres:
            yield cls(base, postgres, away, folder, bank)

    def night(self, milvus: Milvus | None = None, **changed: Any) -> Night:
        """One to come, on a database of its own, with a bank of known hashes."""
        self.nights += 1
        settings = Settings(
            home=self.base / f"home-{self.nights}",
            database_url=self.postgres.database(),
            milvus_uri=milvus.uri if milvus else None,
            workers=2,
            batch_size=8,
        )
        settings = replace(settings, **changed)
        with open_engine(settings) as engine:
            jobs.import_bank(engine, self.bank, None)
        return Night(settings, self.pictures)

    @contextmanager
    def milvus(self) -> Iterator[Milvus]:
        with Milvus.serving(self.base / f"milvus-{self.nights}") as server:
            yield server


@dataclass(frozen=True)
class Outcome:
    """What a fault left, and what was said of it on the way."""

    tables: Tables
    vectors: Vectors
    said: list[str]


Fault = Callable[[Scene], Outcome]


def undisturbed(scene: Scene) -> Outcome:
    return _through(scene.night(), {})


def killed(task: str, table: str, scene: Scene) -> Outcome:
    """kill -9 while the task writes a table, in mid-transaction."""
    night = scene.night()

    def disturb(worker: Worker) -> None:
        with held(_url(night), table) as lock:
            worker.begin()
            until(lock.reached)
            worker.kill()

    return _through(night, {task: disturb})


def killed_in_upsert(scene: Scene) -> Outcome:
    """kill -9 while Milvus takes vectors: it has them, and PostgreSQL does not know."""
    with scene.milvus() as milvus:
        night = scene.night(milvus)

        def disturb(worker: Worker) -> None:
            with held(_url(night), "descriptor") as lock:
                worker.begin()
                until(lock.reached)
                milvus.freeze()
            until(partial(_sent, _url(night)))
            worker.kill()
            milvus.thaw()

        return _through(night, {"fingerprint": disturb})


def milvus_away(task: str, scene: Scene) -> Outcome:
    """kill -9 of Milvus before a task needs it; it comes back after a while."""
    with scene.milvus() as milvus:
        night = scene.night(milvus)

        def disturb(worker: Worker) -> None:
            with held(_url(night), "descriptor", "ACCESS EXCLUSIVE") as lock:
                worker.begin()
                until(lock.reached)
                milvus.kill()
            time.sleep(scene.away)
            milvus.start()

        return _through(night, {task: disturb})


def milvus_hangs(scene: Scene) -> Outcome:
    """Milvus answers nothing for a while, though its connections stay."""
    with scene.milvus() as milvus:
        night = scene.night(milvus)

        def disturb(worker: Worker) -> None:
            with held(_url(night), "descriptor", "ACCESS EXCLUSIVE") as lock:
                worker.begin()
                until(lock.reached)
                milvus.freeze()
            time.sleep(scene.away)
            milvus.thaw()

        return _through(night, {"match": disturb})


def postgres_restarted(task: str, table: str, scene: Scene) -> Outcome:
    """PostgreSQL stops at once while the task writes, and is there again after a while."""
    night = scene.night()

    def disturb(worker: Worker) -> None:
        with held(_url(night), table) as lock:
            worker.begin()
            until(lock.reached)
            scene.postgres.stop()
            time.sleep(min(scene.away, 5))
            scene.postgres.start()

    return _through(night, {task: disturb})


def postgres_away_for_long(scene: Scene) -> Outcome:
    """Longer than a job has patience: it fails, and the next try goes on."""
    night = scene.night(patience=1)

    def disturb(worker: Worker) -> None:
        with held(_url(night), "match") as lock:
            worker.begin()
            until(lock.reached)
            scene.postgres.stop()
            worker.process.join()
            scene.postgres.start()

    return _through(night, {"match": disturb})


def two_at_once(scene: Scene) -> Outcome:
    """Two whole nights over one folder and one database, side by side, on a Milvus server."""
    with scene.milvus() as milvus:
        one = scene.night(milvus)
        other = Night(one.settings, one.folder)
        side = threading.Thread(target=other.go)
        side.start()
        outcome = _through(one, {})
        side.join()
        return replace(
            outcome, tables=one.tables(), vectors=one.vectors(), said=[*one.said, *other.said]
        )


def two_on_lite(scene: Scene) -> Outcome:
    """Milvus Lite serves one process: the second scan is refused in words, and the first ends."""
    night = scene.night()

    def disturb(worker: Worker) -> None:
        with held(_url(night), "match") as lock:
            worker.begin()
            until(lock.reached)
            other = Worker("match", night.settings, night.folder, night.run_id, {})
            other.begin()
            well, said = other.end()
            assert not well
            night.said.append(f"the other: {said}")

    return _through(night, {"match": disturb})


def disk_full(scene: Scene) -> Outcome:
    """A file system for previews (tmpfs) that is full after a few; then it is enlarged."""
    night = scene.night()
    script = """
        set -eu
        mkdir -p "$1" && mount -t tmpfs -o size=60k none "$1"
        if "$2" -m ris_jobs scan "$3" 2>"$4"; then echo "a full disk did not matter" >&2; exit 1; fi
        mount -o remount,size=64m "$1"
        "$2" -m ris_jobs scan "$3"
        find "$1" -name '*.jpg' | wc -l
    """
    said = night.settings.home.with_suffix(".said")
    arguments = (str(night.settings.home / "previews"), sys.executable, str(scene.pictures))
    done = subprocess.run(
        [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "-",
            *arguments,
            said,
        ],
        env=night.environment(),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{done.stderr.strip()} {said.read_text() if said.exists() else ''}")
    previews = int(done.stdout.split()[-1])
    wanted = len([row for row in night.tables()["images"] if row[1] == "ok"])
    assert previews == wanted, f"{previews} previews of {wanted} images"
    return Outcome(night.tables(), night.vectors(), [said.read_text().strip()])


def poisoned(scene: Scene) -> Outcome:
    """An image that ends its decoder: it alone is quarantined, the rest is as without it."""
    night = scene.night(decode_seconds=1)
    night.folder = scene.base / "with-poison"
    pictures.write(night.folder)
    pictures.poison(night.folder)
    outcome = _through(night, {})
    (poison,) = [row for row in outcome.tables["quarantine"] if str(row[0]).endswith("poison.jpg")]
    assert poison[1] == "decoder-too-slow", poison
    tables = {
        name: [
            _elsewhere(row, night.folder, scene.pictures) for row in rows if not _of(row, poison)
        ]
        for name, rows in outcome.tables.items()
    }
    return replace(outcome, tables=tables, said=[str(poison[2])])


def _of(row: tuple[object, ...], poison: tuple[object, ...]) -> bool:
    return poison[0] in row or row[1:4] == ("quarantined", *poison[1:3])


def _elsewhere(row: tuple[object, ...], here: Path, there: Path) -> tuple[object, ...]:
    return tuple(_moved(v, f"{here}/", f"{there}/") for v in row)


def _moved(value: object, here: str, there: str) -> object:
    if isinstance(value, list):
        return [_moved(v, here, there) for v in value]
    return value.replace(here, there) if isinstance(value, str) else value


FAULTS: dict[str, Fault] = {
    "worker killed in fingerprint": partial(killed, "fingerprint", "descriptor"),
    "worker killed while Milvus takes vectors": killed_in_upsert,
    "worker killed in banks": partial(killed, "banks", "bank_hit"),
    "worker killed in match": partial(killed, "match", "match"),
    "worker killed in resolve": partial(killed, "resolve", "family_member"),
    "worker killed in report": partial(killed, "report", "run"),
    "Milvus stopped before vectors go in": partial(milvus_away, "fingerprint"),
    "Milvus stopped before a search": partial(milvus_away, "match"),
    "Milvus hangs": milvus_hangs,
    "PostgreSQL restarted in fingerprint": partial(postgres_restarted, "fingerprint", "descriptor"),
    "PostgreSQL restarted in match": partial(postgres_restarted, "match", "match"),
    "PostgreSQL restarted in resolve": partial(postgres_restarted, "resolve", "family_member"),
    "PostgreSQL away longer than jobs wait": postgres_away_for_long,
    "disk full on previews": disk_full,
    "two scans at once, a Milvus server": two_at_once,
    "two scans at once, Milvus Lite": two_on_lite,
    "an image that ends its decoder": poisoned,
}


def _through(night: Night, during: dict[str, Disturbance]) -> Outcome:
    night.go(during)
    return Outcome(night.tables(), night.vectors(), night.said)


def _url(night: Night) -> str:
    return str(night.settings.database_url)


def _sent(database_url: str) -> bool:
    """Whether a worker has read vectors to index, and waits for Milvus."""
    return in_transaction(database_url, "%indexed_at IS NULL%")
