"""From evidence to a relation: how the derived picture came from its source.

What explains most is reported, the rest is listed: a picture inside another (crop, padded,
composite) before a change of orientation (mirrored, rotated), before changed content (edited),
before size (thumbnail, upscaled), before a new encoding (recompressed).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ris_jobs.fingerprint import Fingerprint
from ris_jobs.match import Relation
from ris_jobs.match.alignment import Alignment
from ris_jobs.match.direction import (
    SAME_SIZE,
    detail_gap,
    faded,
    framed,
    linear_ratio,
    own_profile,
)
from ris_jobs.match.orientation import MIRRORED, ROTATED, swaps_sides
from ris_jobs.match.pixels import Evidence

__all__ = ["Kinds", "kinds"]

# What coding leaves between cell means (grey values), less the same for small pictures: of 208
# copies, from JPEG at quality 10 to thumbnails of 24 pixels, at most 1.2 and 5.4 in luma, 1.8 and
# 6.2 in chroma. Small pictures leave more, above all in chroma, which JPEG keeps at half size.
_LUMA, _LUMA_WORST = 1.4, 6.0
_CHROMA, _CHROMA_WORST = 2.0, 10.0
_SMALL = 48
_LOOSE = 3.0
# Mid-band power (log10): blurred, sharpened or noisy beyond what coding does. AVIF smooths more:
# 33 copies of quality 30 lost up to 0.45, as many blurred by a pixel 0.67 and more.
_DETAIL, _DETAIL_AVIF = 0.3, 0.55
# Spread of chroma that a greyscale copy is seen to lack, and that tells nothing of saturation.
_COLOURS, _GREYISH = 1.0, 0.5
_STRETCHED = 0.03
# The logarithm of a scale from which a part was resized, as well as a box tells what both show: of
# 1,191 crops of calibration photos, their scale known, none is further off than 0.025, of 1,050
# pictures pasted into others 6 are further off than this.
_RESIZED = 0.03
# What dropping a profile does, simulated for Adobe RGB (1998) and Display P3 on 104 re-encoded
# copies of calibration photos: what one mapping leaves and does to grey, how alike hues stay, how
# pale and how light values look that are taken for sRGB. A lost gamma of 1.8 is not told from an
# edit that darkens as much.
_PROFILE_LUMA, _PROFILE_CHROMA, _PROFILE_TINT = 5.0, 8.0, 6.0
_PROFILE_HUE, _PROFILE_COLOURS = 0.94, (0.6, 1.15)
_PROFILE_DARKER, _PROFILE_LIGHTER = 3.0, 8.0
COLOUR_PROFILE = "colour-profile"


@dataclass(frozen=True, slots=True)
class Kinds:
    """``relation`` explains most; ``also`` are the other relations that hold, by weight;
    ``changes`` names what was seen to change in an edited picture."""

    relation: Relation
    also: tuple[Relation, ...]
    changes: tuple[str, ...]


def kinds(
    first: Fingerprint,
    second: Fingerprint,
    alignment: Alignment,
    *,
    first_derived: bool,
    scale: float,
) -> Kinds:
    """How the derived one of two aligned pictures came from the other; ``scale`` is its size over
    that of its source (linear) in what both show. Where previews are gone
    (``alignment.pixels`` is None) changed content cannot be seen and is not claimed."""
    changes = tuple(_changes(first, second, alignment))
    found = list(_relations(first, second, alignment, first_derived, scale))
    if set(changes) - {COLOUR_PROFILE}:
        found.insert(sum(r in _BEFORE_CONTENT for r in found), Relation.EDITED)
    found.append(Relation.RECOMPRESSED)
    return Kinds(found[0], tuple(r for r in found[1:] if r != Relation.RECOMPRESSED), changes)


_BEFORE_CONTENT = {
    Relation.CROP,
    Relation.PADDED,
    Relation.COMPOSITE,
    Relation.MIRRORED,
    Relation.ROTATED,
}


def _relations(
    first: Fingerprint,
    second: Fingerprint,
    alignment: Alignment,
    first_derived: bool,
    scale: float,
) -> Iterator[Relation]:
    inside = alignment.inside
    if inside is not None:
        around = Relation.PADDED if framed(inside) else Relation.COMPOSITE
        yield Relation.CROP if inside.inner_first is first_derived else around
    if alignment.orientation in MIRRORED:
        yield Relation.MIRRORED
    if alignment.orientation in ROTATED:
        yield Relation.ROTATED
    whole = inside is None and abs(linear_ratio(first, second) - 1) > SAME_SIZE
    part = inside is not None and abs(math.log(scale)) > _RESIZED
    if (whole or part) and not alignment.bent:
        yield Relation.THUMBNAIL if scale < 1 else Relation.UPSCALED


def _changes(first: Fingerprint, second: Fingerprint, alignment: Alignment) -> Iterator[str]:
    if faded(alignment, _COLOURS) is not None:
        yield "monochrome"
    if alignment.inside is None and _stretch(first, second, alignment.orientation) > _STRETCHED:
        yield "stretched"
    if alignment.bent:
        yield "bent"
    gap = detail_gap(first, second, alignment)
    smoother = first if gap < 0 else second
    if abs(gap) > (_DETAIL_AVIF if smoother.format == "AVIF" else _DETAIL):
        yield "detail"
    if alignment.pixels is not None and alignment.pixels.negative:
        yield "inverted"
    elif alignment.pixels is not None:
        shorter = min(first.width, first.height, second.width, second.height)
        # A box found to the pixel of a small plane leaves both pictures a little apart.
        loose = 1.0 if alignment.inside is None else _LOOSE
        content = tuple(_changed_content(alignment.pixels, loose, _SMALL / shorter))
        profiled = content and _profile_dropped(first, second, alignment.pixels)
        yield from (COLOUR_PROFILE,) if profiled else content


def _profile_dropped(first: Fingerprint, second: Fingerprint, pixels: Evidence) -> bool:
    """True when a lost colour profile explains every difference: grey and hues stayed, and the
    colours of the picture that lacks it are paler, as those of a wider gamut taken for sRGB."""
    lacks_first, lacks_second = (own_profile(f) is None for f in (first, second))
    if lacks_first is lacks_second:
        return False
    one, two = (_GREYISH + c for c in pixels.colours)
    left, lighter = (one / two, -pixels.lighter) if lacks_first else (two / one, pixels.lighter)
    low, high = _PROFILE_COLOURS
    small = _SMALL / min(first.width, first.height, second.width, second.height)
    return (
        low <= left <= high
        and lighter >= -_PROFILE_DARKER
        and pixels.luma <= _PROFILE_LIGHTER
        and pixels.hue >= _PROFILE_HUE
        and pixels.tint <= _PROFILE_TINT
        and pixels.unmapped <= _PROFILE_LUMA * (1 + small)
        and pixels.unmapped_chroma <= _PROFILE_CHROMA * (1 + 2 * small)
    )


def _changed_content(pixels: Evidence, loose: float, small: float) -> Iterator[str]:
    luma, chroma = loose * (1 + small), loose * (1 + 2 * small)
    if pixels.chroma > _CHROMA * chroma:
        yield "colour"
    if pixels.luma > _LUMA * luma:
        yield "tone"
    if pixels.luma_worst > _LUMA_WORST * luma or pixels.chroma_worst > _CHROMA_WORST * chroma:
        yield "local"


def _stretch(first: Fingerprint, second: Fingerprint, orientation: int) -> float:
    """How far the shapes differ beyond what rounding to whole pixels explains, as a fraction."""
    width, height = second.width, second.height
    if swaps_sides(orientation):
        width, height = height, width
    ratio = (first.width / first.height) / (width / height)
    rounding = 1 / min(first.width, first.height, width, height)
    return max(ratio, 1 / ratio) - 1 - rounding
