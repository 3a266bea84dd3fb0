"""Why a pair does not count as a copy, as sentences."""

from __future__ import annotations

from collections.abc import Mapping

from ris_jobs.match.suppression import LOOK_ALIKE, LOW_COMPLEXITY, TINY, likenesses
from ris_jobs.report.text import percent, plural
from ris_jobs.report.views import PairView, Standing

__all__ = ["suppressed"]


def suppressed(pair: PairView, standing: Standing | None, letters: Mapping[str, str]) -> list[str]:
    """None for a pair that counts, or that a reviewer ruled out: the decision says why. ``letters``
    name its images, by sha256."""
    if pair.suppressed == LOOK_ALIKE:
        features = pair.evidence.get("features")
        alike = likenesses(features, pair.probability) if features else ()
        return [f"A look-alike: {_ALIKE[how]}." for how in alike]
    if pair.suppressed == LOW_COMPLEXITY:
        return [f"Low complexity: {_plain(pair, letters)}."]
    if pair.suppressed == "template" and standing:
        return [f"A template, which both fill in or one of them is: {standing.template_uri}"]
    if pair.suppressed == "hub" and standing:
        inner = letters[(pair.source if pair.relation == "composite" else pair.derived).sha256]
        many = plural(standing.hub_pictures, "picture")
        return [f"A hub: {inner} lies inside {many}, many of which do not match one another."]
    return []


_ALIKE = {
    "drawn": "both are of a common kind and plain in many places, as forms, screens and logos are",
    "filled": "what agrees is drawn around one large part, in which each shows another picture",
    "parallax": "what is nearer has moved against what is behind it, as in another view of a scene",
}


def _plain(pair: PairView, letters: Mapping[str, str]) -> str:
    least = min((pair.derived, pair.source), key=lambda image: min(image.width, image.height))
    if min(least.width, least.height) < TINY:
        return f"{letters[least.sha256]} is of {least.width} x {least.height} pixels only"
    pixels = pair.evidence.get("pixels")
    if pixels is None:
        return "previews are gone or damaged, and one of the two has next to no detail"
    share = percent(pixels["support"])
    return f"they agree on more than a slope of brightness in only {share} of the blocks"
