"""Was one picture encoded from the pixels of another? Then it is rounded where a JPEG rounds.

A JPEG made of a picture differs from it by rounding alone: in each block no coefficient by more
than half a step, and by a quarter on the average. What was made of the JPEG lies nearer to it than
that, and what both were made of, or another copy, further off. So patches that both pictures show
(:mod:`ris_jobs.fingerprint.sample`) tell which was made of which, whatever their qualities.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ris_jobs.fingerprint import Fingerprint
from ris_jobs.fingerprint.ghosts import transform
from ris_jobs.fingerprint.sample import SIDE, Patches, places, unpack
from ris_jobs.match.orientation import inverse, swaps_sides, turn

__all__ = ["Remade", "Rounding", "remade"]

_BLOCK = 8
# The lower half of the frequencies, without brightness.
_FREQUENCIES = [8 * v + u for v in range(8) for u in range(8 - v) if u + v]
# Grey values: what decoding to whole values adds to a difference; a finer step than the second
# shows nothing; a block that is further from its own steps was clipped.
_SLACK, _FINEST, _CLIPPED, _BUSY = 0.2, 2, 1.5, 3
# Blocks that differ by so many times the median, and one grey value, were drawn over.
_DRAWN_OVER = 2.5

Blocks = npt.NDArray[np.float32]
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rounding:
    """How another picture's coefficients lie about those of a JPEG, in ``blocks`` of it that show
    something. ``fits``: the share of them (0–1) where none is further than rounding goes;
    ``spread``: the mean distance in these, in quarters of a step: about 1 where the JPEG was rounded from the other picture, 0 where both hold the same."""

    fits: float
    spread: float
    blocks: int


@dataclass(frozen=True, slots=True)
class Remade:
    """The roundings of a pair's two pictures, each None for what is no JPEG; ``same``, the share
    (0–1) of blocks that hold the same pixels."""

    first: Rounding | None
    second: Rounding | None
    same: float


def remade(first: Fingerprint, second: Fingerprint, orientation: int) -> Remade | None:
    """What patches say of two pictures that lie on each other when the second has been through the
    transform ``orientation``; None where they share no block."""
    turns = (second.exif_orientation, orientation, inverse(first.exif_orientation))
    back = tuple(inverse(turned) for turned in reversed(turns))
    one, two = _shared(first, second, turns), _shared(second, first, back)
    if one is None or two is None:
        return None
    same = float((one[0] == one[1]).all(axis=1).mean())
    return Remade(_rounding(first, *one), _rounding(second, *two), same)


def _rounding(picture: Fingerprint, own: Blocks, other: Blocks) -> Rounding | None:
    """``own`` are blocks (n, 64) of the picture, ``other`` what the other one has there."""
    steps, _ = unpack(picture.sample)
    if steps is None:
        return None
    step = np.array(steps, np.float32)[_FREQUENCIES]
    values, others = (blocks @ transform()[:, _FREQUENCIES] for blocks in (own, other))
    levels = np.round(values / step)
    distance, shown = np.abs(others - levels * step), (levels != 0) & (step >= _FINEST)
    used = shown.sum(axis=1) >= _BUSY
    used &= np.abs(values - levels * step).max(axis=1) < _CLIPPED
    fits = used & (distance <= step / 2 + _SLACK).all(axis=1)
    if not used.any():
        return None
    shown &= fits[:, None]
    spread = (4 * distance / step)[shown].mean() if shown.any() else 0.0
    return Rounding(float(fits.sum() / used.sum()), float(spread), int(used.sum()))


def _shared(
    base: Fingerprint, other: Fingerprint, turns: Sequence[int]
) -> tuple[Blocks, Blocks] | None:
    """The same blocks of the grid of ``base`` in both, rows of 64 grey values."""
    size, turned = _stored(base), dict(_turned(other, turns))
    if not base.sample or not turned or _stored(other) != size[:: _sides(turns)]:
        return None
    here = zip(places(*size), unpack(base.sample)[1], strict=True)
    found = [pair for place, patch in here for pair in _blocks(place, patch, turned)]
    if not found:
        return None
    one, two = (np.array(part, np.float32).reshape(-1, _BLOCK**2) for part in zip(*found, strict=True))
    return one, two


def _sides(turns: Sequence[int]) -> int:
    """−1 where width becomes height, else 1."""
    return (-1) ** sum(map(swaps_sides, turns))


def _stored(picture: Fingerprint) -> Place:
    """Width and height before it was turned upright."""
    size = (picture.width, picture.height)
    return size[::-1] if swaps_sides(picture.exif_orientation) else size


def _turned(picture: Fingerprint, turns: Sequence[int]) -> Iterator[tuple[Place, Patches]]:
    """Its patches and where they lie after these transforms."""
    size = _stored(picture)
    for place, patch in zip(places(*size), unpack(picture.sample)[1], strict=False):
        width, height = size
        x, y = place
        for turned in turns:
            if swaps_sides(turned):
                x, y, width, height = y, x, height, width
            if turned in (3, 4, 7, 8):
                y = height - SIDE - y
            if turned in (2, 3, 6, 7):
                x = width - SIDE - x
            patch = turn(patch, turned)
        yield (x, y), patch


def _blocks(
    place: Place, patch: Patches, turned: Mapping[Place, Patches]
) -> Iterator[tuple[Patches, Patches]]:
    """The blocks of a patch that the nearest turned one covers, in both."""
    near = min(turned, key=lambda other: abs(other[0] - place[0]) + abs(other[1] - place[1]))
    right, down = place[0] - near[0], place[1] - near[1]
    for y in (0, _BLOCK):
        for x in (0, _BLOCK):
            if 0 <= x + right <= _BLOCK and 0 <= y + down <= _BLOCK:
                there = turned[near][y + down :, x + right :]
                yield patch[y : y + _BLOCK, x : x + _BLOCK], there[:_BLOCK, :_BLOCK]
