"""What is unusual about a night, by the nights before it.

A share (of images quarantined, of images with a match) is unusual when it lies further from the
median of earlier nights than three of their usual deviations and two points besides. The deviation
is the larger of the robust one (1.4826 times the median absolute deviation) and that of chance
among so many images.

How far the cosines of a night's pairs have drifted from those of earlier nights is their population
stability index (N. Siddiqi, Credit Risk Scorecards, 2006): with the shares p and q of both in each
bin, the sum of (p - q) ln(p / q). By rule of thumb 0.25 is a significant change. Among few pairs
chance alone gives more: about a chi-square with one degree of freedom less than there are bins,
times 1/n + 1/m (B. Yurdakul and J. Naranjo, Statistical properties of the population stability
index, Journal of Risk Model Validation, 2020). So a night's index must exceed its 99.9 % point too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from statistics import NormalDist, median

from ris_jobs.report.text import percent, plural
from ris_jobs.report.views import Summary

__all__ = [
    *("BINS", "LATE", "LOWEST", "NIGHTS"),
    *("anomalies", "drift", "match_rate", "psi", "quarantine_share"),
]

NIGHTS = 14
LATE = timedelta(hours=36)
# Cosines of pairs, in bins of equal width from the lowest to 1; the first holds all below it, too.
LOWEST, BINS = 0.3, 14

_ENOUGH_NIGHTS, _ENOUGH_IMAGES, _ENOUGH_PAIRS = 5, 30, 50
_DEVIATIONS, _POINTS = 3.0, 0.02
_SIGNIFICANT, _CHANCE = 0.25, 0.999


def anomalies(
    now: Summary, before: Sequence[Summary], pause: timedelta | None = None
) -> tuple[str, ...]:
    """Sentences, none for a usual night; ``before`` are the scans before, ``pause`` the time since
    the last of them ended."""
    found = [
        _unusual("of the images were quarantined", before, now, quarantine_share),
        _unusual("of the images matched another", before, now, match_rate),
        _drifted(now, before),
    ]
    if failed := now.pairs.failed:
        found.append(f"{plural(failed, 'pair')} could not be judged: the log names the images")
    if pause is not None and pause > LATE:
        found.append(f"the scan before ended {pause.total_seconds() / 3600:.0f} hours earlier")
    return tuple(said for said in found if said)


def quarantine_share(night: Summary) -> tuple[float, int] | None:
    """Of the images that were fingerprinted or rejected, with how many these are."""
    seen = night.fingerprinted + night.rejected
    return (night.rejected / seen, seen) if seen >= _ENOUGH_IMAGES else None


def match_rate(night: Summary) -> tuple[float, int] | None:
    """The share of images looked up that matched another, with how many these are."""
    looked = next((s.images for s in night.stages if s.name == "match"), 0)
    return (night.matched / looked, looked) if looked >= _ENOUGH_IMAGES else None


def drift(now: Summary, before: Sequence[Summary]) -> float | None:
    """The stability index of the night's cosines; None where there are too few to say."""
    earlier = _together(before)
    few = min(sum(now.cosines), sum(earlier)) < _ENOUGH_PAIRS
    return None if few else psi(now.cosines, earlier)


def psi(now: Sequence[int], before: Sequence[int]) -> float:
    """The population stability index of two counts by bin, 0 for the same shares; half of one is
    added to each bin, so that an empty one has a logarithm."""
    p, q = _shares(now), _shares(before)
    return sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True))


def by_chance(n: int, m: int, bins: int) -> float:
    """The index that samples of one population exceed once in a thousand; the chi-square quantile
    is Wilson and Hilferty's."""
    freedom = bins - 1
    z = NormalDist().inv_cdf(_CHANCE)
    part = 2 / (9 * freedom)
    return freedom * (1 - part + z * math.sqrt(part)) ** 3 * (1 / n + 1 / m)


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) + len(counts) / 2
    return [(count + 0.5) / total for count in counts]


def _together(nights: Sequence[Summary]) -> list[int]:
    counted = [night.cosines for night in nights if len(night.cosines) == BINS]
    return [sum(column) for column in zip(*counted, strict=True)] or [0] * BINS


def _drifted(now: Summary, before: Sequence[Summary]) -> str | None:
    if len(before) < _ENOUGH_NIGHTS or (index := drift(now, before)) is None:
        return None
    usual = max(_SIGNIFICANT, by_chance(sum(now.cosines), sum(_together(before)), BINS))
    if index <= usual:
        return None
    return f"cosines of pairs drifted: stability index {index:.2f} (usual: below {usual:.2f})"


def _unusual(
    of_what: str,
    before: Sequence[Summary],
    now: Summary,
    measure: Callable[[Summary], tuple[float, int] | None],
) -> str | None:
    earlier = [found[0] for night in before if (found := measure(night))]
    tonight = measure(now)
    if tonight is None or len(earlier) < _ENOUGH_NIGHTS:
        return None
    share, images = tonight
    low, high = _usual(earlier, images)
    if low <= share <= high:
        return None
    usual = f"{percent(low)} to {percent(high)}"
    return f"{percent(share)} {of_what} (usual: {usual}, by {len(earlier)} nights)"


def _usual(earlier: Sequence[float], images: int) -> tuple[float, float]:
    middle = median(earlier)
    robust = 1.4826 * median(abs(share - middle) for share in earlier)
    chance = math.sqrt(middle * (1 - middle) / images)
    width = _DEVIATIONS * max(robust, chance) + _POINTS
    return max(0.0, middle - width), min(1.0, middle + width)
