"""Pairs that look alike without being copies: kept, with the reason, and out of families."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ris_jobs.fingerprint import Fingerprint
from ris_jobs.match.alignment import Alignment

__all__ = ["LOOK_ALIKE", "LOW_COMPLEXITY", "TINY", "likenesses", "look_alike", "suppression"]

LOW_COMPLEXITY = "low-complexity"
# Of 600 photos re-encoded as 128-pixel thumbnails the plainest has 0.14 of its blocks in support;
# flat fields, linear and radial gradients and noise on a flat field have none.
_SUPPORT = 0.08
# Where previews are gone: of 1,500 photos one lies below.
_COMPLEXITY = 0.1
TINY = 16
"""Pixels: what has a shorter side is of low complexity."""

LOOK_ALIKE = "look-alike"
# Of 7,984 pairs of forms, screens, logos, placeholders and captioned drawings that were made to fit
# and to measure probabilities 165 reach 0.5, and 16 are left: what has little but plain places, as
# placeholders do, needs more. Of 1,223 copies as common and plain 44 are lost.
_COMMON, _PLAIN, _SURE = 0.32, 0.15, 0.85
_BARE, _SURER = 0.7, 0.95
# What is drawn around another picture must be surer still, and is none where that is a quarter.
# Of 950 screens and frames with other photos 78 reach 0.5 and 45 are left, of 4,755 copies 9 are
# lost to it.
_FILLED = 0.3
# Parallax that another view of a scene reaches: 208 of 215, and 12 of 2,673 verified copies.
_VIEW = 0.4


def suppression(
    first: Fingerprint,
    second: Fingerprint,
    alignment: Alignment,
    features: Mapping[str, float],
    probability: float,
) -> str | None:
    """Why a confirmed pair must not count as a copy, or None; it is kept with its reason, however
    improbable. Flat fields, gradients and tiny pictures look alike whatever their history;
    pictures that are drawn share their form with many others, and need to be surer copies than
    others. ``features`` and ``probability`` (0–1) are those of the pair."""
    if min(first.width, first.height, second.width, second.height) < TINY:
        return LOW_COMPLEXITY
    if alignment.pixels is not None and alignment.pixels.support < _SUPPORT:
        return LOW_COMPLEXITY
    plain = min(first.quality.complexity, second.quality.complexity) < _COMPLEXITY
    if alignment.pixels is None and plain:
        return LOW_COMPLEXITY
    return LOOK_ALIKE if look_alike(features, probability) else None


def look_alike(features: Mapping[str, float], probability: float) -> bool:
    """Whether a pair looks alike in one of the ways of :func:`likenesses`."""
    return any(likenesses(features, probability))


def likenesses(features: Mapping[str, float], probability: float) -> Iterator[str]:
    """How two pictures look alike that are not clearly copies: ``drawn``, both of a common kind and
    plain in many places, as drawn ones and some photos are; ``filled``, one drawn thing with
    another picture in it; ``parallax``, two views of one scene."""
    plain = features.get("plain", 0.0)
    drawn = features["common"] >= _COMMON and plain >= _PLAIN
    if drawn and probability < (_SURE if plain < _BARE else _SURER):
        yield "drawn"
    filled = features.get("filled", 0.0)
    if filled == 1 or (filled >= _FILLED and probability < _SURER):
        yield "filled"
    if features.get("parallax", 0.0) >= _VIEW:
        yield "parallax"
