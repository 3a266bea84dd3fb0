"""Samples of images that were fingerprinted before these were taken, made up for some at a time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ris_jobs.errors import ImageRejected
from ris_jobs.fingerprint import Trace
from ris_jobs.fingerprint.decoder import Decoder
from ris_jobs.jobs.models import limits_of
from ris_jobs.jobs.reading import Reader
from ris_jobs.progress import Progress
from ris_jobs.settings import Settings
from ris_jobs.store import samples, sources
from ris_jobs.store.images import Claimed
from ris_jobs.store.stores import Stores

__all__ = ["MOST", "make_up"]

MOST = 20_000
"""Images that are looked at in one go."""


def make_up(stores: Stores, settings: Settings, progress: Progress) -> int:
    """Take the samples of at most :data:`MOST` images that lack one from their bytes, where these
    can still be read and used; a preview holds other pixels. Returns how many have one now. What
    was looked for in vain comes last the next time."""
    made, size = 0, settings.batch_size
    decoder = Decoder(
        max_pixels=settings.max_pixels, truncated=settings.truncated, limits=limits_of(settings)
    )
    with stores.engine.connect() as db:
        late = samples.late(db, MOST)
        reader = Reader(sources.readable(db), stores.fetched, settings.max_bytes)
    with (
        progress.stage("samples", len(late)) as advance,
        ThreadPoolExecutor(settings.threads) as pool,
    ):
        for start in range(0, len(late), size):
            with stores.engine.begin() as db:
                claimed = samples.claim_late(db, late[start : start + size])
                found = _taken(claimed, reader, decoder, pool)
                # Whose turn it is next says something only where there are more.
                again = len(late) == MOST
                samples.save_late(db, [c.image_id for c in claimed], found, again=again)
            made += len(found)
            advance(len(claimed))
    return made


def _taken(
    claimed: Sequence[Claimed], reader: Reader, decoder: Decoder, pool: ThreadPoolExecutor
) -> dict[int, bytes]:
    """Image id → sample, empty for a picture that has none. One that could not be taken is looked
    for in vain."""

    def sample(image: Claimed) -> bytes | None:
        data = reader.original(image)
        if isinstance(data, ImageRejected):
            return None
        try:
            decoded = decoder(data)
        except ImageRejected:
            return None
        failed = any(lacking.trace is Trace.SAMPLE for lacking in decoded.lacking)
        return None if failed else decoded.sample

    taken = zip(claimed, pool.map(sample, claimed), strict=True)
    return {c.image_id: found for c, found in taken if found is not None}
