"""How two pictures lie on each other: as a whole in one of eight orientations, or one inside
the other. Cheap tests come first; the search for a box runs only when the whole does not fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ris_jobs.match.containment import Box, Surround, find_inside, surround
from ris_jobs.match.detail import detailed
from ris_jobs.match.frame import within_shared_frame
from ris_jobs.match.orientation import turn
from ris_jobs.match.pixels import (
    Evidence,
    View,
    best_band,
    best_orientation,
    compare,
    compare_blurred,
    lay,
    view,
)
from ris_jobs.match.refinement import refined, sampled

__all__ = ["Alignment", "Inside", "Verified", "align", "in_detail"]

# Measured on copies of 120 photos and on all pairs of them: whole copies agree in at least 0.65 of
# their blocks but for 1 % (a caption hides the rest, or all that has texture), different photos
# in 0.25 at most; the search for a box takes the best of many places, where chance reaches 0.34.
_WHOLE = 0.5
_INSIDE = 0.6
# A whole picture that agrees less than this is tried as a crop or a padding too, which must
# then explain clearly more.
_CLEAR = 0.9
# The share of a picture from which the other is taken to contain it.
_CONTAINED = 0.9
_MARGIN = 0.1
_PART = 0.98
# The share of a picture from which what lies inside may be another view: of eight views that a
# search for one inside the other confirmed all take 0.94.
_NEARLY = 0.9
# Pictures without their detail: of 4,000 pairs of near but different pictures none correlates
# above 0.74 nor agrees in more than 0.67, of 26 copies without detail or inverted none below 0.93
# and 0.89.
_BAND, _BLURRED = 0.85, 0.75
# A place that correlates so much is worth finding to a part of a pixel.
_REFINED = 0.8
# Fewer agreeing blocks than this (of 64) are no evidence.
_BLOCKS = 4


Outline = tuple[tuple[float, float], ...]
"""Corners (x, y) of a polygon, as fractions of a picture."""


@dataclass(frozen=True, slots=True)
class Inside:
    """The whole of the inner picture shows in ``box`` of the outer, or as much as fits where it
    was ``cut`` to fill it. ``inner_first``: the inner one is the first of the pair. ``score`` is
    the template's correlation."""

    inner_first: bool
    box: Box
    score: float
    surround: Surround
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Verified:
    """What keypoints say: ``inliers`` of ``matched`` agree on one map, by which both pictures
    share the polygons ``first`` and ``second`` (fractions), the shares ``coverage`` of the two.
    ``parallax`` is how far neighbours lie off it together, in pixels
    (:func:`ris_jobs.match.parallax.parallax`). ``straight``: the map only scales, moves, turns by
    quarters or mirrors."""

    inliers: int
    matched: int
    parallax: float
    coverage: tuple[float, float]
    first: Outline
    second: Outline
    straight: bool


_CORNERS: Outline = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Alignment:
    """The first picture and the second after the transform ``orientation`` (EXIF 1–8) show the
    same, as far as ``held`` says so; ``pixels`` compares what overlaps, None where a preview
    is gone; ``inside`` is None where the whole pictures overlap; ``verified`` is None where
    keypoints were not asked or say something else. Not ``searched``: a search for one inside the
    other might explain more, and was left out."""

    orientation: int
    pixels: Evidence | None
    inside: Inside | None
    held: bool
    verified: Verified | None = None
    searched: bool = True

    @property
    def coverage(self) -> tuple[float, float]:
        """Which share, 0–1, of the first and of the second picture the other shows."""
        if self.verified is not None:
            return self.verified.coverage
        if self.inside is None:
            return 1.0, 1.0
        x0, y0, x1, y1 = self.inside.box
        share = (x1 - x0) * (y1 - y0)
        return (1.0, share) if self.inside.inner_first else (share, 1.0)

    @property
    def bent(self) -> bool:
        """Whether one is tilted, sheared or in perspective, so that sizes tell nothing."""
        return self.verified is not None and not self.verified.straight

    @property
    def partial(self) -> bool:
        """Whether both pictures show something that the other does not."""
        return self.verified is not None and max(self.verified.coverage) < _CONTAINED

    @property
    def clear(self) -> bool:
        """Whether it holds and explains nearly all, in detail."""
        if not self.held or self.pixels is None:
            return self.held
        return self.pixels.agreement >= _CLEAR and not self.pixels.blurred

    @property
    def nearly_whole(self) -> bool:
        """Whether what lies inside takes nearly all of the other picture: a crop, or another view
        of the scene, which only keypoints tell apart."""
        return self.inside is not None and min(self.coverage) >= _NEARLY

    def confirmed_by(self, other: Alignment) -> Alignment:
        """With what keypoints say, if they too lay the whole pictures on each other this way, or
        nearly the whole."""
        found = other.verified
        if found is None or self.orientation != other.orientation:
            return self
        if self.inside is None and (not found.straight or other.inside is not None):
            return self
        if self.inside is not None and not (self.nearly_whole and min(found.coverage) >= _NEARLY):
            return self
        first, second = self._outlines()
        return replace(
            self, verified=replace(found, coverage=self.coverage, first=first, second=second)
        )

    def _outlines(self) -> tuple[Outline, Outline]:
        """What both show, in the first and in the second picture."""
        if self.inside is None:
            return _CORNERS, _CORNERS
        x0, y0, x1, y1 = self.inside.box
        part = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        return (_CORNERS, part) if self.inside.inner_first else (part, _CORNERS)


