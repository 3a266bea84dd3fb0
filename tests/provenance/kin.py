"""Images and pairs to reason about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ris_jobs.fingerprint import Traces
from ris_jobs.provenance import ImageFacts, Pair

DAY = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = Traces(None, None, False, {})


def image(name: str, side: int = 500, day: int = 0, **traces: Any) -> ImageFacts:
    """An image of ``side`` × ``side`` pixels, first seen ``day`` days after the first."""
    return ImageFacts(name, side, side, DAY + timedelta(days=day), replace(PLAIN, **traces))


def facts(*sides: int) -> dict[int, ImageFacts]:
    """Images 1, 2, … of these sides."""
    return {n: image(f"{n:064x}", side) for n, side in enumerate(sides, 1)}


def derives(derived: int, source: int, claim: str = "resolution", **fields: Any) -> Pair:
    return Pair(derived, source, fields.pop("relation", "thumbnail"), 0.99, (claim,), **fields)


def tied(one: int, two: int, **fields: Any) -> Pair:
    """A pair that does not say which is derived."""
    return Pair(one, two, fields.pop("relation", "recompressed"), 0.99, **fields)
