"""Which of two pictures is derived, by what only a loss can explain.

Losses cannot be undone, so a claim says which picture lost something: the rest of the scene, a
clean margin, pixels, detail (an enlargement), colour, what encoding rounds away. What files say of
themselves (a camera, a colour profile) is claimed too, but decides nothing: anybody can write it.
Two losses against each other mean that both pictures derive from a third: undetermined.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ris_jobs.fingerprint import Fingerprint
from ris_jobs.match.alignment import Alignment, Inside
from ris_jobs.match.cells import rimmed, unpacked
from ris_jobs.match.orientation import swaps_sides
from ris_jobs.match.remade import Remade

__all__ = [
    "SAME_SIZE",
    "Direction",
    "detail_gap",
    "direction",
    "faded",
    "framed",
    "linear_ratio",
    "lost_detail",
    "own_profile",
    "set_in",
    "shown_ratio",
    "surrounded",
]

UNDETERMINED = "undetermined"
BORDER, PASTED, CONTAINMENT = "border", "pasted", "containment"
# Sizes nearer than this (linear) are the same size.
SAME_SIZE = 0.02
# Spread of chroma in a greyscale picture, and beyond what tinting one can give by clipping.
_GREY, _COLOURED = 0.5, 4.0
_OVERLAID, _AGREES = 0.02, 0.9
# Around a box: share in one colour, grey values along its rim and across it.
_PLAIN, _RIM, _STEP = 0.65, 5.0, 5.0
# The share of a side that a picture between bands takes, and how plain bands and borders are.
_SPANS, _PLAIN_BANDS, _PLAIN_BORDER = 0.97, 0.7, 0.95
# Seams, on calibration photos: 63 of 71 crops are below the first and none is above 1, 124 of 130
# pictures pasted into others are above 1 and 4 below the first, 2 of these between bands: where
# text may run up to the edge, a low seam says nothing. In a sky of stars a crop reaches 1.01, and
# anything in a picture with a shorter side than the third.
_GOES_ON, _SEAM, _SEEN = 0.8, 1.0, 128
# From _SEAM to _CLEAR_SEAM the picture must step less elsewhere: in a sky of stars no line looks
# like the next one.
_CLEAR_SEAM, _JUMP = 1.05, 1.2
# What was pasted in steps on every side, by more than this; a crop seldom does, whatever lies
# beyond one side of it. Of 2,167 crops of 150 calibration photos and of their copies this leaves 27
# of 70 that would be called pasted, of 1,338 pictures pasted into others 1,131 of 1,134 that are.
_EACH = 0.5
# Where one side alone steps, a picture may have an edge of its own there, but seldom so straight a
# one. Of 1,200 crops of one side of 600 training photos, half of them cut at the strongest edge,
# their boxes up to a pixel off, this leaves 19 of 79 that would be called pasted, of 600 photos
# beside a part of another 451 of 505 that are.
_SHARP = 0.5
# What has a border is not cut out of what that picture was pasted into, and what has a caption was
# not pasted there without it: sides of its own that speak against either.
_GROUND = {CONTAINMENT: 3, PASTED: 1}
# Grey values by which ground of its own differs somewhere; a box found to a pixel leaves less of an
# outline: of 47 logos pasted into training photos in 7 whole sides differ, by 35 at most, of 136
# captions and 45 frames over what was pasted there none by less than 37.
_MISFIT = 36.0
_CAMERA = frozenset({"Make", "Model"})
# Mid-band power (log10) that two encodings of one picture share; blur takes more. What adds detail
# and changes tones (captions, logos, noise, sharpening, halftones) brings less than the second: of
# 20 such calibration copies one brings more than 1.3, and in that less than _SHOWS agrees.
_DETAIL, _BLURRED, _BLURRED_AWAY, _CODING_NOISE = slice(8, 16), 0.8, 1.6, 0.5
_SHOWS = 0.5
# What lost detail has little power left in the bands above, or less the higher they are. A picture
# whose copy was sharpened or given contrast has neither: of 24 such calibration and validation
# copies none, of 106 blurred, smoothed or pixelated ones all but 9.
_ABOVE, _BELOW, _FALLS, _GONE = slice(14, 18), slice(6, 10), 0.2, 1.0

Claim = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Direction:
    """``first_derived`` is None when the evidence does not say; ``reason`` names the loss that
    decided; ``claims`` lists all: each with whether it calls the first derived."""

    first_derived: bool | None
    reason: str
    claims: tuple[Claim, ...]


def direction(
    first: Fingerprint,
    second: Fingerprint,
    alignment: Alignment,
    *,
    enlarged: bool | None,
    made: Remade | None,
) -> Direction:
    """Which of two pictures is derived, by the strongest loss that no other one contradicts.
    ``enlarged``: the one that shows more pixels of what both show is the other one enlarged; None
    where that cannot be told.
    ``made``: what patches of both say; None where they share none."""
    losses = list(_losses(first, second, alignment, enlarged))
    if made is not None and made.first_encoded is not None:
        losses.append(("encoding", made.first_encoded))
    claims = (*losses, *_hints(first, second))
    if len({derived for _, derived in losses}) != 1:
        return Direction(None, UNDETERMINED, claims)
    reason, first_derived = losses[0]
    return Direction(first_derived, reason, claims)


def _losses(
    first: Fingerprint, second: Fingerprint, alignment: Alignment, enlarged: bool | None
) -> Iterator[Claim]:
    if alignment.inside is not None:
        around = _told(first, second, alignment, alignment.inside)
        if around is None:
            return
        derived = alignment.inside.inner_first is (around == CONTAINMENT)
        yield around, derived
        # What has finer detail than the other can hold was not made from it.
        if enlarged is False and derived is (shown_ratio(first, second, alignment) > 1):
            yield "resolution", not derived
        return
    ratio = linear_ratio(first, second)
    if abs(ratio - 1) > SAME_SIZE and not alignment.bent:
        if enlarged is not None and _resized(first, second, alignment.orientation):
            yield ("enlargement" if enlarged else "resolution"), (ratio > 1) is enlarged
    elif lost_detail(gap := detail_gap(first, second, alignment), alignment):
        plainer, richer = (first, second) if gap < 0 else (second, first)
        if _falls_away(plainer, richer):
            yield "detail", gap < 0
    pale = faded(alignment, _COLOURED)
    # Less agreement, and the colours may be those of what was laid over a greyscale picture.
    if pale is not None and alignment.pixels is not None and alignment.pixels.agreement >= _AGREES:
        yield "colour", pale


def _hints(first: Fingerprint, second: Fingerprint) -> Iterator[Claim]:
    camera = [not _CAMERA.isdisjoint(f.traces.metadata) for f in (first, second)]
    if camera[0] != camera[1]:
        yield "metadata", camera[1]
    profiles = [own_profile(f) is not None for f in (first, second)]
    if profiles[0] != profiles[1]:
        yield "colour-profile", profiles[1]


def _told(
    first: Fingerprint, second: Fingerprint, alignment: Alignment, inside: Inside
) -> str | None:
    """As :func:`surrounded`, where that says which of the two is derived."""
    around = surrounded(inside)
    outer = second if inside.inner_first else first
    # Upright bounds of a tilted picture cut through both.
    told = not alignment.bent and not (around == CONTAINMENT and alignment.partial)
    told &= around != PASTED or min(outer.width, outer.height) >= _SEEN
    told &= around not in _GROUND or _sides_of_its_own(alignment) < _GROUND[around]
    return around if told else None


def surrounded(inside: Inside) -> str | None:
    """What is around the inner picture: a ``border`` that was added, what it was ``pasted`` into,
    or more of its scene (``containment``); None when a plain margin might have been added or
    cut off, or when it goes on in part."""
    around = inside.surround
    if around.plain >= _PLAIN and around.rim <= _RIM:
        return BORDER if around.step > _STEP and around.seam >= _GOES_ON else None
    everywhere = around.least is None or around.least > _EACH
    if inside.cut:
        return PASTED if everywhere else None
    if around.seam > _SEAM:
        clear = around.jump > _JUMP or around.seam > _CLEAR_SEAM
        straight = around.sharp is None or around.sharp > _SHARP
        return PASTED if clear and everywhere and straight else None
    return CONTAINMENT if around.seam < _GOES_ON and not framed(inside) else None


def _sides_of_its_own(alignment: Alignment) -> int:
    """On how many sides the inner picture ends in ground of its own, which lies on what is around
    the place where both show the same."""
    pixels = alignment.pixels
    if pixels is None or max(pixels.luma_worst, pixels.chroma_worst) <= _MISFIT:
        return 0
    return rimmed(unpacked(pixels.changed_cells))


def framed(inside: Inside) -> bool:
    """Whether what is around the inner picture is plain: a border on all sides, or bands on two
    that may hold a caption. Anything else is a picture of its own."""
    x0, y0, x1, y1 = inside.box
    banded = max(x1 - x0, y1 - y0) > _SPANS
    return inside.surround.plain >= (_PLAIN_BANDS if banded else _PLAIN_BORDER)


def set_in(first: Fingerprint, second: Fingerprint, alignment: Alignment, inside: Inside) -> bool:
    """Whether what is around the inner picture sets in at its edge: a frame, for its own plain
    ground, which may have been cut off, goes on; or what it was pasted into."""
    framing = framed(inside) and inside.surround.seam >= _GOES_ON
    return framing or _told(first, second, alignment, inside) in (BORDER, PASTED)


def own_profile(picture: Fingerprint) -> str | None:
    """The file's ICC colour profile, unless that is sRGB, which all pixels are taken for."""
    profile = picture.traces.metadata.get("ColourProfile")
    return profile if profile is not None and "srgb" not in profile.lower() else None