def align(first: View, second: View, orientation: int, *, search: bool) -> Alignment:
    """The best alignment of two views. ``orientation`` is a first guess (from hashes);
    ``search`` allows the slower search for one inside the other."""
    guesses = sorted({orientation, best_orientation(first, second)})
    tried = [(lay(first, second, guess), guess) for guess in guesses]
    laid, orientation = max(tried, key=lambda t: (t[0].agreement, t[0].correlation))
    pixels = laid.evidence()
    held = _holds(first, second, pixels, orientation, _WHOLE)
    whole = Alignment(orientation, pixels, None, held)
    blurred = None if held else _without_detail(first, second)
    if blurred is not None:
        return blurred
    if held and pixels.agreement >= _CLEAR:
        return whole
    if not search:
        return replace(whole, searched=False)
    enough = max(_INSIDE, pixels.agreement + _MARGIN) if held else _INSIDE
    tried_inside = [_inside(first, second, True, enough), _inside(second, first, False, enough)]
    found = [t for t in tried_inside if t is not None and (not held or _is_better(t))]
    return max(found, key=_strength, default=whole)


def in_detail(found: Alignment, first: View, second: View) -> Alignment:
    """An alignment of two views with what their detail says, where it holds and does not yet."""
    if not found.held or found.pixels is None or found.pixels.plain is not None:
        return found
    one, two = first.picture, turn(second.picture, found.orientation)
    if found.inside is not None and found.inside.inner_first:
        two = sampled(second.picture, found.inside.box)
    elif found.inside is not None:
        one = sampled(first.picture, found.inside.box)
    return replace(found, pixels=detailed(found.pixels, one, two))


def _without_detail(first: View, second: View) -> Alignment | None:
    """The whole pictures on each other, one blurred, coarse or inverted; None if that is not so."""
    correlation, orientation = best_band(first, second)
    if abs(correlation) < _BAND:
        return None
    pixels = compare_blurred(first, second, orientation, negative=correlation < 0)
    held = _confirmed(pixels, _BLURRED)
    return Alignment(orientation, pixels, None, held) if held else None


def _is_better(part: Alignment) -> bool:
    """True for a part that holds and is not all but the whole picture."""
    if part.inside is None or not part.held:
        return False
    x0, y0, x1, y1 = part.inside.box
    return (x1 - x0) * (y1 - y0) < _PART


def _strength(alignment: Alignment) -> tuple[bool, float]:
    agreement = alignment.pixels.agreement if alignment.pixels is not None else 0.0
    return alignment.held, agreement


def _inside(inner: View, outer: View, inner_first: bool, enough: float) -> Alignment | None:
    place = find_inside(inner, outer)
    if place is None:
        return None
    box, part, pixels = _laid(inner, outer, place.box, inner_first)
    if pixels.correlation >= _REFINED and pixels.agreement < _CLEAR:
        nearer = refined(inner, outer, box)
        again = None if nearer is None else _laid(inner, outer, nearer, inner_first)
        if again is not None and again[2].agreement > pixels.agreement:
            box, part, pixels = again
    inside = Inside(inner_first, box, place.score, surround(outer.picture, box))
    return Alignment(1, pixels, inside, _holds(inner, part, pixels, 1, enough))


def _laid(inner: View, outer: View, box: Box, inner_first: bool) -> tuple[Box, View, Evidence]:
    """A box, what the outer picture shows in it, and how that compares with the inner one."""
    part = view(sampled(outer.picture, box))
    return box, part, compare(inner, part) if inner_first else compare(part, inner)


def _holds(first: View, second: View, pixels: Evidence, orientation: int, enough: float) -> bool:
    """Enough of the blocks agree, and what lies within a margin that both have agrees too."""
    if not _confirmed(pixels, enough) or pixels.agreement >= _CLEAR:
        return _confirmed(pixels, enough)
    content = within_shared_frame(first, second, orientation)
    return content is None or _confirmed(content, enough)


def _confirmed(pixels: Evidence, enough: float) -> bool:
    if pixels.same:
        return True
    return pixels.agreement >= enough and pixels.agreement * pixels.textured * 64 >= _BLOCKS
