"""What the encodings of two pictures of one frame say of which was made from the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ris_jobs.fingerprint import Traces
from ris_jobs.fingerprint.requantised import QUALITIES
from ris_jobs.match.remade import Rounding

__all__ = ["ENCODINGS", "Seen", "coarser", "encoding", "generation", "kept"]

ENCODINGS = (
    "rounded", "unfit", "spread", "pixels", "lossless", "coarser", "coarser-edited",
    "coarser-recoloured", "chroma", "chroma-edited", "smoothed", "overlay", "requantised", "ghost",
)  # fmt: skip

# Evidence of an earlier quality (nats a coefficient): what counts as one, and the least that tells
# of a quality that no relative has.
_REQUANTISED, _UNASKED = 0.03, 0.04
_NEAR, _COARSER = 2, 3
# Shares of blocks that fit: what chance may leave, what an edit of the rest leaves at least, the
# least that lets the spread speak; and how much more log-odds of fitting are sure.
_CHANCE, _SOME, _MOST, _SURE = 0.01, 0.15, 0.5, 3.4
# Spreads of a JPEG that was rounded from the other, and of one that the other was made from; the
# ratio of two that is clear, and what two that are nearly 0 differ by chance.
_ROUNDED, _KEPT, _CLEARLY, _NONE = 0.9, 0.6, 1.25, 0.02
# Differences of detail (log10 of power) that are as clear as can be.
_FADED, _ADDED = 0.25, 0.15
# The share of blocks with the same pixels that an encoding does not leave: of 301 pictures with a
# lossy copy none shares more than 0.04, of 127 lossless copies, drawn on or not, all but 3 do.
_SAME = 0.15
# Of two JPEGs with the same steps and the same luma: the share of blocks that fit at least, and a
# difference of the colours' detail that is clear. Of 800 calibration pictures encoded so twice 512
# lost more at the second time, none gained as much, and 6 in 100 changed nothing.
_ALIKE, _SMOOTHED = 0.98, 0.005
# From here on a clue on pixels leaves nothing to say for the coarseness of encodings.
_TOLD = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What a pair shows: whether its content is ``changed``, its colours too (``recoloured``), and
    ``mirrored`` (or turned), the roundings of both and the share of the ``same`` blocks, but for
    their colours where those differ (:mod:`ris_jobs.match.remade`)."""

    changed: bool
    recoloured: bool
    mirrored: bool
    one: Rounding | None = None
    two: Rounding | None = None
    same: float = 0.0


def encoding(one: Traces, two: Traces, seen: Seen) -> dict[str, float]:
    """Kind → how far it calls the first derived from the second (above 0), or the reverse.

    ``rounded``: its pixels are what encoding the other's leaves (±1); ``unfit``: the other is a
    JPEG that was not made of its pixels (±1, unedited pairs only); ``spread``: both fit each
    other, and it lies on the other's values (±1); ``pixels``: it keeps without loss the pixels of
    a file that lost some (±1); ``coarser``: by how many times (log2) its encoding leaves more
    error, at most ±2, where none of these tells; ``lossless``: instead of ``coarser``, the content
    differs, and the other one alone is stored without loss (±1); ``chroma``: its colours have less
    detail (±1), unless the colours differ, or both are lossless and share pixels, so that no
    encoding lies between them; ``smoothed``: instead of ``chroma``, both are JPEGs of one quality
    and one luma, and its colours have less detail (±1); ``overlay``: the content differs, but not
    the colours, and it has more fine detail (±1); where the content differs ``coarser`` and
    ``chroma`` are ``-edited``, and ``coarser`` is ``-recoloured`` where the colours do;
    ``requantised``: its coefficients remember the other's JPEG quality (±3), unless the colours
    differ; ``ghost``: the same through another coder or a mirror (±1).
    """
    edited = "-recoloured" if seen.recoloured else "-edited" if seen.changed else ""
    found = {
        "rounded": _rounded(seen.one, seen.two),
        "spread": _spread(seen.one, seen.two),
        "pixels": kept(one, two, seen),
        "ghost": _ghost(one, two) - _ghost(two, one),
    }
    if max(abs(found["rounded"]), abs(found["pixels"])) < _TOLD:
        loss = coarser(one, two)
        if seen.changed and one.lossless is not two.lossless:
            found["lossless"] = _bounded(loss)
        else:
            found["coarser" + edited] = loss
    if not seen.changed:
        found["unfit"] = _unfit(seen.one, seen.two)
    if one.detail and two.detail and not seen.recoloured:
        if _encoded_alike(one, two, seen):
            found["smoothed"] = _bounded((two.detail[1] - one.detail[1]) / _SMOOTHED)
        elif not (one.lossless and two.lossless and seen.same >= _SAME):
            found["chroma" + edited] = _bounded((two.detail[1] - one.detail[1]) / _FADED)
        if seen.changed:
            found["overlay"] = _bounded((one.detail[0] - two.detail[0]) / _ADDED)
    if not seen.mirrored and not seen.recoloured:
        found["requantised"] = _memory(one, two) - _memory(two, one)
    return found


