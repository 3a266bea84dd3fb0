"""Fingerprint: decode, hash and describe every image that lacks it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ris_jobs import metrics
from ris_jobs.errors import ImageRejected
from ris_jobs.jobs.fetched import drop_judged
from ris_jobs.jobs.index import index
from ris_jobs.jobs.models import Beside
from ris_jobs.jobs.pace import Pace
from ris_jobs.jobs.patience import patiently
from ris_jobs.jobs.poison import run_each, save_each
from ris_jobs.jobs.reading import WEB, Reader
from ris_jobs.jobs.second import Second, described
from ris_jobs.logs import about
from ris_jobs.progress import Progress
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, images, matches, sources
from ris_jobs.store.images import Claimed
from ris_jobs.store.previews import Previews
from ris_jobs.store.runs import Run
from ris_jobs.store.stores import Stores

if TYPE_CHECKING:
    from ris_jobs.fingerprint.pipeline import Pipeline, Processed, Result

_LOG = logging.getLogger("ris_jobs")


@dataclass(slots=True)
class Fingerprinted:
    """What was done, and the seconds spent inside the pipeline's stages. ``undescribed`` images are
    fingerprinted, and stay so, but could not be described now."""

    images: int = 0
    quarantined: int = 0
    undescribed: int = 0
    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)

    def add(self, done: _Done) -> None:
        self.images += done.images
        self.quarantined += done.quarantined
        self.undescribed += done.undescribed


def fingerprint(
    stores: Stores,
    run: Run,
    open_pipeline: Callable[[], Pipeline],
    settings: Settings,
    progress: Progress,
    *,
    beside: Beside | None = None,
    new: bool = True,
    of: images.Sources = None,
    pace: Pace | None = None,
) -> Fingerprinted:
    """Work through all pending images batch by batch, then put the new vectors into Milvus.

    ``open_pipeline`` is called only when an image is waiting: it may take seconds. What is
    described here is described by the model ``beside``, too. Unless ``new``, images that were
    never fingerprinted are left alone; ``of`` are the sources whose images are taken.
    """
    started = time.perf_counter()
    total, pace = Fingerprinted(), pace or Pace()
    with stores.engine.connect() as db:
        pending = images.count_pending(db, of) if new else 0
        undescribed = images.count_undescribed(db, stores.model_id, of)
        reader = Reader(sources.readable(db), stores.fetched, settings.max_bytes)
    loaded = cache(open_pipeline)
    second = Second(beside) if beside else None
    with (
        progress.stage("fingerprint", pending + undescribed) as advance,
        ThreadPoolExecutor(settings.threads) as pool,
    ):
        work = _Work(stores, run, loaded, settings, reader, pool, second)
        for claim in _claims(stores.model_id, of, pending, undescribed):
            for done in _batches(work, claim, pace, total):
                advance(done.images + done.quarantined + done.undescribed)
    index(stores, settings.patience)
    if beside:
        index(beside.stores, settings.patience)
    total.stages = dict(loaded().stages) if loaded.cache_info().currsize else {}
    total.seconds = time.perf_counter() - started
    return total


@dataclass(frozen=True, slots=True)
class _Work:
    """What all batches share."""

    stores: Stores
    run: Run
    open_pipeline: Callable[[], Pipeline]
    settings: Settings
    reader: Reader
    pool: ThreadPoolExecutor
    second: Second | None


@dataclass(frozen=True, slots=True)
class _Done:
    """A batch that is committed: its last image's id, and what became of how many."""

    after: int
    images: int
    quarantined: int
    undescribed: int


_Claim = Callable[[Connection, int, int], list[Claimed]]


def _claims(model_id: int, of: images.Sources, pending: int, undescribed: int) -> Iterator[_Claim]:
    """Only where something waits: that no image lacks a descriptor is seen by going through all."""
    if pending:
        yield lambda db, after, limit: images.claim_pending(db, after, limit, of)
    if undescribed:
        yield lambda db, after, limit: images.claim_undescribed(db, model_id, after, limit, of)


def _batches(work: _Work, claim: _Claim, pace: Pace, total: Fingerprinted) -> Iterator[_Done]:
    """Batch by batch, added to the total, each once it is committed."""
    after = 0
    while size := pace.next(work.settings.batch_size, total.images):
        done = patiently(partial(_batch, work, claim, after, size), work.settings.patience)
        if done is None:
            break
        after = done.after
        total.add(done)
        yield done
        pace.rest()


