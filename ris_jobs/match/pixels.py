"""What the pixels of two aligned pictures say: is it the same picture, and what was changed.

Both pictures are squashed to one small square, through the size of the smaller one where that is
less than the square, so that both lose as much. Agreement is local and blind to tone: the
normalised cross-correlation of luma in 8 × 8 blocks, so that a greyscale or brightened copy
agrees everywhere and a captioned one everywhere but under the caption. Differences are taken
between cell means, where re-encoding leaves almost nothing. A copy that lost its detail (blurred,
pixelated, halftoned, enlarged from a speck) agrees once both are blurred.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from ris_jobs.match.cells import packed
from ris_jobs.match.orientation import ORIENTATIONS, swaps_sides, turn

__all__ = [
    "KEPT",
    "SIDE",
    "Evidence",
    "Laid",
    "View",
    "best_band",
    "best_orientation",
    "compare",
    "compare_blurred",
    "lay",
    "view",
]

Rgb = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

KEPT = 256
SIDE = 64
_BLOCK = 8
_CELL = 4
# A block says something when its luma varies by more than coding noise (grey values).
_TEXTURE = 4.0
_UNEVEN = 2.0
_AGREES = 0.75
_CHANGED = 12.0
_SAME = 4.0
# Power of chroma over all cells that is next to no colour, which has no hue.
_COLOURLESS = 50.0
# Gaussian blur, in cells of the square: what is compared without detail, and the band of it that
# two pictures are correlated by.
_BLUR = 2.0
_BAND = (1.5, 8.0)
# The norm of a band of less than a grey value, which tells nothing.
_FLAT = 64.0


@dataclass(frozen=True)
class View:
    """``picture`` is the preview at no more than 256 pixels, uint8 (h, w, 3); ``ycc`` the
    squashed square, float32 (64, 64, 3). The rest is made of these once it is asked for."""

    picture: Rgb
    ycc: Plane

    @cached_property
    def pattern(self) -> Plane:
        """Luma with tone and contrast of each block taken out, float32 (64, 64)."""
        return _pattern(self.ycc[..., 0])

    @cached_property
    def band(self) -> Plane:
        """Luma without detail and without slow changes, float32 (64, 64), a unit vector or
        zeros."""
        return _band(self.ycc[..., 0])

    @cached_property
    def colours(self) -> float:
        """As in :class:`Evidence`."""
        return _colours(self.ycc)

    @cached_property
    def _planes(self) -> dict[int, Rgb]:
        return {}

    def luma(self, side: int) -> Rgb:
        """Luma, uint8 (h, w), its long side at ``side`` pixels, or less if the picture has less."""
        if side not in self._planes:
            self._planes[side] = _luma(self.picture, side)
        return self._planes[side]


@dataclass(frozen=True, slots=True)
class Laid:
    """The squares of two pictures on each other, ``one`` and ``two``, float32 (64, 64, 3), with
    what says how much they agree and their ``colours``, as in :class:`Evidence`; the rest of that
    costs more."""

    one: Plane
    two: Plane
    correlation: float
    agreement: float
    textured: float
    support: float
    colours: tuple[float, float]

    def evidence(self) -> Evidence:
        a, b = _cells(self.one), _cells(self.two)
        difference = b - a
        size = np.abs(difference)
        changed = size.max(axis=1) > _CHANGED
        unmapped, unmapped_chroma, tint = min(_mapping(a, b), _mapping(b, a), key=_left)
        return Evidence(
            correlation=self.correlation,
            agreement=self.agreement,
            textured=self.textured,
            support=self.support,
            luma=float(size[:, 0].mean()),
            chroma=float(size[:, 1:].mean()),
            luma_worst=float(size[:, 0].max()),
            chroma_worst=float(size[:, 1:].max()),
            changed=float(changed.mean()),
            changed_cells=packed(changed),
            lighter=float(difference[:, 0].mean()),
            hue=_alike(a[:, 1:], b[:, 1:]),
            unmapped=unmapped,
            unmapped_chroma=unmapped_chroma,
            tint=tint,
            colours=self.colours,
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """``correlation`` −1…1 is that of the whole luma; ``agreement`` 0–1 the share of textured
    blocks that show the same picture, over all or over the inner ones, whichever is lower, so
    that a shared frame is no agreement; ``textured`` 0–1 the share of blocks that could tell,
    ``support`` 0–1 the share that agree on more than a slope of brightness.
    Differences are grey values (0–255) between 4 × 4 cell means, the second picture minus the
    first: ``luma`` and ``chroma`` (Cb and Cr) the mean sizes, ``luma_worst`` and
    ``chroma_worst`` the largest; ``changed`` 0–1 the share of cells that differ by over 12,
    ``changed_cells`` which these are (:func:`ris_jobs.match.cells.packed`), as the first lies.
    ``lighter`` is the mean of luma, with its sign; ``hue`` −1…1 how far the chroma of both points
    the same way: 1 for other saturation, the cosine where all hues turn by an angle.
    ``unmapped`` and ``unmapped_chroma`` are the largest differences of luma and of chroma that one
    colour mapping over all cells leaves, ``tint`` what it does to neutral grey. ``colours`` is, for
    each picture, the spread of chroma that luma does not explain: 0 for greyscale and for one tint
    over all.
    ``blurred``: the pictures agree without their detail; ``negative``: with the tones of one
    inverted. Correlation, agreement, ``textured`` and ``support`` are of the pictures so changed.
    ``plain`` 0–1 is the share of small blocks without anything to see, of the less plain picture,
    ``other`` 0–1 the share of those full of detail in which both pictures show other detail;
    ``apart`` 0–1 the share of the largest patch, other than bands along a side, in which they show
    other things, ``drawn`` 0–1 how much is still, pixel by pixel, where they show the same, as
    nothing is that a camera saw; None where they were not looked at.
    """

    correlation: float
    agreement: float
    textured: float
    support: float
    luma: float
    chroma: float
    luma_worst: float
    chroma_worst: float
    changed: float
    changed_cells: str
    lighter: float
    hue: float
    unmapped: float
    unmapped_chroma: float
    tint: float
    colours: tuple[float, float]
    blurred: bool = False
    negative: bool = False
    plain: float | None = None
    other: float | None = None
    apart: float | None = None
    drawn: float | None = None

    @property
    def same(self) -> bool:
        """No more than coding noise between them, whether or not anything is textured."""
        return max(self.luma_worst, self.chroma_worst) <= _SAME


def view(picture: Rgb) -> View:
    """What is kept of a preview (h, w, 3) to compare it with others."""
    scale = KEPT / max(picture.shape[:2])
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
        picture = _resize(picture, width, height)
    return View(picture, _ycc(_resize(picture, SIDE, SIDE)))


def _luma(picture: Rgb, side: int) -> Rgb:
    scale = min(1.0, side / max(picture.shape[:2]))
    height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
    return np.asarray(cv2.cvtColor(_resize(picture, width, height), cv2.COLOR_RGB2GRAY), np.uint8)


def best_orientation(first: View, second: View) -> int:
    """The EXIF value (1–8) of the transform that makes ``second`` most like ``first``."""
    scores = [float((first.pattern * turn(second.pattern, o)).sum()) for o in ORIENTATIONS]
    return int(np.argmax(scores)) + 1


def best_band(first: View, second: View) -> tuple[float, int]:
    """The correlation of two pictures without detail, −1…1, in the orientation (EXIF 1–8, as for
    :func:`best_orientation`) where it is strongest; near −1 for an inverted picture."""
    scores = [float((first.band * turn(second.band, o)).sum()) for o in ORIENTATIONS]
    best = int(np.argmax(np.abs(scores)))
    return scores[best], best + 1


def compare_blurred(first: View, second: View, orientation: int, *, negative: bool) -> Evidence:
    """As :func:`compare`, but whether they agree is told without their detail and, if
    ``negative``, with the tones of the second inverted."""
    as_seen = compare(first, second, orientation)
    found = compare(_blurred(first, 1.0), _blurred(second, -1.0 if negative else 1.0), orientation)
    return replace(
        as_seen,
        correlation=found.correlation,
        agreement=found.agreement,
        textured=found.textured,
        support=found.support,
        blurred=True,
        negative=negative,
    )


def compare(
    first: View, second: View, orientation: int = 1, shared: Mask | None = None
) -> Evidence:
    """Evidence from the first view and the second after the transform ``orientation``; only
    where both are ``shared`` (64, 64), if given."""
    return lay(first, second, orientation, shared).evidence()


def lay(first: View, second: View, orientation: int, shared: Mask | None = None) -> Laid:
    """What :func:`compare` makes its evidence of."""
    one = _through(_size(second, orientation), first.ycc)
    two = _through(_size(first), turn(second.ycc, orientation))
    if shared is not None:
        two = np.where(shared[..., None], two, one)
    agreement, textured, support = _agreement(one[..., 0], two[..., 0], shared)
    correlation = _correlation(one[..., 0], two[..., 0])
    colours = (first.colours, second.colours)
    return Laid(one, two, correlation, agreement, textured, support, colours)


def _blurred(one: View, sign: float) -> View:
    return replace(one, ycc=np.asarray(cv2.GaussianBlur(one.ycc, (0, 0), _BLUR) * np.float32(sign)))


def _band(luma: Plane) -> Plane:
    fine, slow = (cv2.GaussianBlur(luma, (0, 0), sigma) for sigma in _BAND)
    band = np.asarray(fine - slow, np.float32)
    band -= band.mean()
    return np.asarray(band / max(float(np.linalg.norm(band)), _FLAT), np.float32)


def _resize(picture: Rgb, width: int, height: int) -> Rgb:
    shrinks = width <= picture.shape[1] and height <= picture.shape[0]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), dtype=np.uint8)


def _size(one: View, orientation: int = 1) -> tuple[int, int]:
    """Width and height of a picture after a transform, no more than those of the square."""
    height, width = (min(SIDE, side) for side in one.picture.shape[:2])
    return (height, width) if swaps_sides(orientation) else (width, height)


def _through(size: tuple[int, int], square: Plane) -> Plane:
    """The square with no more detail than a picture of ``size`` can give it."""
    if min(size) == SIDE:
        return square
    small = cv2.resize(square, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (SIDE, SIDE)), dtype=np.float32)


def _ycc(picture: Rgb) -> Plane:
    """Y, Cb, Cr of BT.601 (JFIF), float32, chroma around 0."""
    return np.asarray(cv2.transform(picture.astype(np.float32), _YCC), np.float32)


def _cells(square: Plane) -> Plane:
    """(64, 64, 3) → (256, 3), the mean of each cell."""
    n = SIDE // _CELL
    small = cv2.resize(square, (n, n), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(-1, 3)


def _alike(one: Plane, two: Plane) -> float:
    norm = math.sqrt((_power(one) + _COLOURLESS) * (_power(two) + _COLOURLESS))
    return (float((one * two).sum(dtype=np.float64)) + _COLOURLESS) / norm


def _power(values: Plane) -> float:
    return float(np.square(values).sum(dtype=np.float64))


def _mapping(cells: Plane, target: Plane) -> tuple[float, float, float]:
    """What one colour mapping over all cells leaves (largest of luma, and of chroma), and what it
    does to neutral grey (Cb or Cr): least squares by the values and squares of Y, Cb and Cr."""
    values = cells / 128 - np.array([1, 0, 0], dtype=np.float32)
    terms = np.concatenate([np.ones_like(values[:, :1]), values, np.square(values)], axis=1)
    # A little ridge: a picture without neutral colours says little about them.
    square = terms.T @ terms + 0.05 * np.eye(terms.shape[1])
    weights = np.linalg.solve(square, terms.T @ target)
    left = np.abs(terms @ weights - target).max(axis=0)
    return float(left[0]), float(left[1:].max()), float(np.abs(weights[0, 1:]).max())


def _left(mapping: tuple[float, float, float]) -> float:
    return max(mapping[:2])


def _colours(ycc: Plane) -> float:
    luma, *chroma = (plane - plane.mean() for plane in np.moveaxis(ycc, -1, 0).astype(np.float64))
    power = max(float((luma * luma).sum()), 1.0)
    left = [c - luma * ((luma * c).sum() / power) for c in chroma]
    return float(np.sqrt(np.square(left).mean()))


def _correlation(one: Plane, two: Plane) -> float:
    a, b = one - one.mean(), two - two.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 1e-6 else 0.0


def _agreement(one: Plane, two: Plane, shared: Mask | None) -> tuple[float, float, float]:
    a, b = _blocks(one), _blocks(two)
    power_a, power_b = (np.square(x).mean(axis=1) for x in (a, b))
    # Textured in either: a caption over a picture must count against agreement.
    tells = np.maximum(power_a, power_b) > _TEXTURE**2
    if shared is not None:
        n = SIDE // _BLOCK
        tells &= shared.reshape(n, _BLOCK, n, _BLOCK).all(axis=(1, 3)).ravel()
    score = (a * b).mean(axis=1) / np.sqrt(np.maximum(power_a * power_b, 1.0))
    agrees = tells & (score > _AGREES)
    support = agrees & (np.minimum(_unevenness(a, power_a), _unevenness(b, power_b)) > _UNEVEN**2)
    share = min(_share(agrees, tells), _share(agrees[_CORE], tells[_CORE]))
    return share, float(tells.mean()), float(support.mean())


def _share(agrees: Mask, tells: Mask) -> float:
    return float(agrees.sum() / tells.sum()) if tells.any() else 0.0


def _core() -> Mask:
    """The inner 36 of the 64 blocks."""
    inner = np.zeros((SIDE // _BLOCK, SIDE // _BLOCK), dtype=np.bool_)
    inner[1:-1, 1:-1] = True
    return inner.ravel()


_CORE = _core()


def _unevenness(blocks: Plane, power: Plane) -> Plane:
    """The ``power`` of each block without its slope: nothing, for a gradient."""
    slope = np.square(blocks @ _SLOPES.T).sum(axis=1) / blocks.shape[1]
    return np.asarray(power - slope, dtype=np.float32)


def _pattern(luma: Plane) -> Plane:
    """Luma with each block brought to mean 0 and, where it has texture, equal power."""
    blocks = _blocks(luma)
    power = np.square(blocks).mean(axis=1, keepdims=True)
    even = blocks / np.sqrt(np.maximum(power, _TEXTURE**2))
    n = SIDE // _BLOCK
    grid = even.reshape(n, n, _BLOCK, _BLOCK).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(SIDE, SIDE), dtype=np.float32)


def _blocks(plane: Plane) -> Plane:
    """(64, 64) → (64 blocks, 64 values), each block less its mean."""
    n = SIDE // _BLOCK
    blocks = plane.reshape(n, _BLOCK, n, _BLOCK).swapaxes(1, 2).reshape(n * n, -1)
    return np.asarray(blocks - blocks.mean(axis=1, keepdims=True), dtype=np.float32)


def _slopes() -> Plane:
    """Orthonormal rows: a block that rises across, and one that rises down."""
    place = np.arange(_BLOCK) - (_BLOCK - 1) / 2
    rows = np.stack(np.meshgrid(place, place)).reshape(2, -1)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


_SLOPES = _slopes()
_Y = np.array([0.299, 0.587, 0.114])
_YCC = np.stack([_Y, (np.array([0, 0, 1]) - _Y) * 0.564, (np.array([1, 0, 0]) - _Y) * 0.713])
