"""Fingerprint: decode, hash and describe every image that lacks it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ris_jobs.errors import ImageRejected, Reason
from ris_jobs.jobs.fetched import drop_judged
from ris_jobs.jobs.index import index
from ris_jobs.jobs.reading import WEB, Reader
from ris_jobs.progress import Progress
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, images, sources
from ris_jobs.store.descriptors import Descriptors
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
) -> Fingerprinted:
    """Work through all pending images batch by batch, then put the new vectors into Milvus.

    ``open_pipeline`` is called only when an image is waiting: it may take seconds.
    """
    started = time.perf_counter()
    total = Fingerprinted()
    with stores.engine.connect() as db:
        pending = images.count_undescribed(db, stores.model_id)
        reader = Reader(sources.readable(db), stores.fetched, settings.max_bytes)
    with (
        progress.stage("fingerprint", pending) as advance,
        ThreadPoolExecutor(settings.threads) as pool,
    ):
        after, pipeline = 0, None
        while True:
            with stores.engine.begin() as db:
                claimed = images.claim_undescribed(db, stores.model_id, after, settings.batch_size)
                if not claimed:
                    break
                pipeline = pipeline or open_pipeline()
                read = pool.map(lambda c: _read(c, stores.previews, reader), claimed)
                _save(db, stores, run, claimed, _outcomes(claimed, list(read), pipeline), total)
            if settings.keep_fetched == 0:
                drop_judged(stores.engine, stores.fetched, _from_the_web(claimed))
            after = claimed[-1].image_id
            advance(len(claimed))
    index(stores)
    total.stages = dict(pipeline.stages) if pipeline else {}
    total.seconds = time.perf_counter() - started
    return total


def _read(claimed: Claimed, previews: Previews, reader: Reader) -> bytes | ImageRejected:
    """The image's own bytes from wherever they still are; for an image that is fingerprinted
    already, and needs but another descriptor, its preview will do."""
    rejected = ImageRejected(Reason.VANISHED, "it was seen, but is no longer there")
    for uri in claimed.uris:
        try:
            data = reader.read(uri, claimed.sha256)
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


def _from_the_web(claimed: Sequence[Claimed]) -> list[str]:
    """sha256 of those whose bytes were fetched."""
    return [c.sha256 for c in claimed if any(uri.startswith(WEB) for uri in c.uris)]


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
    # Pictures first: a row that says "ok" must not lack its preview.
    for c in new:
        stores.previews.write(c.sha256, done[c.image_id].preview)
    images.save_fingerprints(db, {c.image_id: done[c.image_id].fingerprint for c in new})
    images.quarantine(db, rejected, run.judged_by)
    found = {i: Descriptors(r.regions, r.descriptors, r.commonness) for i, r in done.items()}
    descriptors.save(db, stores.model_id, found)
    total.images += len(done)
    total.quarantined += len(rejected)
