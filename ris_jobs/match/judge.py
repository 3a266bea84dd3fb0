"""The verdict on a pair: a typed, directed match with its evidence, or None."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ris_jobs.match import Candidate, Match, Side
from ris_jobs.match.alignment import Alignment, align
from ris_jobs.match.calibration import Calibration
from ris_jobs.match.candidates import HASH_COSINE
from ris_jobs.match.describe import Scored, describe
from ris_jobs.match.direction import linear_ratio
from ris_jobs.match.enlarged import is_enlarged
from ris_jobs.match.pixels import View, view
from ris_jobs.match.probability import features, probability
from ris_jobs.match.rerank import HashDistance, hash_distances

__all__ = [
    "HASHES_NEAR",
    "HASHES_SURE",
    "SEARCHED",
    "LoadPreview",
    "hashes_near",
    "judge",
    "judge_many",
]

LoadPreview = Callable[[int], npt.NDArray[np.uint8] | None]
"""From an image id to its preview, uint8 (h, w, 3), or None when it is gone."""

# pHash and dHash together. Within the first the pixels are looked at whatever the cosine; within
# the second hashes stand alone where previews are gone. Of 404,550 pairs of different photos
# 1.2 % lie within the first and none within the second (the nearest at 27).
HASHES_NEAR = 40
HASHES_SURE = 24
# PDQ distance within which the pixels are looked at too: what makes a candidate of its own.
_PDQ_NEAR = round(128 * (1 - HASH_COSINE))
# One picture is sought inside another only among an image's nearest: that costs milliseconds a
# pair, and an image has up to top_k candidates, most of which merely look alike.
SEARCHED = 12
# Reduced previews kept in memory while a batch is judged, about 0.3 MB each.
_VIEWS = 512


def judge(
    a: Side,
    b: Side,
    cosine: float,
    *,
    calibration: Calibration,
    min_probability: float,
    load_preview: LoadPreview,
) -> Match | None:
    """The match of two different images, the same whichever comes first; None where nothing
    confirms a copy or its probability (0–1) is below ``min_probability``. ``cosine`` −1…1 is
    that of their descriptors; previews are loaded only if hashes or cosine ask for them."""
    found = judge_many(
        [Candidate(a.image_id, b.image_id, cosine)],
        {a.image_id: a, b.image_id: b},
        calibration=calibration,
        min_probability=min_probability,
        load_preview=load_preview,
    )
    return next(found, None)


def judge_many(
    candidates: Sequence[Candidate],
    sides: Mapping[int, Side],
    *,
    calibration: Calibration,
    min_probability: float,
    load_preview: LoadPreview,
) -> Iterator[Match]:
    """:func:`judge` for many candidates: hashes are compared all at once, and each preview is
    reduced once as long as candidates of one image stand together."""
    previews = _Previews(load_preview)
    pairs = [_ordered(sides[c.image_id], sides[c.other_id]) for c in candidates]
    distances = hash_distances([(a.fingerprint.hashes, b.fingerprint.hashes) for a, b in pairs])
    for candidate, pair, distance in zip(candidates, pairs, distances, strict=True):
        scored = _score(*pair, candidate, distance, previews, calibration)
        if scored is not None and scored.probability >= min_probability:
            yield describe(*pair, scored, enlarged=_enlarged(*pair, scored.alignment, previews))


def hashes_near(distance: HashDistance) -> bool:
    """Whether hashes alone are reason enough to look at the pixels."""
    return distance.combined <= HASHES_NEAR or distance.pdq <= _PDQ_NEAR


def _ordered(a: Side, b: Side) -> tuple[Side, Side]:
    # One order for every measure below, so that nothing depends on which side came first.
    return (a, b) if a.sha256 <= b.sha256 else (b, a)


class _Previews:
    """Previews as they are stored, and reduced to what is compared."""

    def __init__(self, load: LoadPreview) -> None:
        self.load = load
        self.view = lru_cache(maxsize=_VIEWS)(self._view)

    def _view(self, image_id: int) -> View | None:
        preview = self.load(image_id)
        return None if preview is None else view(preview)


def _score(
    first: Side,
    second: Side,
    candidate: Candidate,
    distance: HashDistance,
    previews: _Previews,
    calibration: Calibration,
) -> Scored | None:
    """Cheap tests first; None for a pair that they rule out or that no alignment confirms."""
    cosine = candidate.cosine
    search = candidate.rank < SEARCHED and cosine >= calibration.search_cosine
    if not hashes_near(distance) and not search:
        return None
    views = (previews.view(first.image_id), previews.view(second.image_id))
    alignment = _align(*views, distance, search)
    if not alignment.held:
        return None
    parts = candidate.parts if first.image_id == candidate.image_id else candidate.parts[::-1]
    found = features((first, second), parts, cosine, distance, alignment)
    chance = probability(found, calibration)
    return Scored(cosine, parts, distance, alignment, found, chance, calibration)


def _align(
    first: View | None, second: View | None, distance: HashDistance, search: bool
) -> Alignment:
    if first is None or second is None:
        return Alignment(distance.orientation, None, None, distance.combined <= HASHES_SURE)
    return align(first, second, distance.orientation, search=search)


def _enlarged(first: Side, second: Side, alignment: Alignment, previews: _Previews) -> bool:
    if alignment.inside is not None:
        return False
    one, two = first.fingerprint, second.fingerprint
    larger = first if linear_ratio(one, two) > 1 else second
    return is_enlarged(one, two, lambda: previews.load(larger.image_id))
