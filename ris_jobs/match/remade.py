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

__all__ = ["Remade", "Rounding", "comparable", "remade"]

_BLOCK = 8
# The lower half of the frequencies, without brightness.
_FREQUENCIES = [8 * v + u for v in range(8) for u in range(8 - v) if u + v]
# Grey values that arithmetic adds to a distance, and an estimate of tones; steps finer than the
# next show nothing; a block further than this from its own steps was clipped; how many
# coefficients make a block busy.
_SLACK, _SLACK_TONED, _FINEST, _CLIPPED, _BUSY = 0.4, 0.8, 3, 1.5, 3
# Blocks that fit are enough from this share on, else tones may have changed: what lies so many
# times further off than half of the pixels does not count for them.
_FIT, _DRAWN_OVER, _ROUNDS = 0.5, 2.5, 4
# Where a change of tones may bend, in R, G and B, for what is made brighter is clipped, and the
# price of a bend, which keeps it to what many pixels show. Of 233 pairs of a calibration picture
# and a copy in other colours 8 looked clearly reversed without bends, and 4 with them.
_BENDS, _PRICE = (64, 128, 192, 230), 3000.0
# Y, Cb and Cr to R, G and B (ITU-R BT.601 as JFIF has it).
_RGB = np.array([[1, 1, 1], [0, -0.344136, 1.772], [1.402, -0.714136, 0]])
# The spread of grey values in a block that shows something, and the least of such blocks; how far
# (root mean square) those of a block may lie from a change of tones: rounding leaves less, and an
# encoding more. Of 13 lossless copies in other colours 11 share more than 0.4 of such blocks with
# what they were made of, of 39 pictures with lossy copies in other colours none more than 0.08.
_SHOWN, _SOME, _TONED = 2.0, 2, 0.6
# What tells which was encoded from the other: how many blocks at least, and which share of them,
# fit the one; which share at most fits the other; the least spread of what was rounded. Of 2,803
# pairs of a copy and its source this directs 477, none wrongly; of 20,006 pairs of copies of one
# picture, most of which were not made of each other, 213.
_ENOUGH, _SURELY, _UNFIT, _ROUNDED = 8, 0.98, 0.15, 0.9

Blocks = npt.NDArray[np.float32]
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rounding:
    """How another picture's coefficients lie about those of a JPEG, in ``blocks`` of it that show
    something. ``fits``: the share of them (0–1) where none is further than rounding goes;
    ``spread``: the mean distance in these, in quarters of a step: about 1 where the JPEG was
    rounded from the other picture, 0 where both hold the same."""

    fits: float
    spread: float
    blocks: int


@dataclass(frozen=True, slots=True)
class Remade:
    """The roundings of a pair's two pictures, each None for what is no JPEG, or too fine a one;
    of the blocks that show something ``same`` is the share (0–1) that hold the same pixels, and
    ``toned`` that where a change of tones alone lies between, 0 unless one of the two is lossless
    and the other's encoding leaves an error of more than a grey value; both are 0 where fewer than
    two show something."""

    first: Rounding | None
    second: Rounding | None
    same: float
    toned: float = 0.0

    @property
    def first_encoded(self) -> bool | None:
        """Whether the first was encoded from the second's pixels, or such as hardly differ from
        them; False where it is the reverse, None where patches do not clearly tell."""
        one, two = self.first, self.second
        if one is not None and two is not None:
            fits, other = max(one, two, key=_fit), min(one, two, key=_fit)
            told = other.fits <= _UNFIT
        elif found := one or two:
            fits, told = found, found.spread >= _ROUNDED
        else:
            return None
        if not told or fits.fits < _SURELY or fits.blocks < _ENOUGH:
            return None
        return fits is one


def _fit(rounding: Rounding) -> float:
    return rounding.fits


def comparable(first: Fingerprint, second: Fingerprint, orientation: int) -> bool:
    """Whether patches can say something of two whole pictures, of which the second lies on the
    first when it has been through ``orientation``: their files hold pictures of one size."""
    turns = (second.exif_orientation, orientation, first.exif_orientation)
    return _stored(second) == _stored(first)[:: _sides(turns)]


def remade(first: Fingerprint, second: Fingerprint, orientation: int) -> Remade | None:
    """What patches say of two pictures that lie on each other when the second has been through the
    transform ``orientation``; None where they share no block."""
    if not comparable(first, second, orientation):
        return None
    turns = (second.exif_orientation, orientation, inverse(first.exif_orientation))
    back = tuple(inverse(turned) for turned in reversed(turns))
    one, two = _shared(first, second, turns), _shared(second, first, back)
    if one is None or two is None:
        return None
    same = _kept(one[0][..., 0], one[1][..., 0], 0.0)
    toned = 0.0
    if first.traces.lossless and _loses(second):
        toned = _only_toned(*one)
    elif second.traces.lossless and _loses(first):
        toned = _only_toned(*two)
    return Remade(_rounding(first, *one), _rounding(second, *two), same, toned)


def _loses(picture: Fingerprint) -> bool:
    """Whether its encoding leaves more of an error than a change of tones does."""
    return not picture.traces.lossless and (picture.traces.coarseness or 0.0) > 0


