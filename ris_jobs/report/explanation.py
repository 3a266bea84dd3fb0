"""Everything there is to say of a pair of images, so that its decision can be re-derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ris_jobs.fingerprint import Manifest
from ris_jobs.match.derivation import Derivation
from ris_jobs.match.examine import HASHES_NEAR, HASHES_SURE, PDQ_NEAR, SEARCHED
from ris_jobs.match.ruling import Ruling, Stop
from ris_jobs.report.suppressed import suppressed
from ris_jobs.report.text import ORIENTATIONS, chance, percent
from ris_jobs.report.views import ImageView, PairView, Standing

__all__ = ["Explanation", "Judged", "Versions", "as_json", "headline", "reasons"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How a pair without a stored match fares now. ``rank`` counts the images nearer to the one
    than the other is, None where neither is a candidate for the other; ``parts`` are those of
    the two images whose ``cosine`` (−1…1) it is. The rest are the limits it was held to."""

    ruling: Ruling
    rank: int | None
    cosine: float
    parts: tuple[int, int]
    top_k: int
    min_cosine: float
    search_cosine: float
    min_probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What decided. ``calibration`` is the version that gave the probability, ``at_hand`` the
    same where this code keeps it, else the one that it has for the ``model``; the run is None for
    a pair judged now."""

    model: str
    calibration: str
    at_hand: str
    run_id: int | None
    settings_hash: str
    code: str

    @property
    def current(self) -> bool:
        """Whether the coefficients at hand are those that decided."""
        return self.calibration == self.at_hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """``images`` as they were asked for; ``pair`` is None where they are no match, or the same
    bytes; ``judged`` is None where the tables hold the match, ``standing`` where they do not;
    ``derivation`` is by the coefficients at hand; ``manifests`` are the C2PA manifests of the
    images, None for one that has none."""

    images: tuple[ImageView, ImageView]
    pair: PairView | None
    judged: Judged | None
    derivation: Derivation | None
    versions: Versions | None
    standing: Standing | None = None
    manifests: tuple[Manifest | None, Manifest | None] = (None, None)

    @property
    def identical(self) -> bool:
        """Whether both are the same bytes."""
        return self.images[0].sha256 == self.images[1].sha256

    @property
    def outcome(self) -> str:
        """``identical``, ``match`` or ``no match``."""
        return "identical" if self.identical else "match" if self.pair else "no match"

    @property
    def rederived(self) -> bool | None:
        """Whether the probability follows from the features; None where that cannot be told:
        other coefficients decided."""
        if not (self.pair and self.derivation and self.versions and self.versions.current):
            return None
        return self.derivation.gives(self.pair.probability)


def headline(said: Explanation) -> str:
    """The outcome in a few words."""
    if said.pair is None:
        return said.outcome
    how = " and ".join([said.pair.relation, *said.pair.evidence.get("also", ())])
    shown = f"{how}, {chance(said.pair.probability)} sure"
    return f"{shown}, suppressed: {said.pair.suppressed}" if said.pair.suppressed else shown


def reasons(said: Explanation) -> list[str]:
    """Why, as sentences; A and B are the images as they were asked for."""
    if said.identical:
        return [_first_seen(said.images)]
    found = [_direction(said, said.pair), *_suppressed(said, said.pair)] if said.pair else []
    found += _decision(said.standing) if said.standing else []
    return [*found, *_judged(said.judged)] if said.judged else found


def _first_seen(images: Sequence[ImageView]) -> str:
    one, two = (image.first_seen_at for image in images)
    if one == two:
        return "The same bytes, first seen in the same run."
    return f"The same bytes, {'A' if one < two else 'B'} was seen first."


def _direction(said: Explanation, pair: PairView) -> str:
    derived = "A" if pair.derived.sha256 == said.images[0].sha256 else "B"
    source = "B" if derived == "A" else "A"
    if not pair.directed:
        taken = f"{derived} is written as derived: {_taken(pair)}"
        return f"Which came first is undetermined; {taken}."
    reason = str(pair.evidence.get("direction"))
    return f"{derived} is derived from {source} ({reason}): {_LOSSES.get(reason, reason)}."


def _taken(pair: PairView) -> str:
    """Why an image is written as derived though nothing says that it is."""
    if pair.relation in _PARTS:
        return _PARTS[pair.relation]
    derived, source = pair.derived, pair.source
    if derived.first_seen_at > source.first_seen_at:
        return "it was seen later"
    if (derived.first_seen_at, derived.sha256) > (source.first_seen_at, source.sha256):
        return "both were first seen in the same run, and its sha256 is the higher one"
    return "an earlier version of this program took it to be"


_PARTS = {
    "crop": "what is a part of another picture is taken to be cut out of it",
    "padded": "what has a plain frame around the other is taken to be framed",
    "composite": "what shows another picture and more is taken to be made of it",
}
# What each reason for a direction says of the derived image. The last two are of rows that earlier
# versions wrote.
_LOSSES = {
    "border": "it has a border that was added",
    "pasted": "the other was pasted into it",
    "containment": "the other shows more of the scene",
    "enlargement": "it is larger, but holds no more detail",
    "resolution": "it has fewer pixels",
    "detail": "it has less detail",
    "colour": "it lacks the colours",
    "encoding": "its values are rounded where encoding the other rounds them",
    "metadata": "it lacks what the camera wrote",
    "colour-profile": "it lacks the colour profile",
}


def _suppressed(said: Explanation, pair: PairView) -> list[str]:
    letters = {image.sha256: letter for letter, image in zip("AB", said.images, strict=True)}
    return suppressed(pair, said.standing, letters)


def _decision(standing: Standing) -> list[str]:
    said = standing.decided
    return [] if said is None else [f"{said.who} decided: {said.answer}, because: {said.why}"]


def _judged(judged: Judged) -> list[str]:
    """Why the tables hold no match."""
    found = []
    if judged.rank is None:
        found.append(
            f"No candidate: neither is among the {judged.top_k} nearest of the other with a cosine "
            f"of {judged.min_cosine} or a PDQ hash within {PDQ_NEAR} bits."
        )
    return [*found, _STOPS[judged.ruling.stop](judged)]


def _stored_no_more(judged: Judged) -> str:
    return (
        f"No match is stored, but judged now it is one, {chance(judged.ruling.probability or 0)} "
        "sure: other settings, another version, or nearer images stood before it."
    )


def _far(judged: Judged) -> str:
    far = judged.ruling.distance
    said = (
        f"Too far: {far.combined} of 128 bits of pHash and dHash differ (near: {HASHES_NEAR}), "
        f"{far.pdq} of 256 of PDQ (near: {PDQ_NEAR}), and "
    )
    if judged.cosine >= judged.search_cosine:
        return (
            f"{said}{judged.rank} images that hashes do not settle are nearer (only the {SEARCHED} "
            "nearest of them are looked at, and what matches the same images)."
        )
    return (
        f"{said}the cosine {judged.cosine:.3f} is below {judged.search_cosine}, "
        "from which pixels are compared."
    )


def _unaligned(judged: Judged) -> str:
    alignment = judged.ruling.alignment
    if alignment is None or alignment.pixels is None:
        bits = judged.ruling.distance.combined
        return (
            f"No alignment: previews are gone or damaged, and {bits} of 128 bits of pHash and "
            f"dHash differ ({HASHES_SURE} would do)."
        )
    agreement, way = percent(alignment.pixels.agreement), "the best way"
    if alignment.orientation != 1:
        way += f" (one of them {ORIENTATIONS[alignment.orientation]})"
    return f"No alignment: laid on each other, {way}, they agree in {agreement} of the blocks."


def _improbable(judged: Judged) -> str:
    found, least = chance(judged.ruling.probability or 0), judged.min_probability
    return f"Improbable: {found} is below RIS_MIN_PROBABILITY, {percent(least)}."


_STOPS = {
    None: _stored_no_more,
    Stop.FAR: _far,
    Stop.UNALIGNED: _unaligned,
    Stop.IMPROBABLE: _improbable,
}


def as_json(said: Explanation) -> dict[str, Any]:
    """JSON values, for ``--json``."""
    return {
        "outcome": said.outcome,
        "stored": said.pair is not None and said.judged is None,
        "reasons": reasons(said),
        "images": [*map(_image, said.images, said.manifests)],
        "match": said.pair and _pair(said.pair),
        "standing": said.standing and _standing(said.standing),
        "judged": said.judged and _judgement(said.judged),
        "derivation": said.derivation and _derivation(said.derivation),
        "rederived": said.rederived,
        "versions": said.versions and asdict(said.versions),
    }


def _image(image: ImageView, manifest: Manifest | None) -> dict[str, Any]:
    return asdict(image) | {
        "first_seen_at": image.first_seen_at.isoformat(),
        "manifest": manifest and asdict(manifest),
    }


_OF_MATCH = (
    *("relation", "directed", "probability", "cosine", "hash_distance", "inliers", "scale"),
    *("orientation", "box", "suppressed", "evidence"),
)


def _pair(pair: PairView) -> dict[str, Any]:
    sides = {
        f"{side}_{name}": getattr(image, name)
        for side, image in (("derived", pair.derived), ("source", pair.source))
        for name in ("uri", "sha256")
    }
    return sides | {name: getattr(pair, name) for name in _OF_MATCH}


def _standing(standing: Standing) -> dict[str, Any]:
    said = standing.decided
    return asdict(standing) | {"decided": said and asdict(said) | {"at": said.at.isoformat()}}


def _judgement(judged: Judged) -> dict[str, Any]:
    limits = ("rank", "cosine", "parts", "top_k", "min_cosine", "search_cosine", "min_probability")
    ruling = judged.ruling
    aligned = ruling.alignment and asdict(ruling.alignment)
    return {name: getattr(judged, name) for name in limits} | {
        "stop": ruling.stop,
        "hashes": asdict(ruling.distance),
        "alignment": aligned,
        "features": ruling.features and dict(ruling.features),
        "probability": ruling.probability,
    }


def _derivation(found: Derivation) -> dict[str, Any]:
    return {
        "intercept": found.intercept,
        "terms": [asdict(term) | {"contribution": term.contribution} for term in found.terms],
        "unweighted": dict(found.unweighted),
        "score": found.score,
        "probability": found.probability,
    }
