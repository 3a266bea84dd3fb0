"""Describe by a second model what a first one described: nights, while a reindex is open."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ris_jobs.errors import ImageRejected, Unavailable
from ris_jobs.jobs.models import Beside, open_pipeline
from ris_jobs.store import descriptors
from ris_jobs.store.descriptors import Descriptors
from ris_jobs.store.images import Claimed

if TYPE_CHECKING:
    from ris_jobs.fingerprint.pipeline import Pipeline, Result

_LOG = logging.getLogger("ris_jobs")


class Second:
    """Describes images by another model once the first could; where it cannot be loaded, the night
    goes on without it."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._pipeline: Pipeline | None = None
        self._usable = True

    def describe(
        self,
        db: Connection,
        claimed: Sequence[Claimed],
        read: Sequence[bytes | ImageRejected],
        outcomes: dict[int, Result],
    ) -> None:
        at_hand = {
            c.image_id: data
            for c, data in zip(claimed, read, strict=True)
            if isinstance(data, bytes) and not isinstance(outcomes[c.image_id], ImageRejected)
        }
        if pipeline := self._opened():
            results = pipeline.run([*at_hand.values()])
            found = dict(zip(at_hand, results, strict=True))
            descriptors.save(db, self._beside.stores.model_id, described(found))

    def _opened(self) -> Pipeline | None:
        if self._pipeline is None and self._usable:
            try:
                self._pipeline = open_pipeline(self._beside.settings)
            except Unavailable as e:
                _LOG.warning("the model of the open reindex is left out: %s", e)
                self._usable = False
        return self._pipeline


def described(results: Mapping[int, Result]) -> dict[int, Descriptors]:
    """Of those that could be used."""
    return {
        i: Descriptors(r.regions, r.descriptors, r.commonness)
        for i, r in results.items()
        if not isinstance(r, ImageRejected)
    }