def linear_ratio(first: Fingerprint, second: Fingerprint) -> float:
    """Size of the first over that of the second, linear, whatever their orientation."""
    return math.sqrt(first.width * first.height / (second.width * second.height))


def _resized(first: Fingerprint, second: Fingerprint, orientation: int) -> bool:
    """Whether one of two pictures is the larger one along both sides: what is wider alone may have
    been stretched as well."""
    width, height = second.width, second.height
    if swaps_sides(orientation):
        width, height = height, width
    ratios = first.width / width, first.height / height
    return min(ratios) > 1 + SAME_SIZE / 2 or max(ratios) < 1 - SAME_SIZE / 2


def shown_ratio(first: Fingerprint, second: Fingerprint, alignment: Alignment) -> float:
    """Size of the first over that of the second, linear, in what both show."""
    one, two = alignment.coverage
    return linear_ratio(first, second) * math.sqrt(one / two)


def detail_gap(first: Fingerprint, second: Fingerprint, alignment: Alignment) -> float:
    """Mid-band spectral power of the first over the second, log10; 0 where the two cannot be
    compared: spectra are sampled line by line, so size, framing and orientation must agree."""
    alike = alignment.inside is None and alignment.orientation == 1 and not alignment.bent
    if not alike or abs(linear_ratio(first, second) - 1) > SAME_SIZE:
        return 0.0
    one, two = (
        [max(power, _CODING_NOISE) for power in f.quality.spectrum[_DETAIL]]
        for f in (first, second)
    )
    return float((sum(one) - sum(two)) / len(one))