def _only_toned(own: Blocks, other: Blocks) -> float:
    """The share of the blocks (n, 64, 3) that are the other's but for their tones."""
    return _kept(own[..., 0], _toned(own[..., 0], other), _TONED)


def _kept(own: Blocks, other: Blocks, slack: float) -> float:
    """Of the blocks (n, 64) that show something the share that lie no further (root mean square)
    from the other's. What shows nothing may well come out of an encoding as it was."""
    shown = own.std(axis=1) > _SHOWN
    if shown.sum() < _SOME:
        return 0.0
    off = np.sqrt(np.square(other - own).mean(axis=1))
    return float((off <= slack)[shown].mean())


def _rounding(picture: Fingerprint, own: Blocks, other: Blocks) -> Rounding | None:
    """``own`` are blocks (n, 64, 3) of the picture, ``other`` what the other one has there."""
    steps, _ = unpack(picture.sample)
    if steps is None:
        return None
    found = _compared(steps, own[..., 0], other[..., 0], _SLACK)
    if found is None or found.fits >= _FIT:
        return found
    for bends in ((), _BENDS):
        luma = _toned(own[..., 0], other, bends)
        toned = _compared(steps, own[..., 0], luma, _SLACK_TONED)
        found = max(found, toned or found, key=_fit)
    return found


def _compared(steps: Sequence[int], own: Blocks, other: Blocks, slack: float) -> Rounding | None:
    looked_at = [f for f in _FREQUENCIES if steps[f] >= _FINEST]
    step = np.array(steps, np.float32)[looked_at]
    values, others = (blocks @ transform()[:, looked_at] for blocks in (own, other))
    levels = np.round(values / step)
    distance, shown = np.abs(others - levels * step), levels != 0
    used = shown.sum(axis=1) >= _BUSY
    used &= np.abs(values - levels * step).max(axis=1, initial=0) < _CLIPPED
    fits = used & (distance <= step / 2 + slack).all(axis=1)
    if not used.any():
        return None
    shown &= fits[:, None]
    spread = (4 * distance / step)[shown].mean() if shown.any() else 0.0
    return Rounding(float(fits.sum() / used.sum()), float(spread), int(used.sum()))


def _toned(own: Blocks, other: Blocks, bends: Sequence[int] = ()) -> Blocks:
    """The luma (n, 64) that a change of tone and colour gives the other: the nearest sum of its Y,
    Cb, Cr and a constant, and of what R, G and B exceed each of ``bends`` by, by least squares
    without what it explains least."""
    values = _terms(other, bends)
    price = np.diag([0.0] * 4 + [_PRICE] * (values.shape[1] - 4))
    wanted, kept = own.ravel(), np.ones(own.size, bool)
    for _ in range(_ROUNDS):
        part = values[kept]
        weights = np.linalg.lstsq(part.T @ part + price, part.T @ wanted[kept], rcond=None)[0]
        off = np.abs(values @ weights - wanted)
        kept = off <= _DRAWN_OVER * np.median(off[kept]) + 0.5
    toned: Blocks = (values @ weights).astype(np.float32).reshape(own.shape)
    return toned


def _terms(other: Blocks, bends: Sequence[int]) -> npt.NDArray[np.float64]:
    """What a change of tones is a sum of: (pixels, 4 + 3 for each bend)."""
    straight = np.ones((other.size // 3, 4))
    straight[:, :3] = other.reshape(-1, 3) - 128
    rgb = straight[:, :3] @ _RGB + 128
    return np.hstack([straight, *(np.maximum(rgb - bend, 0) for bend in bends)])


def _shared(
    base: Fingerprint, other: Fingerprint, turns: Sequence[int]
) -> tuple[Blocks, Blocks] | None:
    """The same blocks of the grid of ``base`` in both, Y, Cb and Cr: (n, 64, 3)."""
    size, turned = _stored(base), dict(_turned(other, turns))
    if not base.sample or not turned:
        return None
    here = zip(places(*size), unpack(base.sample)[1], strict=True)
    found = [pair for place, patch in here for pair in _blocks(place, patch, turned)]
    if not found:
        return None
    one, two = (np.array(part, np.float32) for part in zip(*found, strict=True))
    return one.reshape(-1, _BLOCK**2, 3), two.reshape(-1, _BLOCK**2, 3)


def _sides(turns: Sequence[int]) -> int:
    """−1 where width becomes height, else 1."""
    return -1 if sum(map(swaps_sides, turns)) % 2 else 1


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
    near = place
    if place not in turned:
        near = min(turned, key=lambda other: abs(other[0] - place[0]) + abs(other[1] - place[1]))
    right, down = place[0] - near[0], place[1] - near[1]
    for y in (0, _BLOCK):
        for x in (0, _BLOCK):
            if 0 <= x + right <= _BLOCK and 0 <= y + down <= _BLOCK:
                there = turned[near][y + down :, x + right :]
                yield patch[y : y + _BLOCK, x : x + _BLOCK], there[:_BLOCK, :_BLOCK]
