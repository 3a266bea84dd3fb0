"""How likely a pair is a copy, from a few features by a calibrated logistic model."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ris_jobs.match import Side
from ris_jobs.match.alignment import Alignment, Verified
from ris_jobs.match.calibration import Calibration, Logistic
from ris_jobs.match.pixels import Evidence
from ris_jobs.match.rerank import HashDistance

__all__ = ["features", "logistic", "probability"]


# Grey values between two cells, and the share of blocks, that are other content beyond doubt.
_DIFFERENT, _DISAGREES = 30.0, 0.5
# What counts as no other detail, as a share.
_LEAST = 0.01
# The share of a part that is large enough to be what a frame is there for, and how still, pixel by
# pixel, what is drawn is: of 3,078 copies 28 come to 0.3 by both, and 2 to 0.9; of 46 pictures in
# one frame 42 and 39, of 263 screens of one application 236 and 110.
_LARGE, _DRAWN = 0.25, (0.25, 0.35)
# Pixels of parallax: of 2,673 verified copies 97 % have less than 0.1 and two more than 0.2, which
# 196 of 215 other views reach.
_PARALLAX = (0.1, 0.2)


def features(
    sides: tuple[Side, Side],
    parts: tuple[int, int],
    cosine: float,
    distance: HashDistance,
    alignment: Alignment,
) -> dict[str, float]:
    """What the model looks at, by name; every value lies within −1…1.

    ``cosine`` is that of the two sides' ``parts``; ``partly`` is 1 where one of these is a region,
    ``common`` the mean of how common they are, ``complexity`` the lower of the two. ``verified`` is
    1 where keypoints were asked and agree, ``inliers`` grows with the logarithm of how many agree,
    ``differs`` with the largest difference of two cells; ``template`` and ``unlike`` are high where
    something common (a form, a screen, a sign) shows other content, in one place or in many;
    ``plain`` is the share of nothing to see, ``other`` grows with the logarithm of the share of
    detail that differs. ``filled`` is high where only what is drawn around one large part agrees,
    ``parallax`` where neighbouring keypoints lie off their map together, as in another view of the
    scene, ``stray`` is the share of matched keypoints that lie elsewhere. What needs previews is
    left out where they are gone.
    """
    common = [side.commonness[part] for side, part in zip(sides, parts, strict=True)]
    found = {
        "cosine": cosine,
        "partly": float(parts != (0, 0)),
        "common": sum(common) / 2,
        "hashes": min(distance.combined, 64) / 64,
        "complexity": min(side.fingerprint.quality.complexity for side in sides),
    }
    if alignment.pixels is not None:
        found |= _seen(alignment, alignment.pixels, found["common"])
    return found


def _seen(alignment: Alignment, pixels: Evidence, common: float) -> dict[str, float]:
    agreement = 1.0 if pixels.same else pixels.agreement
    differs = min(1.0, max(pixels.luma_worst, pixels.chroma_worst) / _DIFFERENT)
    return {
        "agreement": agreement,
        "correlation": pixels.correlation,
        "differs": differs,
        "template": common * differs,
        "unlike": common * min(1.0, (1 - agreement) / _DISAGREES),
        "inside": float(alignment.inside is not None),
        "plain": pixels.plain or 0.0,
        "other": 1 + math.log10((pixels.other or 0.0) * (1 - _LEAST) + _LEAST) / 2,
        "filled": min(1.0, (pixels.apart or 0.0) / _LARGE) * _between(pixels.drawn or 0.0, _DRAWN),
        **_by_keypoints(alignment.verified),
    }


def _by_keypoints(verified: Verified | None) -> dict[str, float]:
    if verified is None:
        return {"verified": 0.0, "inliers": 0.0, "parallax": 0.0, "stray": 0.0}
    return {
        "verified": 1.0,
        "inliers": min(1.0, math.log2(1 + verified.inliers) / 10),
        "parallax": _between(verified.parallax, _PARALLAX),
        "stray": 1 - verified.inliers / verified.matched,
    }


def _between(value: float, bounds: tuple[float, float]) -> float:
    """0 up to the lower bound, 1 from the upper one on, and in proportion between."""
    return min(1.0, max(0.0, (value - bounds[0]) / (bounds[1] - bounds[0])))


def probability(found: Mapping[str, float], calibration: Calibration) -> float:
    """0–1, calibrated over all pairs that a scan looks at."""
    return logistic(found, calibration).probability(found)


def logistic(found: Mapping[str, float], calibration: Calibration) -> Logistic:
    """The coefficients that fit: with previews or without."""
    return calibration.pixels if "agreement" in found else calibration.hashes
