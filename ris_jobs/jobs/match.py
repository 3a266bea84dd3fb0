"""Match: look up the neighbours of every new image, judge each pair, store what is a copy."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from ris_jobs import metrics
from ris_jobs.jobs.books import Apart, Book, Counted
from ris_jobs.jobs.index import complete
from ris_jobs.jobs.pace import Pace
from ris_jobs.jobs.patience import patiently
from ris_jobs.jobs.pictures import loaders, samples_of
from ris_jobs.jobs.poison import judge_each
from ris_jobs.logs import about
from ris_jobs.match import Candidate, Match, Side
from ris_jobs.match.calibration import Calibration
from ris_jobs.match.candidates import Described, grouped, pair_up
from ris_jobs.match.compared import Compared
from ris_jobs.match.examine import Reached
from ris_jobs.match.judge import LoadSamples, judge_many
from ris_jobs.match.kin import ROUNDS, kin
from ris_jobs.match.ranking import ranked_unsettled
from ris_jobs.progress import Progress
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, images, matches
from ris_jobs.store.images import Sources
from ris_jobs.store.previews import Previews
from ris_jobs.store.runs import Run
from ris_jobs.store.stores import Stores

_LOG = logging.getLogger("ris_jobs")
_BATCH = 256


@dataclass(slots=True)
class Matched(Reached):
    """Images looked up, how many of them ``matched`` another, candidate pairs, how many of these
    came how far or could not be judged, rows written, and the seconds that ``search`` and ``judge``
    took."""

    images: int = 0
    matched: int = 0
    candidates: int = 0
    failed: int = 0
    written: int = 0
    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=lambda: {"search": 0.0, "judge": 0.0})

    def take(self, batch: Matched) -> None:
        """What a batch came to as well."""
        self.add(batch)
        self.images += batch.images
        self.matched += batch.matched
        self.candidates += batch.candidates
        self.failed += batch.failed
        self.written += batch.written
        for stage, seconds in batch.stages.items():
            self.stages[stage] += seconds


def match(
    stores: Stores,
    run: Run,
    calibration: Calibration,
    settings: Settings,
    progress: Progress,
    *,
    apart: bool = False,
    of: Sources = None,
    pace: Pace | None = None,
) -> Matched:
    """Work through all images that were not matched yet, batch by batch. What is found counts,
    unless it is kept ``apart``, as that of a model beside the one that serves; ``of`` are the
    sources whose images are taken."""
    started = time.perf_counter()
    version = calibration.version
    book: Book = (
        Apart(stores.model_id, version, run.run_id)
        if apart
        else Counted(stores.model_id, version, run.run_id, settings.hub_limit)
    )
    total, pace = Matched(), pace or Pace()
    with stores.engine.connect() as db:
        pending = descriptors.count_unmatched(db, stores.model_id, of)
    work = _Work(stores, calibration, settings, book, of)
    with progress.stage("match", pending) as advance:
        while size := pace.next(_BATCH, total.images):
            done = patiently(partial(_batch, work, size), settings.patience)
            if done is None:
                break
            total.take(done)
            metrics.add("ris.images", done.images, stage="shadow match" if apart else "match")
            advance(done.images)
            pace.rest()
    total.seconds = time.perf_counter() - started
    return total


@dataclass(frozen=True, slots=True)
class _Work:
    """What all batches share."""

    stores: Stores
    calibration: Calibration
    settings: Settings
    book: Book
    of: Sources


def _batch(work: _Work, size: int) -> Matched | None:
    """What one batch came to, once it is committed; None when there is none."""
    stores, done = work.stores, Matched()
    with stores.engine.begin() as db:
        with complete(stores):
            claimed = descriptors.claim_unmatched(db, stores.model_id, size, work.of)
            if not claimed.ids:
                return None
            with _timed(done, "search"):
                candidates = _search(db, work, claimed)
        with about(batch=claimed.ids[0]), _timed(done, "judge"):
            found = _judge(db, work, claimed.ids, candidates, done)
        matches.lock(db)
        done.written = work.book.write(db, found, claimed.ids)
        descriptors.set_matched(db, stores.model_id, claimed.ids)
    copies = {i for m in found if not m.suppressed for i in (m.derived_id, m.source_id)}
    done.images, done.candidates = len(claimed.ids), len(candidates)
    done.matched = len(copies.intersection(claimed.ids))
    with about(batch=claimed.ids[0]):
        _LOG.info("%d images are looked up, %d pairs written", done.images, done.written)
    return done


def _search(db: Connection, work: _Work, claimed: Described) -> list[Candidate]:
    stores, settings = work.stores, work.settings
    # One neighbour more than asked for, as every image finds itself.
    searches = stores.vectors.neighbours(claimed, settings.top_k + 1)
    found = pair_up(
        searches,
        top_k=settings.top_k,
        min_cosine=settings.min_cosine,
        load=partial(descriptors.vectors, db, stores.model_id),
    )
    return grouped(found, {*claimed.ids})


def _judge(
    db: Connection, work: _Work, ids: Sequence[int], candidates: Sequence[Candidate], done: Matched
) -> list[Match]:
    """The nearest of the images that looked (``ids``), then what their matches lead to. How far
    candidates came is added to ``done``."""
    compared = compared_of(db, work.stores.model_id, candidates)
    means = Means.of(work.stores, work.calibration, work.settings)

    def judge(part: Sequence[Candidate], came: Reached) -> Iterator[Match]:
        return judged(part, compared, means, reached=came)

    left = ranked_unsettled(candidates, compared, {*ids})
    found, done.failed = judge_each(judge, left, done)
    known = work.book.known(db, [*compared.sides])
    for _ in range(ROUNDS):
        more, left = kin(left, found, known, ids)
        others, failed = judge_each(judge, more, done)
        found += others
        done.failed += failed
    return found


@contextmanager
def _timed(done: Matched, stage: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    done.stages[stage] += time.perf_counter() - started


def sides_of(db: Connection, model_id: int, candidates: Sequence[Candidate]) -> dict[int, Side]:
    """Both images of every candidate, as far as the tables have them, without their samples."""
    ids = {i for c in candidates for i in (c.image_id, c.other_id)}
    common = descriptors.commonness(db, model_id, ids)
    return {
        i: Side(i, s.sha256, s.fingerprint, s.first_seen_at, common[i])
        for i, s in images.by_ids(db, ids).items()
        if i in common
    }


def compared_of(db: Connection, model_id: int, candidates: Sequence[Candidate]) -> Compared:
    return Compared.of(candidates, sides_of(db, model_id, candidates))


@dataclass(frozen=True, slots=True)
class Means:
    """What pairs are judged with."""

    previews: Previews
    load_samples: LoadSamples
    calibration: Calibration
    settings: Settings

    @classmethod
    def of(cls, stores: Stores, calibration: Calibration, settings: Settings) -> Means:
        return cls(stores.previews, samples_of(stores.engine), calibration, settings)


def judged(
    candidates: Sequence[Candidate],
    compared: Compared,
    means: Means,
    *,
    pictures: Mapping[int, bytes] | None = None,
    reached: Reached | None = None,
) -> Iterator[Match]:
    """The candidates that are matches. Those that were not compared are left out: Milvus may
    briefly hold an image that PostgreSQL does not show yet. ``pictures`` are previews at hand; how
    far candidates came is added to ``reached``."""
    load_preview, load_keypoints = loaders(compared.sides, means.previews, pictures or {})
    return judge_many(
        [c for c in candidates if compared.has(c)],
        compared,
        calibration=means.calibration,
        min_probability=means.settings.min_probability,
        load_preview=load_preview,
        load_keypoints=load_keypoints,
        load_samples=means.load_samples,
        reached=reached,
        workers=means.settings.threads,
    )