def coarser(one: Traces, two: Traces) -> float:
    """By how many times (log2) the first encoding leaves more error, at most ±2."""
    if one.coarseness is None or two.coarseness is None:
        return 0.0
    return _bounded(one.coarseness - two.coarseness, 2.0)


def generation(traces: Traces) -> float:
    """How far it seems to have been some coarser JPEG before: 0–1."""
    if traces.earlier_quality is not None:
        return 1.0
    own = traces.jpeg_quality or 0
    earlier = zip(QUALITIES, traces.requantised, strict=False)
    most = max((seen for quality, seen in earlier if quality <= own - _COARSER), default=0.0)
    return min(max((most - _UNASKED) / (2 * _REQUANTISED), 0.0), 1.0)


def kept(one: Traces, two: Traces, seen: Seen) -> float:
    """Whether the first keeps without loss the pixels of the second, which lost some (±1)."""
    if seen.same < _SAME and (one.pixels is None or one.pixels != two.pixels):
        return 0.0
    return float(one.lossless) - float(two.lossless)


def _encoded_alike(one: Traces, two: Traces, seen: Seen) -> bool:
    """Whether one seems to be the other encoded once more in the same way, with colours of half the
    size: hardly more than these changes then, for they are averaged and interpolated again."""
    encoded = (one.jpeg_quality, one.subsampling)
    if encoded != (two.jpeg_quality, two.subsampling) or one.subsampling in (None, "4:4:4"):
        return False
    roundings = (seen.one, seen.two)
    return not seen.changed and all(
        found is not None and found.fits >= _ALIKE and found.spread < _KEPT for found in roundings
    )


def _rounded(one: Rounding | None, two: Rounding | None) -> float:
    """How far more blocks of the first fit a rounding of the second than the other way round. Of a
    JPEG and another format only the JPEG can; it fits what was made of it, too, but lies nearer."""
    if one is not None and two is not None:
        return _bounded((_odds(one.fits) - _odds(two.fits)) / _SURE)
    found = one or two
    if found is None:
        return 0.0
    more = max(0.0, _odds(found.fits) - _odds(_SOME)) / _SURE
    spread = (found.spread - _KEPT) / (_ROUNDED - _KEPT)
    rounded = _bounded(more) * min(max(spread, 0.0), 1.0)
    return rounded if one is not None else -rounded


def _odds(share: float) -> float:
    return math.log((share + _CHANCE) / (1 - share + _CHANCE))


def _unfit(one: Rounding | None, two: Rounding | None) -> float:
    """Of a JPEG and another format: whether the JPEG cannot have been made of the other."""
    if one is not None and two is None:
        return -max(0.0, 1 - one.fits / _SOME)
    if two is not None and one is None:
        return max(0.0, 1 - two.fits / _SOME)
    return 0.0


def _spread(one: Rounding | None, two: Rounding | None) -> float:
    """Of two JPEGs that fit, the one with the finer steps is the copy: the other one would not fit
    so well, had it been the copy. One alone is the copy if it is spread as rounding leaves it."""
    if one is not None and two is not None:
        if min(one.fits, two.fits) < _MOST:
            return 0.0
        ratio = (one.spread + _NONE) / (two.spread + _NONE)
        return _bounded(math.log(ratio) / math.log(_CLEARLY))
    found = one or two
    if found is None or found.fits < _MOST:
        return 0.0
    copied = _bounded((found.spread - _KEPT) / (_ROUNDED - _KEPT) * 2 - 1)
    return copied if one is not None else -copied


def _memory(one: Traces, two: Traces) -> float:
    """How far the first remembers the JPEG quality of the second: −1 (not at all) to 2."""
    quality = _quality(two)
    earlier = dict(zip(QUALITIES, one.requantised, strict=False))
    if quality not in earlier or abs((one.jpeg_quality or 0) - quality) < _NEAR:
        return 0.0
    return min(max(earlier[quality] / _REQUANTISED, -1.0), 2.0)


def _ghost(one: Traces, two: Traces) -> float:
    earlier, quality = one.earlier_quality, _quality(two)
    return float(earlier is not None and quality is not None and abs(earlier - quality) <= _NEAR)


def _quality(traces: Traces) -> int | None:
    """That of a JPEG with the steps of libjpeg: others cannot be recognised elsewhere."""
    return traces.jpeg_quality if traces.standard else None


def _bounded(value: float, most: float = 1.0) -> float:
    return min(max(value, -most), most)
