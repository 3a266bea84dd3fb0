"""How far a pair of images comes on its way to a match, and what stops it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ris_jobs.match import Candidate
from ris_jobs.match.alignment import Alignment
from ris_jobs.match.calibration import Calibration
from ris_jobs.match.compared import Compared
from ris_jobs.match.describe import Scored
from ris_jobs.match.examine import (
    LoadKeypoints,
    LoadPreview,
    Previews,
    Reached,
    alignment_of,
    examined,
)
from ris_jobs.match.rerank import HashDistance

__all__ = ["Ruling", "Stop", "rule"]


class Stop(StrEnum):
    """What keeps a pair from being a match."""

    FAR = "far"
    UNALIGNED = "unaligned"
    IMPROBABLE = "improbable"


@dataclass(frozen=True, slots=True)
class Ruling:
    """``stop`` is None for a match. ``distance`` and ``alignment`` are of the pair ordered by
    sha256; ``alignment`` is None for a pair that is far, ``features`` and ``probability`` (0–1)
    for one that no alignment confirms."""

    stop: Stop | None
    distance: HashDistance
    alignment: Alignment | None
    features: Mapping[str, float] | None
    probability: float | None


def rule(
    candidate: Candidate,
    compared: Compared,
    *,
    calibration: Calibration,
    min_probability: float,
    load_preview: LoadPreview,
    load_keypoints: LoadKeypoints | None = None,
) -> Ruling:
    """What :func:`ris_jobs.match.judge.judge_many` makes of a candidate, step by step."""
    pair, distance = compared.pair(candidate), compared.distance(candidate)
    previews = Previews(load_preview, load_keypoints)
    search = calibration.search_cosine
    alignment = alignment_of(pair, candidate, distance, previews, search, Reached())
    if alignment is None or not alignment.held:
        reason = Stop.FAR if alignment is None else Stop.UNALIGNED
        return Ruling(reason, distance, alignment, None, None)
    seen = examined(candidate, pair, distance, alignment)
    scored = Scored.of(seen, calibration)
    stop = None if scored.kept(min_probability) else Stop.IMPROBABLE
    return Ruling(stop, distance, alignment, seen.features, scored.probability)
