"""How likely a pair is a copy, from a few features by a calibrated logistic model."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ris_jobs.match import Side
from ris_jobs.match.alignment import Alignment
from ris_jobs.match.calibration import Calibration, Logistic
from ris_jobs.match.pixels import Evidence
from ris_jobs.match.rerank import HashDistance

__all__ = ["features", "logistic", "probability"]


# Grey values between two cells, and the share of blocks, that are other content beyond doubt.
_DIFFERENT, _DISAGREES = 30.0, 0.5
# What counts as no other detail, as a share.
_LEAST = 0.01


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
    detail that differs. What needs previews is left out where they are gone.
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
    inliers = 0 if alignment.verified is None else alignment.verified.inliers
    differs = min(1.0, max(pixels.luma_worst, pixels.chroma_worst) / _DIFFERENT)
    return {
        "agreement": agreement,
        "correlation": pixels.correlation,
        "differs": differs,
        "template": common * differs,
        "unlike": common * min(1.0, (1 - agreement) / _DISAGREES),
        "inside": float(alignment.inside is not None),
        "verified": float(alignment.verified is not None),
        "inliers": min(1.0, math.log2(1 + inliers) / 10),
        "plain": pixels.plain or 0.0,
        "other": 1 + math.log10((pixels.other or 0.0) * (1 - _LEAST) + _LEAST) / 2,
    }


def probability(found: Mapping[str, float], calibration: Calibration) -> float:
    """0–1, calibrated: of pairs at 0.9, 90 % are copies."""
    return logistic(found, calibration).probability(found)


def logistic(found: Mapping[str, float], calibration: Calibration) -> Logistic:
    """The coefficients that fit: with previews or without."""
    return calibration.pixels if "agreement" in found else calibration.hashes
