"""Is the larger of two pictures the smaller one enlarged, or was the smaller made from it?

Thumbnails are far more common than enlargements, so every sign must agree: the spectra of both
pictures, and the finest detail in the preview of the larger one. Of nearly one size the spectra
say at most that the smaller one was made from the larger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from ris_jobs.fingerprint import Fingerprint
from ris_jobs.fingerprint.enlargement import enlargement
from ris_jobs.fingerprint.quality import enlargement_drop
from ris_jobs.match.alignment import Alignment
from ris_jobs.match.changed import shown_box
from ris_jobs.match.containment import cut
from ris_jobs.match.direction import linear_ratio, shown_ratio

__all__ = ["is_enlarged", "is_part_enlarged", "own_detail", "spectral_signs"]

Rgb = npt.NDArray[np.uint8]

# Smaller factors leave no trace that could be told from coding, or from sharpening after reducing.
_SCALE = 1.25
# The sum of the last two signs below which the smaller one of nearly one size was reduced. Of 120
# photos reduced by 1.04 to 1.24 99.9 % lie below, 79 % of soft ones, and 18 % of those sharpened
# after it; of as many enlarged none, 0.2 % of soft ones, and 68 % of those sharpened after it.
_REDUCED = -0.1
# Measured on 200 photos: none of their thumbnails of a fifth to 0.7 of the size passes all three
# (of photos softened by a Gaussian of 0.6 pixels 1.5 % at 0.7), of their enlargements by 1.5 to 3
# 96 % to 99 % do. Softer photos cannot be told: at 0.7 most of their thumbnails pass.
_DROP, _SIGNS, _OWN_DETAIL = 0.6, 1.0, 0.42
# log10 of power: about what JPEG coding adds.
_NOISE = 2.0
# How far beyond the smaller one's Nyquist limit a picture must show something to be no enlargement,
# in log10 of power. Of 400 pairs of a validation photo and its thumbnail (a fifth to 0.7 of its
# size) all show 0.6 or more; softer ones cannot be told from enlargements that coding has blurred.
_BEYOND, _BLANK = 1.1, 0.3
# What is left out along each side of a part: where a picture was pasted it steps to another one.
_EDGE = 0.05
# Bands below the smaller one's Nyquist limit that its spectrum shows in.
_SHAPED = 3


def is_enlarged(
    first: Fingerprint, second: Fingerprint, larger_preview: Callable[[], Rgb | None]
) -> bool | None:
    """True when the larger picture holds nothing but what interpolating the smaller one gives;
    None when nothing tells, for it shows no more than the smaller one can, or sizes are nearly the
    same and it is not clearly finer.

    ``larger_preview`` loads the preview of the larger one; it is asked only when the spectra
    say so, and not missed where it is gone.
    """
    ratio = linear_ratio(first, second)
    larger, smaller = (first, second) if ratio > 1 else (second, first)
    scale = linear_ratio(larger, smaller)
    signs = spectral_signs(larger.quality.spectrum, smaller.quality.spectrum, scale)
    if scale < _SCALE:
        return False if sum(signs[1:]) < _REDUCED else None
    if signs[0] <= _DROP or sum(signs) <= _SIGNS:
        return None if _blank_beyond(larger, smaller) else False
    preview = larger_preview()
    if preview is None:
        return True
    share = max(smaller.width, smaller.height) / max(preview.shape[:2])
    # A preview not much larger than the smaller picture cannot show what that one lacks.
    return share * _SCALE > 1 or own_detail(preview, share) < _OWN_DETAIL


def is_part_enlarged(
    first: Fingerprint,
    second: Fingerprint,
    alignment: Alignment,
    load: Callable[[bool], Rgb | None],
) -> bool | None:
    """Of two pictures of which one shows a part of the other: True when the one that has more
    pixels of what both show holds no finer detail than the other one can, False when it does; None
    where sizes are nearly the same or its preview cannot tell. ``load``: the preview of the first
    picture (True) or of the second."""
    ratio = shown_ratio(first, second, alignment)
    finer_first, scale = ratio > 1, max(ratio, 1 / ratio)
    if scale < _SCALE or (preview := load(finer_first)) is None:
        return None
    finer = first if finer_first else second
    share = max(finer.width, finer.height) / scale / max(preview.shape[:2])
    if share * _SCALE > 1:
        return None
    x0, y0, x1, y1 = shown_box(alignment, of_first=finer_first)
    wide, high = _EDGE * (x1 - x0), _EDGE * (y1 - y0)
    part = cut(preview, (x0 + wide, y0 + high, x1 - wide, y1 - high))
    return own_detail(part, share) < _OWN_DETAIL


def _blank_beyond(larger: Fingerprint, smaller: Fingerprint) -> bool:
    """Whether no band of the larger picture holds anything that the smaller one cannot."""
    spectrum = np.asarray(larger.quality.spectrum)
    bands = (np.arange(len(spectrum)) + 0.5) / len(spectrum)
    beyond = spectrum[bands * linear_ratio(larger, smaller) > _BEYOND]
    return len(beyond) > 0 and float(beyond.max()) < _BLANK


def spectral_signs(
    larger: Sequence[float], smaller: Sequence[float], scale: float
) -> tuple[float, float, float]:
    """Three signs of enlargement by ``scale`` (> 1), each higher the more it looks like one, in
    log10 of power: the fall of the larger spectrum where the smaller one ends, how much better
    an interpolation's response explains it than a native photo, and the power lost just below.
    The last two compare shapes of spectra, and are 0 where the larger has too few bands there."""
    drop = enlargement_drop(larger, 1 / scale)
    if len(larger) / scale < _SHAPED:
        return drop, 0.0, 0.0
    return drop, enlargement(larger, smaller, scale), _lost_below_limit(larger, smaller, scale)


def own_detail(picture: Rgb, share: float) -> float:
    """How much of its finest detail ``picture`` (h, w, 3) has beyond what a copy of ``share``
    (0–1) of its size can hold, over what it has beyond half of that: 0.4 to 1 for pictures
    sharp at their own size, less for enlargements. Strongest places count (99.9th percentile),
    for a photo may be sharp in few."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return _beyond(grey, share) / max(_beyond(grey, share / 2), 1.0)


def _beyond(grey: npt.NDArray[np.float32], share: float) -> float:
    height, width = grey.shape
    size = max(1, round(width * share)), max(1, round(height * share))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    back = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return float(np.percentile(np.abs(grey - back), 99.9))


def _lost_below_limit(larger: Sequence[float], smaller: Sequence[float], scale: float) -> float:
    """log10 of the smaller picture's power over the larger one's, at the same detail, from 0.6
    to 0.95 of the smaller one's Nyquist limit: interpolating attenuates there, while a
    thumbnail has no more than what it was made from."""
    bands = (np.arange(len(larger)) + 0.5) / len(larger)
    detail = np.linspace(0.6, 0.95, 36)
    small = np.interp(detail, bands, 10 ** np.asarray(smaller))
    # The same detail takes fewer of a larger picture's bands, each with more power.
    large = np.interp(detail / scale, bands, 10 ** np.asarray(larger)) / scale
    return float(np.mean(np.log10(small + _NOISE) - np.log10(large + _NOISE)))
