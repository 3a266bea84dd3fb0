"""Which images relate, how, in which direction, and how sure that is.

candidates (near in descriptor space) → rerank (perceptual hashes in eight orientations) →
pixels (aligned previews, only where hashes leave doubt or a relation must be told) →
keypoints (only where neither whole picture lies on or inside the other) → probability →
relation and direction → suppression. Entry points:
:func:`ris_jobs.match.judge.judge`, from two sides and their cosine to a :class:`Match`, or
None where nothing speaks for a copy, and :func:`ris_jobs.match.judge.judge_many` for a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ris_jobs.fingerprint import Fingerprint

__all__ = ["Candidate", "Match", "Relation", "Side"]


class Relation(StrEnum):
    """How the derived image came from its source. The values are stored and exported."""

    IDENTICAL = "identical"
    RECOMPRESSED = "recompressed"
    THUMBNAIL = "thumbnail"
    UPSCALED = "upscaled"
    CROP = "crop"
    PADDED = "padded"
    COMPOSITE = "composite"
    MIRRORED = "mirrored"
    ROTATED = "rotated"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class Side:
    """One image of a pair; ``first_seen_at`` is when this system first saw the bytes anywhere.
    ``commonness`` says of each of its described parts how near it is to what everybody has, as
    :meth:`ris_jobs.fingerprint.descriptor.Descriptor.commonness`."""

    image_id: int
    sha256: str
    fingerprint: Fingerprint
    first_seen_at: datetime
    commonness: Sequence[float] = (0.0,)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two image ids near in descriptor space; ``image_id < other_id``, ``cosine`` in −1…1 that
    of the two ``parts`` that are nearest (0 the whole picture, then its regions in their order).
    ``rank`` counts the images that are nearer to the one than the other is, 0 for the nearest."""

    image_id: int
    other_id: int
    cosine: float
    rank: int = 0
    parts: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Match:
    """One verified pair, written derived → source.

    ``probability`` 0–1 that the pair is a copy, calibrated. ``hash_distance`` is the pHash
    Hamming distance (0–64) in the best orientation. ``inliers`` counts geometrically verified
    keypoints, None where they were not asked or say something else. ``scale`` is derived size /
    source size (linear). ``orientation`` is the EXIF value (1–8) of the transform that turns the
    source upright picture into the derived one. ``box`` is (x0, y0, x1, y1) as fractions, for
    crops, paddings and composites. ``suppressed`` is None or the reason. ``evidence`` holds
    every score the decision was made from.
    """

    derived_id: int
    source_id: int
    relation: Relation
    probability: float
    cosine: float
    hash_distance: int
    inliers: int | None
    scale: float
    orientation: int
    box: tuple[float, float, float, float] | None
    suppressed: str | None
    evidence: Mapping[str, Any]
