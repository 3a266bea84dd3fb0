"""Crawls that are killed at random moments, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections.abc import Mapping

from sqlalchemy import create_engine, text

from ris_jobs import jobs
from ris_jobs.jobs import listed, web
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings

# Processes start from one that has everything imported, and used nothing of it.
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["ris_jobs.cli", "ris_jobs.jobs.web", "s3fs", "pymilvus", "torch", "cv2", "tests.jobs.kills"]
)

TABLES = {
    "image": "SELECT sha256, byte_size, status, reason FROM ris.image",
    "observation": "SELECT o.uri, i.sha256, o.reason, o.version, o.byte_size, o.etag, o.missed, "
    "o.gone_at IS NOT NULL, o.superseded_at IS NOT NULL, o.replaced, s.name "
    "FROM ris.observation o JOIN ris.source s USING (source_id) "
    "LEFT JOIN ris.image i USING (image_id)",
    "fetch": "SELECT uri, attempts, reason, gave_up_at IS NOT NULL FROM ris.fetch",
    "sighting": "SELECT uri, page, title, alt, link, published_at, full_uri, columns::text "
    "FROM ris.sighting",
    # The first crawl of each source. One that had come to its end just before it was killed is
    # followed by others, which see nothing new.
    "source_crawl": "SELECT DISTINCT ON (source_id) complete, why, seen, new, changed, unchanged, "
    "gone, refused, failed, bytes, refusals::text FROM ris.source_crawl "
    "JOIN ris.source USING (source_id) WHERE name <> 'nothing' ORDER BY source_id, crawl_id",
}


def crawl(settings: Settings, names: list[str], env: Mapping[str, str], batch: int) -> None:
    """In the child. Small batches, so that there is something between any two moments."""
    os.environ |= env
    listed._BATCH = web._BATCH = batch
    jobs.crawl_only(settings, names, LogProgress())


def undisturbed(settings: Settings, name: str, env: Mapping[str, str], batch: int) -> float:
    """Crawl to the end; how many seconds it took."""
    started = time.monotonic()
    process = SERVER.Process(target=crawl, args=(settings, [name], dict(env), batch))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    return time.monotonic() - started


def killed(
    settings: Settings,
    name: str,
    env: Mapping[str, str],
    batch: int,
    start: float,
    whole: float,
    seed: int,
) -> int:
    """Start a crawl and kill it, 20 times; how many were under way.

    ``start`` are the seconds that a crawl of nothing takes, ``whole`` those of an undisturbed one:
    each is to do a fortieth of the work on average: where other work slows what is measured, and
    not what is killed, there is some left for the last one, too.
    """
    rng = random.Random(seed)
    hit = 0
    for _ in range(20):
        process = SERVER.Process(target=crawl, args=(settings, [name], dict(env), batch))
        process.start()
        process.join(start + rng.uniform(-0.05, 0.08) * (whole - start))
        hit += process.is_alive()
        process.kill()
        process.join()
    return hit


def tables(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """All that a crawl writes, but for ids and times."""
    assert settings.database_url is not None
    engine = create_engine(settings.database_url)
    with engine.connect() as db:
        found = {
            name: sorted((tuple(r) for r in db.execute(text(ask))), key=repr)
            for name, ask in TABLES.items()
        }
    engine.dispose()
    return found
