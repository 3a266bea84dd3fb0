"""Sides made of real file bytes by the real fingerprint stage."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

import pytest

from ris_jobs.fingerprint import Fingerprint, Rgb
from ris_jobs.fingerprint.decode import decode
from ris_jobs.fingerprint.hashes import hashes
from ris_jobs.fingerprint.quality import quality
from ris_jobs.match import Match, Side
from ris_jobs.match.calibration import ANY_MODEL, Calibration
from ris_jobs.match.judge import judge
from tests.match.scenes import NOON


class Collection:
    """Sides and previews by image id, from the bytes of files."""

    def __init__(self) -> None:
        self.sides: dict[int, Side] = {}
        self.previews: dict[int, Rgb | None] = {}

    def add(self, data: bytes, *, first_seen_at: datetime = NOON, sampled: bool = False) -> Side:
        """``sampled``: with its patches, which tell what was encoded from what."""
        decoded = decode(data, max_pixels=10**7, truncated="reject")
        rgb = decoded.rgb
        fingerprint = Fingerprint(
            decoded.width,
            decoded.height,
            decoded.format,
            decoded.frames,
            decoded.exif_orientation,
            hashes(rgb),
            quality(rgb),
            decoded.traces,
            decoded.sample if sampled else b"",
        )
        number = len(self.sides) + 1
        side = Side(number, hashlib.sha256(data).hexdigest(), fingerprint, first_seen_at)
        self.sides[number], self.previews[number] = side, rgb
        return side


@pytest.fixture
def collection() -> Collection:
    return Collection()


@pytest.fixture(scope="session")
def calibration() -> Calibration:
    return Calibration.for_model(ANY_MODEL)


Judge = Callable[..., Match | None]


@pytest.fixture
def decide(collection: Collection, calibration: Calibration) -> Judge:
    """Judges two sides of the collection; the cosine is that of near pictures."""

    def decide(a: Side, b: Side, cosine: float = 0.9) -> Match | None:
        return judge(
            a,
            b,
            cosine,
            calibration=calibration,
            min_probability=0.5,
            load_preview=collection.previews.get,
        )

    return decide
