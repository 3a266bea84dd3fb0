"""Workers that are killed, and two of them at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks.faults.night import Night, Worker, holds_rows
from benchmarks.faults.scene import Outcome, Scene, through
from benchmarks.faults.servers import held, until


def killed(task: str, table: str, scene: Scene) -> Outcome:
    """kill -9 while the task writes a table, in mid-transaction."""
    night = scene.night()

    def disturb(worker: Worker) -> None:
        with held(night.url, table) as lock:
            worker.begin()
            until(lock.reached)
            worker.kill()

    return through(night, {task: disturb})


def killed_in_upsert(scene: Scene) -> Outcome:
    """kill -9 while Milvus takes vectors: it has them, and PostgreSQL does not know."""
    with scene.milvus() as milvus:
        night = scene.night(milvus)

        def disturb(worker: Worker) -> None:
            with held(night.url, "descriptor") as lock:
                worker.begin()
                until(lock.reached)
                milvus.freeze()
            until(partial(holds_rows, night.url, "descriptor"))
            worker.kill()
            milvus.thaw()

        return through(night, {"fingerprint": disturb})


def two_at_once(scene: Scene) -> Outcome:
    """Two whole nights over one folder and one database, side by side, on a Milvus server."""
    with scene.milvus() as milvus:
        one = scene.night(milvus)
        other = Night(one.settings, one.folder)
        with ThreadPoolExecutor(1) as beside:
            ended = beside.submit(other.go)
            one.go()
            ended.result()
        return Outcome(one.tables(), one.vectors(), [*one.said, *other.said])


def two_on_lite(scene: Scene) -> Outcome:
    """Milvus Lite serves one process: the second scan is refused in words, and the first ends."""
    night = scene.night()

    def disturb(worker: Worker) -> None:
        with held(night.url, "match") as lock:
            worker.begin()
            until(lock.reached)
            other = Worker("match", night.settings, night.folder, night.run_id, {})
            other.begin()
            well, said = other.end()
            assert not well
            night.said.append(f"the other: {said}")

    return through(night, {"match": disturb})
