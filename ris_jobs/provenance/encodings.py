"""What the encodings of two pictures of one frame say of which was made from the other."""

from __future__ import annotations

import math

from ris_jobs.fingerprint import Traces
from ris_jobs.fingerprint.requantised import QUALITIES
from ris_jobs.match.remade import Remade, Rounding

__all__ = ["added_detail", "coarser", "faded_colours", "generation", "ghost", "memory", "rounded", "same_pixels", "spread", "unfit"]

# Evidence of an earlier quality (nats a coefficient): what counts as one, and the least that tells
# of a quality that no relative has.
_REQUANTISED, _UNASKED = 0.03, 0.04
_NEAR, _COARSER = 2, 3
# Shares of blocks that fit: what chance may leave, what an edit of the rest leaves at least, and
# the least that lets the spread speak.
_CHANCE, _SOME, _MOST = 0.01, 0.15, 0.5
_SURE = 3.4
# Spreads of a JPEG that was rounded from the other, and of one that the other was made from.
_ROUNDED, _KEPT, _CLEARLY, _NONE = 0.9, 0.6, 1.25, 0.02
# Differences of detail (log10 of power) that are as clear as can be.
_FADED, _ADDED = 0.25, 0.15
# The share of blocks with the same pixels that no two encodings leave.
_SAME = 0.3


def coarser(one: Traces, two: Traces) -> float:
    """By how many times (log2) the first encoding leaves more error, at most ±2."""
    if one.coarseness is None or two.coarseness is None:
        return 0.0
    return min(max(one.coarseness - two.coarseness, -2.0), 2.0)


def faded_colours(one: Traces, two: Traces) -> float:
    """How much less detail the colours of the first have: each encoding takes some; −1 to 1."""
    return min(max((two.detail[1] - one.detail[1]) / _FADED, -1.0), 1.0)


def added_detail(one: Traces, two: Traces) -> float:
    """How much more fine detail the first has, as what is laid over brings; −1 to 1."""
    return min(max((one.detail[0] - two.detail[0]) / _ADDED, -1.0), 1.0)


def memory(one: Traces, two: Traces) -> float:
    """How far the first remembers the JPEG quality of the second: −1 (not at all) to 2."""
    quality = _quality(two)
    earlier = dict(zip(QUALITIES, one.requantised, strict=False))
    if quality not in earlier or abs((one.jpeg_quality or 0) - quality) < _NEAR:
        return 0.0
    return min(max(earlier[quality] / _REQUANTISED, -1.0), 2.0)


def ghost(one: Traces, two: Traces) -> float:
    """1 where the first shows the JPEG quality of the second through another coder."""
    earlier, quality = one.earlier_quality, _quality(two)
    return float(earlier is not None and quality is not None and abs(earlier - quality) <= _NEAR)


def generation(traces: Traces) -> float:
    """How far it seems to have been some coarser JPEG before: 0–1."""
    if traces.earlier_quality is not None:
        return 1.0
    own = traces.jpeg_quality or 0
    earlier = zip(QUALITIES, traces.requantised, strict=False)
    most = max((seen for quality, seen in earlier if quality <= own - _COARSER), default=0.0)
    return min(max((most - _UNASKED) / (2 * _REQUANTISED), 0.0), 1.0)


def same_pixels(one: Traces, two: Traces, found: Remade | None) -> float:
    """1 where the first keeps without loss what the lossy second holds, −1 the other way round."""
    same = one.pixels is not None and one.pixels == two.pixels
    if not same and (found is None or found.same < _SAME):
        return 0.0
    return float(one.lossless) - float(two.lossless)


def rounded(one: Rounding | None, two: Rounding | None) -> float:
    """How far more blocks of the first picture fit a rounding of the second than the other way
    round, −1 to 1; where the second is no JPEG, more than chance leaves."""
    found = _odds(one) - _odds(two)
    if one is None:
        found = min(found, 0.0)
    if two is None:
        found = max(found, 0.0)
    return min(max(found / _SURE, -1.0), 1.0)


def unfit(one: Rounding | None, two: Rounding | None) -> float:
    """Where one of them is a JPEG that was not made of the other: 1 if that is the second."""
    if (one is None) is (two is None):
        return 0.0
    misfit = max(0.0, 1 - (one or two).fits / _SOME)
    return misfit if one is None else -misfit


def spread(one: Rounding | None, two: Rounding | None) -> float:
    """Where nearly all blocks fit, −1 to 1: above 0 if the first is spread as rounding leaves it;
    of two JPEGs, if it has the finer steps, for the other one would fit less if it had been first.
    """
    fitting = [found.spread for found in (one, two) if found and found.fits >= _MOST]
    if len(fitting) == 2:
        ratio = math.log((fitting[0] + _NONE) / (fitting[1] + _NONE))
        return min(max(ratio / math.log(_CLEARLY), -1.0), 1.0)
    if len(fitting) != 1 or (one and two):
        return 0.0
    found = (fitting[0] - _KEPT) / (_ROUNDED - _KEPT) * 2 - 1
    return min(max(found, -1.0), 1.0) * (1 if one else -1)


def _odds(found: Rounding | None) -> float:
    share = _SOME if found is None else found.fits
    return math.log((share + _CHANCE) / (1 - share + _CHANCE))


def _quality(traces: Traces) -> int | None:
    """That of a JPEG with the steps of libjpeg: others cannot be recognised elsewhere."""
    return traces.jpeg_quality if traces.standard else None
