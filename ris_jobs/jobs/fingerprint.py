"""Fingerprint: decode, hash and describe every image that lacks it."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ris_jobs import metrics
from ris_jobs.crawl import directory
from ris_jobs.errors import ImageRejected, Reason
from ris_jobs.jobs.index import index
from ris_jobs.jobs.patience import patiently
from ris_jobs.jobs.poison import run_each
from ris_jobs.logs import about
from ris_jobs.progress import Progress
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, images
from ris_jobs.store.descriptors import Descriptors
from ris_jobs.store.images import Claimed
from ris_jobs.store.previews import Previews
from ris_jobs.store.runs import Run
from ris_jobs.store.stores import Stores

if TYPE_CHECKING:
    from ris_jobs.fingerprint.pipeline import Pipeline, Processed, Result

_LOG = logging.getLogger("ris_jobs")


@dataclass(slots=True)
class Fingerprinted:
    """What was done, and the seconds spent inside the pipeline's stages."""

    images: int = 0
    quarantined: int = 0
    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)

    def add(self, done: _Done) -> None:
        self.images += done.images
        self.quarantined += done.quarantined


def fingerprint(
    stores: Stores,
    run: Run,
    open_pipeline: Callable[[], Pipeline],
    settings: Settings,
    progress: Progress,
) -> Fingerprinted:
    """Work through all pending images batch by batch, then put the new vectors into Milvus.

    ``open_pipeline`` is called only when an image is waiting: it may take seconds.
    """
    started = time.perf_counter()
    total = Fingerprinted()
    with stores.engine.connect() as db:
        pending = images.count_undescribed(db, stores.model_id)
    loaded = cache(open_pipeline)
    with (
        progress.stage("fingerprint", pending) as advance,
        ThreadPoolExecutor(settings.threads) as pool,
    ):
        after = 0
        batch = partial(_batch, stores, run, loaded, settings, pool)
        while done := patiently(partial(batch, after), settings.patience):
            after = done.after
            total.add(done)
            advance(done.images + done.quarantined)
    index(stores, settings.patience)
    total.stages = dict(loaded().stages) if after else {}
    total.seconds = time.perf_counter() - started
    return total


@dataclass(frozen=True, slots=True)
class _Done:
    """A batch that is committed: its last image's id, and what became of how many."""

    after: int
    images: int
    quarantined: int


def _batch(
    stores: Stores,
    run: Run,
    open_pipeline: Callable[[], Pipeline],
    settings: Settings,
    pool: ThreadPoolExecutor,
    after: int,
) -> _Done | None:
    """The next batch after that image; None when there is none."""
    with stores.engine.begin() as db:
        claimed = images.claim_undescribed(db, stores.model_id, after, settings.batch_size)
        if not claimed:
            return None
        with about(batch=claimed[0].image_id):
            read = pool.map(lambda c: _read(c, stores.previews, settings.max_bytes), claimed)
            outcomes = _outcomes(claimed, list(read), open_pipeline())
        rejected = {i: r for i, r in outcomes.items() if isinstance(r, ImageRejected)}
        done = {i: r for i, r in outcomes.items() if not isinstance(r, ImageRejected)}
        _save(db, stores, run, claimed, done, rejected)
    with about(batch=claimed[0].image_id):
        _say(claimed, done, rejected)
    return _Done(claimed[-1].image_id, len(done), len(rejected))


def _say(
    claimed: Sequence[Claimed],
    done: Mapping[int, Processed],
    rejected: Mapping[int, ImageRejected],
) -> None:
    _LOG.info("%d images are fingerprinted, %d quarantined", len(done), len(rejected))
    metrics.add("ris.images", len(done), stage="fingerprint")
    for c in claimed:
        if why := rejected.get(c.image_id):
            metrics.add("ris.quarantined", 1, reason=str(why.reason))
            known = {"image_id": c.image_id, "sha256": c.sha256, "reason": str(why.reason)}
            _LOG.info("image %d is quarantined: %s", c.image_id, why.detail, extra=known)


def _read(claimed: Claimed, previews: Previews, max_bytes: int) -> bytes | ImageRejected:
    """The image's own bytes from wherever they still are; for an image that is fingerprinted
    already, and needs but another descriptor, its preview will do."""
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
    kept = None if claimed.new else previews.read(claimed.sha256)
    return kept or rejected


def _outcomes(
    claimed: Sequence[Claimed], read: Sequence[bytes | ImageRejected], pipeline: Pipeline
) -> dict[int, Result]:
    """Image id → what became of it; the pipeline sees only those that could be read."""
    results = iter(run_each(pipeline, [data for data in read if isinstance(data, bytes)]))
    return {
        c.image_id: next(results) if isinstance(data, bytes) else data
        for c, data in zip(claimed, read, strict=True)
    }


def _save(
    db: Connection,
    stores: Stores,
    run: Run,
    claimed: Sequence[Claimed],
    done: Mapping[int, Processed],
    rejected: Mapping[int, ImageRejected],
) -> None:
    new = [c for c in claimed if c.new and c.image_id in done]
    # Pictures first: a row that says "ok" must not lack its preview.
    for c in new:
        stores.previews.write(c.sha256, done[c.image_id].preview)
    images.save_fingerprints(db, {c.image_id: done[c.image_id].fingerprint for c in new})
    images.quarantine(db, rejected, run.judged_by)
    found = {i: Descriptors(r.regions, r.descriptors, r.commonness) for i, r in done.items()}
    descriptors.save(db, stores.model_id, found)