def lost_detail(gap: float, alignment: Alignment) -> bool:
    """Whether a gap (as of :func:`detail_gap`) is a loss of the one rather than detail that the
    other was given. Where tones changed it must be more than what is laid over a part brings."""
    pixels = alignment.pixels
    if pixels is None or pixels.changed <= _OVERLAID:
        return abs(gap) > _BLURRED
    return abs(gap) > _BLURRED_AWAY and pixels.agreement >= _SHOWS


def _falls_away(plainer: Fingerprint, richer: Fingerprint) -> bool:
    """Whether the plainer of two comparable pictures looks as blur leaves it."""
    one, two = (np.maximum(f.quality.spectrum, _CODING_NOISE) for f in (plainer, richer))
    falls = (two - one)[_ABOVE].mean() - (two - one)[_BELOW].mean()
    return bool(falls > _FALLS or one[_ABOVE].mean() < _GONE)


def faded(alignment: Alignment, had: float) -> bool | None:
    """Which picture has no colours but greyscale or one tint (True: the first) while the other
    has more than ``had`` (spread of chroma, grey values); None if neither or previews are gone.
    """
    if alignment.pixels is None:
        return None
    one, two = alignment.pixels.colours
    if min(one, two) > _GREY or max(one, two) < had:
        return None
    return one < two
