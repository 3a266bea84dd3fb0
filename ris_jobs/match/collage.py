"""What of a picture shows where it was cut to fill its cell of a collage.

Laid on the collage, its outline reaches into what is around the cell. There the two do not agree,
within the cell they do; and at the cell's edge the collage steps to something else where the
picture goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ris_jobs.match.containment import around
from ris_jobs.match.geometry import Overlap, Points, Registration, Squares, project
from ris_jobs.match.pixels import KEPT

__all__ = ["Cell", "cell"]

Rgb = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
Bounds = tuple[int, int, int, int]
"""Top, bottom, left and right."""

_SIDE, _WINDOW, _GRID = KEPT // 2, 8, 32
# Of a window's luma: less spread (grey values) tells nothing, more correlation is agreement.
_TEXTURE, _AGREES = 4.0, 0.75
# Grey values between two pixels by which they are rather another's.
_CLOSE = 15.0
# The shares that agree within the cell and beyond it: of 92 such pictures 0.79 or more, and 0.11
# or less.
_WITHIN, _BEYOND = 0.75, 0.2
# In pixels of KEPT: how far a side of the cell may be from where windows say, and must be from
# the outline; half of how far the lines beside it are from each other.
_PLAY, _THINNEST, _NEAR = 12, 6, 3
# What coding leaves between two lines, grey values.
_CODING = 8.0
# How much more the collage jumps at the cell's edge. More is asked where the picture does not go on
# there but jumps, too, and where the collage ends with its outline, for something may have been
# laid over a crop; there the cell must hold the whole of one side, nearly.
_JUMPS, _GOES_ON, _CLEARLY = 1.15, 1.45, 1.9
_WHOLE, _ENDS = 0.97, 0.01
# Less of the picture than this may be a caption that other pictures have, too.
_SHOWN = 0.4
# On ground so plain the outline is where the picture ends, and something laid over a part of it.
_PLAIN = 0.7


@dataclass(frozen=True, slots=True)
class Cell:
    """``shared`` is what both pictures show of each other; ``cut_first``: the first was cut, and
    the second is the collage."""

    shared: Overlap
    cut_first: bool


def cell(
    first: Rgb, second: Rgb, registration: Registration, shared: Overlap, laid: Squares
) -> Cell | None:
    """The cell of one picture that the other fills in part, of two that lie upright on each other,
    uint8 (h, w, 3), their squares of side KEPT being ``laid`` on each other; None where all they
    share agrees, or not so."""
    one, two, both = laid
    a, b = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32) for x in (one, two))
    shown = _reduced(both.astype(np.float32)) > 0.5
    votes = np.asarray(np.where(shown, _votes(a, b), 0), np.float32)
    bounds = _bounds(a, b, votes)
    cut = np.array(_margins(bounds)) >= _THINNEST
    if not cut.any() or not _agrees_there_alone(votes, bounds):
        return None
    jumps = [_jump(plane, bounds, cut) for plane in (a, b)]
    found = Cell(_narrowed(registration, shared, bounds), jumps[0] < jumps[1])
    ends = _placed(registration, shared, _MIDDLES[cut])[1 if found.cut_first else 0]
    beyond = bool((np.minimum(ends, 1 - ends).min(axis=1) > _ENDS).any())
    if max(found.shared.coverage) < _SHOWN or not (beyond or _is_across(found)):
        return None
    enough = _JUMPS if beyond and min(jumps) <= _GOES_ON else _CLEARLY
    if max(jumps) < enough * min(jumps) or _on_plain(first, second, shared, found.cut_first):
        return None
    return found


def _on_plain(first: Rgb, second: Rgb, shared: Overlap, cut_first: bool) -> bool:
    """Whether the outline lies on plain ground in the collage; not where it is all of that."""
    side = 1 if cut_first else 0
    outer, outline = ((first, shared.first), (second, shared.second))[side]
    return shared.coverage[side] < _WHOLE and around(outer, outline) >= _PLAIN


def _is_across(found: Cell) -> bool:
    """Whether the picture shows from end to end one way or the other, nearly."""
    picture = found.shared.first if found.cut_first else found.shared.second
    return bool(np.ptp(picture, axis=0).max() >= _WHOLE)


def _bounds(a: Plane, b: Plane, votes: Plane) -> Bounds:
    """Where both agree, in pixels of their squares."""
    off = _off(a, b, _pixels(_fullest(votes)))
    # Where there is nothing to see tones may tell.
    told = np.asarray(np.where(votes == 0, 0.5 - _reduced(off), votes), np.float32)
    return _refined(off, _pixels(_fullest(told)))


def _votes(a: Plane, b: Plane) -> Plane:
    """(GRID, GRID), of each place −1 (another picture) to 1 (the same), 0 for nothing to see."""
    a, b = _halved(a), _halved(b)
    mean_a, mean_b = _mean(a), _mean(b)
    power_a, power_b = _mean(a * a) - mean_a**2, _mean(b * b) - mean_b**2
    score = (_mean(a * b) - mean_a * mean_b) / np.sqrt(np.maximum(power_a * power_b, 1.0))
    tells = np.maximum(power_a, power_b) > _TEXTURE**2
    votes = np.where(tells, np.where(score > _AGREES, 1, -1), 0)
    return _reduced(votes.astype(np.float32))


def _halved(plane: Plane) -> Plane:
    return np.asarray(cv2.resize(plane, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)


def _mean(plane: Plane) -> Plane:
    return np.asarray(cv2.blur(plane, (_WINDOW, _WINDOW)), np.float32)


def _reduced(plane: Plane) -> Plane:
    return np.asarray(cv2.resize(plane, (_GRID, _GRID), interpolation=cv2.INTER_AREA), np.float32)


def _pixels(bounds: Bounds) -> Bounds:
    top, bottom, left, right = (edge * KEPT // _GRID for edge in bounds)
    return top, bottom, left, right


def _fullest(votes: Plane) -> Bounds:
    """The rectangle with the largest sum."""
    sums = np.pad(votes.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    tops, bottoms = np.triu_indices(len(sums), 1)
    bands = sums[bottoms] - sums[tops]
    # Of each right side the left one before it with the least sum.
    gains = bands - np.minimum.accumulate(bands, axis=1)
    band, right = np.unravel_index(int(gains.argmax()), gains.shape)
    left = int(bands[band, : right + 1].argmin())
    return int(tops[band]), int(bottoms[band]), left, max(left + 1, int(right))


def _off(a: Plane, b: Plane, bounds: Bounds) -> Plane:
    """How far each pixel of both is apart, 0–1, once both are as bright and as rich in contrast
    within bounds."""
    top, bottom, left, right = bounds
    one, two = a[top:bottom, left:right], b[top:bottom, left:right]
    gain = np.sqrt((two.std() + 1) / (one.std() + 1))
    squared = np.square((a - one.mean()) * gain - (b - two.mean()) / gain)
    return np.asarray(squared / (squared + _CLOSE**2), np.float32)


def _refined(off: Plane, rough: Bounds) -> Bounds:
    """The same bounds, each to a pixel."""
    top, bottom, left, right = rough
    down, across = off[:, left:right].mean(axis=1), off[top:bottom].mean(axis=0)
    return (
        KEPT - _edge(down[::-1], KEPT - top),
        _edge(down, bottom),
        KEPT - _edge(across[::-1], KEPT - left),
        _edge(across, right),
    )


def _edge(lines: Plane, rough: int) -> int:
    """Where ``lines`` (KEPT,) rise, near there: those before and those after vary least."""
    if rough >= KEPT:
        return KEPT
    low, high = max(0, rough - 2 * _PLAY), min(KEPT, rough + 2 * _PLAY)
    places = range(max(low + 1, rough - _PLAY), min(high, rough + _PLAY))
    return min(places, key=lambda at: _scatter(lines[low:at]) + _scatter(lines[at:high]))


def _scatter(values: Plane) -> float:
    return float(values.var()) * len(values)


def _margins(bounds: Bounds) -> tuple[int, int, int, int]:
    top, bottom, left, right = bounds
    return top, KEPT - bottom, left, KEPT - right


def _agrees_there_alone(votes: Plane, bounds: Bounds) -> bool:
    """Whether nearly all agrees within, and next to nothing beyond."""
    top, bottom, left, right = (round(edge * _GRID / KEPT) for edge in bounds)
    within = np.zeros(votes.shape, np.bool_)
    within[top:bottom, left:right] = True
    return _share(votes[within]) >= _WITHIN and _share(votes[~within]) <= _BEYOND


def _share(votes: Plane) -> float:
    all_ = float(np.abs(votes).sum())
    return float(votes.clip(0).sum()) / all_ if all_ else 0.0


def _jump(plane: Plane, bounds: Bounds, cut: npt.NDArray[np.bool_]) -> float:
    """How far the lines beside the cut sides differ, by what lines as near differ within."""
    top, bottom, left, right = bounds
    rows, columns = plane[:, left:right], plane[top:bottom].T
    inwards = (rows[top:], rows[:bottom][::-1], columns[left:], columns[:right][::-1])
    outwards = (rows[:top][::-1], rows[bottom:], columns[:left][::-1], columns[right:])
    sides = [both for *both, away in zip(inwards, outwards, cut, strict=True) if away]
    over = [inner[_NEAR] - outer[_NEAR] for inner, outer in sides]
    usual = [inner[_NEAR] - inner[min(3 * _NEAR, len(inner) - 1)] for inner, _ in sides]
    step, within = (float(np.sqrt(np.square(np.concatenate(x)).mean())) for x in (over, usual))
    return float(np.hypot(step, _CODING) / np.hypot(within, _CODING))


def _placed(registration: Registration, shared: Overlap, places: Points) -> tuple[Points, Points]:
    """Where places (k, 2) of the squares, as fractions, lie in the first and in the second."""
    framed_first = shared.coverage[0] >= shared.coverage[1]
    polygon = shared.first if framed_first else shared.second
    framed = polygon.min(axis=0) + places * np.ptp(polygon, axis=0)
    forth = registration.matrix if framed_first else np.linalg.inv(registration.matrix)
    other = project(np.asarray(forth), framed)
    return (framed, other) if framed_first else (other, framed)


def _narrowed(registration: Registration, shared: Overlap, bounds: Bounds) -> Overlap:
    """The part of what is shared within the bounds of its squares."""
    top, bottom, left, right = (edge / KEPT for edge in bounds)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    first, second = (np.clip(x, 0, 1) for x in _placed(registration, shared, corners))
    return Overlap(first, second, (_area(first), _area(second)))


def _area(polygon: Points) -> float:
    return float(cv2.contourArea(polygon.astype(np.float32)))


# Of the sides of a square, in the order of bounds.
_MIDDLES = np.array([[0.5, 0], [0.5, 1], [0, 0.5], [1, 0.5]])
