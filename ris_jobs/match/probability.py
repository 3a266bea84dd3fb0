"""How likely a pair is a copy, from a few features by a calibrated logistic model."""

from __future__ import annotations

from ris_jobs.match import Side
from ris_jobs.match.alignment import Alignment
from ris_jobs.match.calibration import Calibration
from ris_jobs.match.rerank import HashDistance

__all__ = ["features", "probability"]


def features(
    sides: tuple[Side, Side],
    parts: tuple[int, int],
    cosine: float,
    distance: HashDistance,
    alignment: Alignment,
) -> dict[str, float]:
    """What the model looks at, by name; every value lies within −1…1.

    ``cosine`` is that of the two sides' ``parts``; ``partly`` is 1 where one of these is a region,
    ``common`` the mean of how common they are, ``complexity`` the lower of the two. What needs
    previews is left out where they are gone.
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
        found["agreement"] = 1.0 if alignment.pixels.same else alignment.pixels.agreement
        found["correlation"] = alignment.pixels.correlation
        found["inside"] = float(alignment.inside is not None)
        found["held"] = float(alignment.held)
    return found


def probability(found: dict[str, float], calibration: Calibration) -> float:
    """0–1, calibrated: of pairs at 0.9, 90 % are copies."""
    model = calibration.pixels if "agreement" in found else calibration.hashes
    return model.probability(found)
