"""The faults by name; each lets a night of its own happen, and gives what that left."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.faults import away, files, orchestrator, workers
from benchmarks.faults.scene import Outcome, Scene, through

Fault = Callable[[Scene], Outcome]


def undisturbed(scene: Scene) -> Outcome:
    return through(scene.night(), {})


FAULTS: dict[str, Fault] = {
    "worker killed in crawl": partial(workers.killed, "crawl", "observation"),
    "worker killed in begin": partial(workers.killed, "begin", "run"),
    "worker killed in fingerprint": partial(workers.killed, "fingerprint", "descriptor"),
    "worker killed while Milvus takes vectors": workers.killed_in_upsert,
    "worker killed in banks": partial(workers.killed, "banks", "bank_hit"),
    "worker killed in match": partial(workers.killed, "match", "match"),
    "worker killed in resolve": partial(workers.killed, "resolve", "family_member"),
    "worker killed in report": partial(workers.killed, "report", "run"),
    "Milvus stopped before vectors go in": partial(away.milvus_away, "fingerprint"),
    "Milvus stopped before a search": partial(away.milvus_away, "match"),
    "Milvus hangs": away.milvus_hangs,
    "PostgreSQL restarted in fingerprint": partial(
        away.postgres_restarted, "fingerprint", "descriptor"
    ),
    "PostgreSQL restarted in match": partial(away.postgres_restarted, "match", "match"),
    "PostgreSQL restarted in resolve": partial(away.postgres_restarted, "resolve", "family_member"),
    "PostgreSQL away longer than jobs wait": away.postgres_away_for_long,
    "disk full on previews": files.disk_full,
    "two scans at once, a Milvus server": workers.two_at_once,
    "two scans at once, Milvus Lite": workers.two_on_lite,
    "the scheduler killed in fingerprint": partial(
        orchestrator.scheduler_killed, "fingerprint", "descriptor"
    ),
    "the scheduler killed in match": partial(orchestrator.scheduler_killed, "match", "match"),
    "Airflow killed in match": partial(orchestrator.killed, "match", "match"),
    "Ctrl-C in fingerprint": partial(orchestrator.interrupted, "fingerprint", "descriptor"),
    "an image that ends its decoder": files.poisoned,
}
