"""A confirmed pair in words: which is derived, how, at what scale, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ris_jobs.match import Match, Side
from ris_jobs.match.alignment import Alignment, Verified
from ris_jobs.match.calibration import Calibration
from ris_jobs.match.changed import changed
from ris_jobs.match.direction import Direction, detail_gap, direction, set_in, shown_ratio
from ris_jobs.match.examine import Examined
from ris_jobs.match.orientation import inverse
from ris_jobs.match.probability import probability
from ris_jobs.match.relation import Kinds, kinds
from ris_jobs.match.remade import Remade, comparable, remade
from ris_jobs.match.suppression import suppression

__all__ = ["Scored", "describe", "needs_samples"]


@dataclass(frozen=True, slots=True)
class Scored:
    """What was seen of a pair, the probability (0–1) that follows from it, and why it must not
    count as a copy, if so."""

    examined: Examined
    probability: float
    suppressed: str | None
    calibration: Calibration

    @classmethod
    def of(cls, examined: Examined, calibration: Calibration) -> Scored:
        chance = probability(examined.features, calibration)
        one, two = (side.fingerprint for side in examined.sides)
        alike = suppression(one, two, examined.alignment, examined.features, chance)
        return cls(examined, chance, alike, calibration)

    def kept(self, min_probability: float) -> bool:
        """Whether the pair is a match: probable enough, or suppressed, which must be seen."""
        return self.probability >= min_probability or self.suppressed is not None


def describe(scored: Scored, *, enlarged: bool | None) -> Match:
    """The match of an examined pair; ``enlarged`` as in :func:`direction`."""
    seen, alignment = scored.examined, scored.examined.alignment
    first, second = seen.sides
    one, two = first.fingerprint, second.fingerprint
    made = remade(one, two, alignment.orientation) if needs_samples(seen) else None
    towards = direction(one, two, alignment, enlarged=enlarged, made=made)
    first_derived = _first_derived(first, second, alignment, towards)
    scale = _scale(first, second, alignment, first_derived)
    how = kinds(one, two, alignment, first_derived=first_derived, scale=scale)
    derived, source = (first, second) if first_derived else (second, first)
    gap = detail_gap(derived.fingerprint, source.fingerprint, alignment)
    sizes = {"enlarged": enlarged, "detail_gap": round(gap, 4)}
    turned = alignment.orientation
    return Match(
        derived_id=derived.image_id,
        source_id=source.image_id,
        relation=how.relation,
        probability=scored.probability,
        cosine=seen.cosine,
        hash_distance=seen.distance.phash,
        inliers=None if alignment.verified is None else alignment.verified.inliers,
        scale=scale,
        orientation=turned if first_derived else inverse(turned),
        box=alignment.inside.box if alignment.inside is not None else None,
        suppressed=scored.suppressed,
        evidence=_evidence(scored, towards, how, made, first_derived) | sizes,
    )


def needs_samples(seen: Examined) -> bool:
    """Whether :func:`describe` looks at the samples of a pair: of whole pictures of one size."""
    if seen.alignment.inside is not None or seen.alignment.bent:
        return False
    one, two = (side.fingerprint for side in seen.sides)
    return comparable(one, two, seen.alignment.orientation)


def _first_derived(first: Side, second: Side, alignment: Alignment, towards: Direction) -> bool:
    """By the evidence. Where it does not say, a picture that what is around sets in at its edge is
    taken to be framed or pasted and any other part of a picture to be cut out, whichever was seen
    first; of whole pictures the one seen later is, then that with the higher sha256."""
    if towards.first_derived is not None:
        return towards.first_derived
    if (inside := alignment.inside) is not None:
        around = set_in(first.fingerprint, second.fingerprint, alignment, inside)
        return inside.inner_first is not around
    return (first.first_seen_at, first.sha256) > (second.first_seen_at, second.sha256)


def _scale(first: Side, second: Side, alignment: Alignment, first_derived: bool) -> float:
    """Derived size / source size (linear) of what both show."""
    ratio = shown_ratio(first.fingerprint, second.fingerprint, alignment)
    return ratio if first_derived else 1 / ratio


def _evidence(
    scored: Scored, towards: Direction, how: Kinds, made: Remade | None, first_derived: bool
) -> dict[str, Any]:
    seen = scored.examined
    return {
        "direction": towards.reason,
        "direction_for": [reason for reason, side in towards.claims if side is first_derived],
        "direction_against": [r for r, side in towards.claims if side is not first_derived],
        "also": [relation.value for relation in how.also],
        "changes": list(how.changes),
        "searched": seen.alignment.searched,
        "nearest_parts": dict(zip(_sides(first_derived), seen.parts, strict=True)),
        "hashes": asdict(seen.distance),
        **_rounded(_compared(seen.alignment, first_derived)),
        "remade": _rounded(_remade(made, first_derived)),
        "keypoints": _rounded(_keypoints(seen.alignment.verified, first_derived)),
        "features": _rounded(seen.features),
        "calibration": {
            "model": scored.calibration.model,
            "version": scored.calibration.version,
        },
    }


def _compared(alignment: Alignment, first_derived: bool) -> dict[str, Any]:
    """What the previews showed, in terms of the derived picture and its source."""
    if alignment.pixels is None:
        return {"previews": "gone", "pixels": None, "inside": None}
    pixels, inside = asdict(alignment.pixels), alignment.inside
    pixels["colours"] = dict(zip(_sides(first_derived), alignment.pixels.colours, strict=True))
    pixels |= _changed(alignment, first_derived)
    if inside is None:
        return {"previews": "compared", "pixels": pixels, "inside": None}
    part = {"score": inside.score, "cut": inside.cut, "surround": asdict(inside.surround)}
    part["inner"] = _sides(first_derived)[0 if inside.inner_first else 1]
    return {"previews": "compared", "pixels": pixels, "inside": part}


def _changed(alignment: Alignment, first_derived: bool) -> dict[str, Any]:
    """Which cells differ, and of which part of the derived picture or its source they are."""
    found = changed(alignment, of_first=first_derived)
    if found is None:
        return {}
    picture = _sides(first_derived)[0 if found.of_first else 1]
    return {"changed_cells": found.cells, "cells_of": {"picture": picture, "box": found.box}}


def _remade(made: Remade | None, first_derived: bool) -> dict[str, Any] | None:
    """What patches of both say, in terms of the derived picture and its source."""
    if made is None:
        return None
    roundings = (r and asdict(r) for r in (made.first, made.second))
    of_both = {"same": made.same, "toned": made.toned}
    return {**dict(zip(_sides(first_derived), roundings, strict=True)), **of_both}


def _keypoints(verified: Verified | None, first_derived: bool) -> dict[str, Any] | None:
    """On which map keypoints agree, in terms of the derived picture and its source."""
    if verified is None:
        return None
    sides = _sides(first_derived)
    return {
        "inliers": verified.inliers,
        "matched": verified.matched,
        "parallax": verified.parallax,
        "straight": verified.straight,
        "coverage": dict(zip(sides, verified.coverage, strict=True)),
        "overlap": dict(zip(sides, (verified.first, verified.second), strict=True)),
    }


def _sides(first_derived: bool) -> tuple[str, str]:
    """What the first and the second side are."""
    return ("derived", "source") if first_derived else ("source", "derived")


def _rounded(values: Any) -> Any:
    """JSON values with floats at four digits, which is more than any of them is worth."""
    if isinstance(values, Mapping):
        return {name: _rounded(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_rounded(value) for value in values]
    return round(values, 4) if isinstance(values, float) else values
