"""Which image came first: families around one source, and the verdict on it.

Entry point: :func:`ris_jobs.provenance.families.resolve`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from ris_jobs.fingerprint import Traces
from ris_jobs.match.containment import Box, Surround
from ris_jobs.match.remade import Remade

__all__ = ["Family", "ImageFacts", "Pair", "Ruling", "Verdict"]

_CAMERA = frozenset({"Make", "Model"})


@dataclass(frozen=True, slots=True)
class Pair:
    """A verified, unsuppressed match as provenance sees it.

    ``claims`` name what calls the derived image derived, ``counterclaims`` what calls the source
    so (:class:`ris_jobs.match.direction.Direction`). ``scale`` is derived size / source size
    (linear) of what both show; ``inner`` is ``derived`` or ``source`` where one whole picture lies
    inside the other, ``box`` where (fractions), and ``around`` what is around it there;
    ``mirrored``: turned or mirrored; ``changed``: its content differs, ``recoloured``: its colours
    do. ``remade`` is of the derived image and the source, in this order; None where it was not
    looked for.
    """

    derived_id: int
    source_id: int
    relation: str
    probability: float
    claims: tuple[str, ...] = ()
    counterclaims: tuple[str, ...] = ()
    scale: float = 1.0
    inner: str | None = None
    box: Box | None = None
    around: Surround | None = None
    mirrored: bool = False
    changed: bool = False
    recoloured: bool = False
    remade: Remade | None = None


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of one image apart from its pairs; ``first_seen_at`` is when this system first
    saw the bytes. ``published_on`` and ``modified_on`` are the earliest days (ISO 8601; empty:
    none) on which pages claim it was published, and sources that its file was changed."""

    sha256: str
    width: int
    height: int
    first_seen_at: datetime
    traces: Traces
    published_on: str = ""
    modified_on: str = ""

    @property
    def side(self) -> float:
        """The side of a square with as many pixels."""
        return math.sqrt(self.width * self.height)

    @property
    def camera(self) -> bool:
        """Whether the file claims a camera."""
        return not _CAMERA.isdisjoint(self.traces.metadata)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A reviewer's word on the family of ``member_id``: its source, None for undetermined."""

    member_id: int
    source_id: int | None
    who: str
    why: str


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
