"""Servers that go away, hang and come back."""

from __future__ import annotations

import time

from benchmarks.faults.night import Worker
from benchmarks.faults.scene import Outcome, Scene, through
from benchmarks.faults.servers import held, until


def milvus_away(task: str, scene: Scene) -> Outcome:
    """kill -9 of Milvus before a task needs it; it comes back after a while."""
    with scene.milvus() as milvus:
        night = scene.night(milvus)

        def disturb(worker: Worker) -> None:
            with held(night.url, "descriptor", "ACCESS EXCLUSIVE") as lock:
                worker.begin()
                until(lock.reached)
                milvus.kill()
            time.sleep(scene.away)
            milvus.start()

        return through(night, {task: disturb})


def milvus_hangs(scene: Scene) -> Outcome:
    """Milvus answers nothing for a while, though its connections stay."""
    with scene.milvus() as milvus:
        night = scene.night(milvus)

        def disturb(worker: Worker) -> None:
            with held(night.url, "descriptor", "ACCESS EXCLUSIVE") as lock:
                worker.begin()
                until(lock.reached)
                milvus.freeze()
            time.sleep(scene.away)
            milvus.thaw()

        return through(night, {"match": disturb})


def postgres_restarted(task: str, table: str, scene: Scene) -> Outcome:
    """PostgreSQL stops at once while the task writes, and is there again after a while."""
    night = scene.night()

    def disturb(worker: Worker) -> None:
        with held(night.url, table) as lock:
            worker.begin()
            until(lock.reached)
            scene.postgres.stop()
            time.sleep(scene.away)
            scene.postgres.start()

    return through(night, {task: disturb})


def postgres_away_for_long(scene: Scene) -> Outcome:
    """Longer than a job has patience: it fails, and the next try goes on."""
    night = scene.night(patience=1)

    def disturb(worker: Worker) -> None:
        with held(night.url, "match") as lock:
            worker.begin()
            until(lock.reached)
            scene.postgres.stop()
            worker.process.join()
            scene.postgres.start()

    return through(night, {"match": disturb})
