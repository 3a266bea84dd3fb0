"""Erase: forget an image on demand, and that for good."""

from __future__ import annotations

from dataclasses import dataclass

from ris_jobs.errors import NotFound
from ris_jobs.jobs.lookup import known
from ris_jobs.jobs.models import serving_stores
from ris_jobs.jobs.resolve import look_again
from ris_jobs.jobs.words import reason, reviewer
from ris_jobs.settings import Settings
from ris_jobs.store import matches, serving, upkeep


@dataclass(frozen=True, slots=True)
class Erased:
    """The image that was erased, at the URI it was named by or that stands for it."""

    uri: str
    sha256: str
    by: str
    why: str
    allow_return: bool


def erase(
    settings: Settings, name: str, why: str, by: str | None, *, allow_return: bool = False
) -> Erased:
    """Erase hashes, descriptors, vectors, hits, preview and fetched bytes of an image, named as for
    :func:`ris_jobs.jobs.explain`. That it was seen, and which matches it had, stays. The same
    bytes are not fingerprinted again unless they may return.

    Killed half-way, ``ris upkeep`` or the same again removes the rest. Raises :class:`NotFound`.
    """
    why, who = reason(why), reviewer(by)
    with serving_stores(settings) as (settings, stores):
        with stores.engine.begin() as db:
            image = known(db, settings, name)
            if not image.sha256:
                raise NotFound(f"{name!r} could not be read, so nothing of it is kept")
            upkeep.hold(db, image.image_id)
            matches.lock(db)
            erasure = upkeep.erase(db, image.image_id, who, why, allow_return=allow_return)
            look_again(db, [image.image_id], None, because={"erasure": erasure})
            models = serving.indexed_models(db)
        for served in models:
            own = served.model_id == stores.model_id
            vectors = stores.vectors if own else stores.vectors.beside(served.model)
            vectors.delete([image.image_id])
        stores.previews.delete(image.sha256)
        stores.fetched.drop(image.sha256)
    return Erased(image.uri, image.sha256, who, why, allow_return)
