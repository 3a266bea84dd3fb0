"""What is said of copies of one photo, held to what was done to each: neither was made of the
other, so most is neither right nor wrong; but a captioned copy was not cut out of anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.accuracy.truth import Row

__all__ = ["claims", "possible"]

_GIVEN_GROUND = frozenset({"padded", "composite"})
_MADE_BY: Mapping[str, frozenset[str]] = {
    "containment": frozenset({"crop"}),
    "border": _GIVEN_GROUND,
    "pasted": _GIVEN_GROUND,
}
# Families that cut a part off or show ground beside the photo, whatever their relation.
_BOTH = frozenset({"chain", "perspective", "screen_photo", "straightened"})


def claims(match: Mapping[str, Any], derived: Row, source: Row) -> Iterator[tuple[str, bool]]:
    """Why a copy is called derived from another one of its photo, and whether that can be; nothing
    of other pairs, of those without a direction, and of reasons that fit any copy."""
    reason = match["evidence"].get("direction")
    copies = derived.kind == source.kind == "copy" and derived.photo == source.photo
    if copies and reason in _MADE_BY:
        yield reason, possible(reason, derived)


def possible(reason: str, derived: Row) -> bool:
    """Whether a copy can be derived for this reason."""
    return derived.family in _BOTH or derived.relation in _MADE_BY[reason]
