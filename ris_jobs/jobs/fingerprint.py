"""Fingerprint: decode, hash and describe every image that lacks it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ris_jobs.crawl import directory
from ris_jobs.errors import ImageRejected, Reason
from ris_jobs.jobs.index import index
from ris_jobs.jobs.models import Beside
from ris_jobs.jobs.pace import Pace
from ris_jobs.jobs.second import Second, described
from ris_jobs.progress import Progress
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, images, matches
from ris_jobs.store.images import Claimed
from ris_jobs.store.previews import Previews
from ris_jobs.store.runs import Run
from ris_jobs.store.stores import Stores

if TYPE_CHECKING:
    from ris_jobs.fingerprint.pipeline import Pipeline, Result


@dataclass(slots=True)
class Fingerprinted:
    """What was done, and the seconds spent inside the pipeline's stages."""

    images: int = 0
    quarantined: int = 0
    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)


def fingerprint(
    stores: Stores,
    run: Run,
    open_pipeline: Callable[[], Pipeline],
    settings: Settings,
    progress: Progress,
    *,
    beside: Beside | None = None,
    new: bool = True,
    pace: Pace | None = None,
) -> Fingerprinted:
    """Work through all pending images batch by batch, then put the new vectors into Milvus.

    ``open_pipeline`` is called only when an image is waiting: it may take seconds. What is
    described here is described by the model ``beside``, too. Unless ``new``, images that were
    never fingerprinted are left alone.
    """
    started = time.perf_counter()
    total, pace = Fingerprinted(), pace or Pace()
    with stores.engine.connect() as db:
        pending = images.count_undescribed(db, stores.model_id, new=new)
    second = Second(beside) if beside else None
    with (
        progress.stage("fingerprint", pending) as advance,
        ThreadPoolExecutor(settings.threads) as pool,
    ):
        after, pipeline = 0, None
        while size := pace.next(settings.batch_size, total.images):
            with stores.engine.begin() as db:
                claimed = images.claim_undescribed(db, stores.model_id, after, size, new=new)
                if not claimed:
                    break
                pipeline = pipeline or open_pipeline()
                read = [*pool.map(lambda c: _read(c, stores.previews, settings.max_bytes), claimed)]
                outcomes = _outcomes(claimed, read, pipeline)
                _save(db, stores, run, claimed, outcomes, total)
                if second:
                    second.describe(db, claimed, read, outcomes)
            after = claimed[-1].image_id
            advance(len(claimed))
            pace.rest()
    index(stores)
    if beside:
        index(beside.stores)
    total.stages = dict(pipeline.stages) if pipeline else {}
    total.seconds = time.perf_counter() - started
    return total


def _read(claimed: Claimed, previews: Previews, max_bytes: int) -> bytes | ImageRejected:
    """The image's own bytes; for an image that is fingerprinted already, and needs but another
    descriptor, its preview will do."""
    read = read_original(claimed, max_bytes)
    if isinstance(read, bytes) or claimed.new:
        return read
    return previews.read(claimed.sha256) or read


def read_original(claimed: Claimed, max_bytes: int) -> bytes | ImageRejected:
    """The image's own bytes from wherever they still are."""
    rejected = ImageRejected(Reason.VANISHED, "it was seen, but is no longer there")
    for uri in claimed.uris:
        try:
            data = directory.read(uri, max_bytes)
        except ImageRejected as e:
            # What is there now is not what was seen: its misfortune is not these bytes' own.
            own = e.reason is Reason.TOO_LARGE
            rejected = e if own else ImageRejected(Reason.VANISHED, f"not there now: {e.detail}")
            continue
        if hashlib.sha256(data).hexdigest() == claimed.sha256:
            return data
        rejected = ImageRejected(Reason.CHANGED, "its bytes changed after they were seen")
    return rejected


def _outcomes(
    claimed: Sequence[Claimed], read: Sequence[bytes | ImageRejected], pipeline: Pipeline
) -> dict[int, Result]:
    """Image id → what became of it; the pipeline sees only those that could be read."""
    results = iter(pipeline.run([data for data in read if isinstance(data, bytes)]))
    return {
        c.image_id: next(results) if isinstance(data, bytes) else data
        for c, data in zip(claimed, read, strict=True)
    }


def _save(
    db: Connection,
    stores: Stores,
    run: Run,
    claimed: Sequence[Claimed],
    outcomes: dict[int, Result],
    total: Fingerprinted,
) -> None:
    rejected = {i: r for i, r in outcomes.items() if isinstance(r, ImageRejected)}
    done = {i: r for i, r in outcomes.items() if not isinstance(r, ImageRejected)}
    new = [c for c in claimed if c.new and c.image_id in done]
    returned = [c for c in claimed if c.retired and c.image_id in done]
    # Pictures first: a row that says "ok" must not lack its preview.
    for c in (*new, *returned):
        stores.previews.write(c.sha256, done[c.image_id].preview)
    images.save_fingerprints(db, {c.image_id: done[c.image_id].fingerprint for c in new})
    matches.reopen(db, [c.image_id for c in new])
    images.quarantine(db, rejected, run.judged_by)
    images.unretire(db, [c.image_id for c in returned])
    descriptors.save(db, stores.model_id, described(done))
    total.images += len(done)
    total.quarantined += len(rejected)
