"""Values to put into the tables."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection

from ris_jobs.crawl import Observation
from ris_jobs.fingerprint import Fingerprint, Hashes, Quality, Traces
from ris_jobs.match import Match, Relation
from ris_jobs.store import images
from ris_jobs.store.runs import Model

MODEL = Model(
    name="test", version="1", weights_sha256="ab" * 32, dim=8, input_size=32, regions="5+10"
)
AT = datetime(2026, 1, 2, tzinfo=UTC)


def observed(uri: str, content: str | None, version: str = "1") -> Observation:
    """What a URI showed: bytes made from ``content``."""
    sha256 = hashlib.sha256(content.encode()).hexdigest() if content else None
    return Observation(uri, AT, version, 10, AT, sha256)


def fingerprint(seed: int = 0) -> Fingerprint:
    """Values in range, different for every seed; all 64 bits of the hashes are used."""
    rng = np.random.default_rng(seed)
    bits = [tuple(int(v) for v in rng.integers(0, 2**64, 8, np.uint64)) for _ in range(2)]
    return Fingerprint(
        width=640,
        height=480,
        format="JPEG",
        frames=1,
        exif_orientation=1,
        hashes=Hashes(bits[0], bits[1], rng.bytes(32), 90),
        quality=Quality(0.5, 20.0, tuple(float(v) for v in np.float32(rng.normal(size=32)))),
        traces=Traces(75, "4:2:0", False, {"Make": "Acme"}),
    )


def fingerprinted(db: Connection) -> list[int]:
    """Give every pending image a fingerprint; returns the ids, in order."""
    ids = [c.image_id for c in images.claim_pending(db, 0, 1000)]
    images.save_fingerprints(db, {i: fingerprint(i) for i in ids})
    return ids


def matched(derived: int, source: int, **changes: object) -> Match:
    values: dict[str, object] = {
        "derived_id": derived,
        "source_id": source,
        "relation": Relation.THUMBNAIL,
        "probability": 0.99,
        "cosine": 0.9,
        "hash_distance": 2,
        "inliers": None,
        "scale": 0.5,
        "orientation": 1,
        "box": None,
        "suppressed": None,
        "evidence": {"direction": "resolution"},
    }
    return Match(**(values | changes))  # type: ignore[arg-type]  # a dict of mixed values