def _batch(work: _Work, claim: _Claim, after: int, size: int) -> _Done | None:
    """The next batch after that image; None when there is none."""
    stores = work.stores
    with stores.engine.begin() as db:
        claimed = claim(db, after, size)
        if not claimed:
            return None
        with about(batch=claimed[0].image_id):
            read = [*work.pool.map(partial(_read, stores.previews, work.reader), claimed)]
            outcomes = _outcomes(claimed, read, work.open_pipeline())
        rejected = {i: r for i, r in outcomes.items() if isinstance(r, ImageRejected)}
        done = {i: r for i, r in outcomes.items() if not isinstance(r, ImageRejected)}
        _save(db, work, claimed, done, rejected)
        if work.second:
            work.second.describe(db, _at_hand(claimed, read, done))
    if work.settings.keep_fetched == 0:
        drop_judged(stores.engine, stores.fetched, _from_the_web(claimed))
    with about(batch=claimed[0].image_id):
        quarantined = _say(claimed, done, rejected)
    left = len(rejected) - quarantined
    return _Done(claimed[-1].image_id, len(done), quarantined, left)


def _say(
    claimed: Sequence[Claimed],
    done: Mapping[int, Processed],
    rejected: Mapping[int, ImageRejected],
) -> int:
    """Returns how many are quarantined: what was fingerprinted before is not, for want of its
    bytes."""
    failed = [(c, rejected[c.image_id]) for c in claimed if c.image_id in rejected]
    quarantined = sum(c.new for c, _ in failed)
    _LOG.info("%d images are fingerprinted, %d quarantined", len(done), quarantined)
    metrics.add("ris.images", len(done), stage="fingerprint")
    for c in claimed:
        known = {"image_id": c.image_id, "sha256": c.sha256}
        for lacking in done[c.image_id].lacking if c.image_id in done else ():
            _LOG.info("image %d lacks a trace: %s", c.image_id, lacking, extra=known)
    for c, why in failed:
        known = {"image_id": c.image_id, "sha256": c.sha256, "reason": str(why.reason)}
        said = "is quarantined" if c.new else "cannot be described"
        _LOG.info("image %d %s: %s", c.image_id, said, why.detail, extra=known)
        if c.new:
            metrics.add("ris.quarantined", 1, reason=str(why.reason))
    return quarantined


def _read(previews: Previews, reader: Reader, claimed: Claimed) -> bytes | ImageRejected:
    """The image's own bytes; for an image that is fingerprinted already, and needs but another
    descriptor, its preview will do."""
    read = reader.original(claimed)
    if isinstance(read, bytes) or claimed.new:
        return read
    return previews.read(claimed.sha256) or read


def _at_hand(
    claimed: Sequence[Claimed],
    read: Sequence[bytes | ImageRejected],
    done: Mapping[int, Processed],
) -> dict[int, bytes]:
    """Image id → bytes of those that could be used."""
    return {
        c.image_id: data
        for c, data in zip(claimed, read, strict=True)
        if isinstance(data, bytes) and c.image_id in done
    }


def _from_the_web(claimed: Sequence[Claimed]) -> list[str]:
    """sha256 of those whose bytes were fetched."""
    return [c.sha256 for c in claimed if any(uri.startswith(WEB) for uri in c.uris)]


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
    work: _Work,
    claimed: Sequence[Claimed],
    done: dict[int, Processed],
    rejected: dict[int, ImageRejected],
) -> None:
    """Images that PostgreSQL refuses go from ``done`` to ``rejected``."""
    stores = work.stores
    new = [c for c in claimed if c.new and c.image_id in done]
    returned = [c for c in claimed if c.retired and c.image_id in done]
    # Pictures first: a row that says "ok" must not lack its preview.
    for c in (*new, *returned):
        stores.previews.write(c.sha256, done[c.image_id].preview)
    refused = save_each(db, {c.image_id: done[c.image_id].fingerprint for c in new})
    for image_id in refused:
        del done[image_id]
    rejected |= refused
    matches.reopen(db, [c.image_id for c in new if c.image_id in done])
    images.quarantine(db, rejected, work.run.judged_by)
    images.unretire(db, [c.image_id for c in returned])
    descriptors.save(db, stores.model_id, described(done))
