"""Images described by a second model, of an open reindex, as soon as the first could."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ris_jobs.errors import ImageRejected, Unavailable
from ris_jobs.jobs.models import Beside, open_pipeline
from ris_jobs.jobs.poison import run_each
from ris_jobs.store import descriptors
from ris_jobs.store.descriptors import Descriptors

if TYPE_CHECKING:
    from ris_jobs.fingerprint.pipeline import Pipeline, Result

__all__ = ["Second", "described"]

_LOG = logging.getLogger("ris_jobs")


class Second:
    """Where its model cannot be loaded, or fails at every picture, the night goes on without it."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._pipeline: Pipeline | None = None
        self._usable = True

    def describe(self, db: Connection, at_hand: Mapping[int, bytes]) -> None:
        """``at_hand``: image id → its bytes."""
        if (pipeline := self._opened()) and (results := self._run(pipeline, at_hand)):
            descriptors.save(db, self._beside.stores.model_id, described(results))

    def _run(self, pipeline: Pipeline, at_hand: Mapping[int, bytes]) -> dict[int, Result]:
        try:
            return dict(zip(at_hand, run_each(pipeline, [*at_hand.values()]), strict=True))
        except Exception as e:
            self._leave_out(e)
            return {}

    def _opened(self) -> Pipeline | None:
        if self._pipeline is None and self._usable:
            try:
                self._pipeline = open_pipeline(self._beside.settings)
            except Unavailable as e:
                self._leave_out(e)
        return self._pipeline

    def _leave_out(self, why: Exception) -> None:
        _LOG.warning("the model of the open reindex is left out: %s", why)
        self._pipeline, self._usable = None, False


def described(results: Mapping[int, Result]) -> dict[int, Descriptors]:
    """Of those that could be used."""
    return {
        i: Descriptors(r.regions, r.descriptors, r.commonness)
        for i, r in results.items()
        if not isinstance(r, ImageRejected)
    }
