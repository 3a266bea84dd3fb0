"""Pairs that look alike without being copies: kept, with the reason, and out of families."""

from __future__ import annotations

from ris_jobs.fingerprint import Fingerprint
from ris_jobs.match.alignment import Alignment

__all__ = ["suppression"]

LOW_COMPLEXITY = "low-complexity"
# Of 600 photos re-encoded as 128-pixel thumbnails the plainest has 0.14 of its blocks in support;
# flat fields, linear and radial gradients and noise on a flat field have none.
_SUPPORT = 0.08
# Where previews are gone: of 1,500 photos one lies below.
_COMPLEXITY = 0.1
_TINY = 16


def suppression(first: Fingerprint, second: Fingerprint, alignment: Alignment) -> str | None:
    """Why a pair must not count as a copy, or None: flat fields, gradients and tiny pictures
    look alike whatever their history."""
    if min(first.width, first.height, second.width, second.height) < _TINY:
        return LOW_COMPLEXITY
    if alignment.pixels is not None:
        return LOW_COMPLEXITY if alignment.pixels.support < _SUPPORT else None
    plain = min(first.quality.complexity, second.quality.complexity) < _COMPLEXITY
    return LOW_COMPLEXITY if plain else None
