"""A batch that cannot be taken as a whole: which of its images, or pairs, is to blame?"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from PIL import Image
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from ris_jobs.errors import ImageRejected, Reason, Unavailable
from ris_jobs.fingerprint import Fingerprint
from ris_jobs.match import Candidate, Match
from ris_jobs.match.examine import Reached
from ris_jobs.store import images

if TYPE_CHECKING:
    from ris_jobs.fingerprint.pipeline import Pipeline, Result

__all__ = ["judge_each", "run_each", "save_each"]

_LOG = logging.getLogger("ris_jobs")
# More pairs of a batch than this do not fail by themselves: something else is wrong.
_FEW = 3


def run_each(pipeline: Pipeline, files: Sequence[bytes]) -> list[Result]:
    """One result for each file, in order. Where the pipeline raises, each file goes through it
    alone, and those that make it raise are rejected; unless it raises for a plain picture too: then
    they are not to blame, and what it raised goes on."""
    try:
        return pipeline.run(files)
    except Unavailable:
        raise
    except Exception as error:
        _LOG.warning("a batch of %d images failed (%s): one by one", len(files), _said(error))
        pipeline.run([_plain()])
        return [_alone(pipeline, data) for data in files]


def _alone(pipeline: Pipeline, data: bytes) -> Result:
    try:
        return pipeline.run([data])[0]
    except Unavailable:
        raise
    except Exception as error:
        return ImageRejected(Reason.FAILED, f"the model failed at it: {_said(error)}")


def save_each(db: Connection, found: Mapping[int, Fingerprint]) -> dict[int, ImageRejected]:
    """Save fingerprints by image id. Where PostgreSQL refuses them, each is saved alone, and those
    that it refuses come back, rejected: what is in them was found by processes that hostile files
    may have taken over."""
    try:
        with db.begin_nested():
            images.save_fingerprints(db, found)
        return {}
    except (DataError, IntegrityError) as error:
        said = str(error.orig).partition("\n")[0]
        if len(found) == 1:
            why = ImageRejected(Reason.FAILED, f"what was found in it cannot be stored: {said}")
            return dict.fromkeys(found, why)
        _LOG.warning("%d images cannot be stored together (%s): one by one", len(found), said)
    alone = [save_each(db, {i: fingerprint}) for i, fingerprint in found.items()]
    return {i: why for refused in alone for i, why in refused.items()}


def judge_each(
    judge: Callable[[Sequence[Candidate], Reached], Iterable[Match]],
    candidates: Sequence[Candidate],
    reached: Reached,
) -> tuple[list[Match], int]:
    """The matches among the candidates, and how many could not be judged: these are logged and left
    out, unless they are more than a few, for then what was raised goes on. How far candidates came
    is added to ``reached``, once for each, however often it was tried."""
    found: list[Match] = []
    failed = 0
    parts = [candidates]
    while parts:
        part, came = parts.pop(), Reached()
        try:
            # All of it, or nothing: what it gave before it raised is judged again.
            matches = list(judge(part, came))
        except (Unavailable, DBAPIError):
            raise
        except Exception as error:
            if len(part) > 1:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
                continue
            failed += 1
            if failed > _FEW:
                raise
            known = {"image_id": part[0].image_id, "other_id": part[0].other_id}
            _LOG.error("a pair could not be judged: %s", _said(error), exc_info=True, extra=known)
        else:
            found += matches
            reached.add(came)
    return found, failed


def _plain() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 64).save(file, "PNG")
    return file.getvalue()


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
