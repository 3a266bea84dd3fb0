"""Which image came first: families around one source, and the verdict on it.

Entry point: :func:`ris_jobs.provenance.families.resolve`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Family", "ImageFacts", "Pair", "Verdict"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A verified, unsuppressed match as provenance sees it. ``directed`` is False when the
    evidence did not say which image is derived."""

    derived_id: int
    source_id: int
    relation: str
    probability: float
    directed: bool


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of one image apart from its pairs. ``camera`` is True when the file claims
    a camera (EXIF Make or Model); ``first_seen_at`` is when this system first saw the bytes."""

    width: int
    height: int
    format: str
    first_seen_at: datetime
    camera: bool

    @property
    def pixels(self) -> int:
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who came first. ``source_id`` is None when undetermined; ``confidence`` 0–1, 0 when
    undetermined. ``reasons`` are sentences that begin with ``for:``, ``against:`` or
    ``missing:``."""

    source_id: int | None
    confidence: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """Images tied to one representative by direct verified matches, never through chains.

    ``anchor_id`` is the image every member is directly matched to; ``members`` holds the
    anchor and the others, sorted.
    """

    anchor_id: int
    members: tuple[int, ...]
    verdict: Verdict
