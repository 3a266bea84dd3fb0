"""What files say of themselves in signed C2PA manifests."""

from __future__ import annotations

from ris_jobs.fingerprint import Manifest

__all__ = ["claimed"]

# What a manifest is worth that a known signer vouches for, and one that anybody may have signed:
# that it names the other's manifest as what it was made from, that it was made from something, that
# it was made from nothing.
_NAMED = {"trusted": 1.0, "valid": 0.6}
_MADE = {"trusted": 0.5, "valid": 0.3}
_CREATED = {"trusted": 0.5, "valid": 0.15}


def claimed(one: Manifest | None, two: Manifest | None) -> float:
    """How far manifests call the first of two pictures derived from the second (above 0), or the
    reverse: −1 to 1. A broken one says nothing, its own name included: it may have been copied from
    any file."""
    return min(max(_says(one, two) - _says(two, one), -1.0), 1.0)


def _says(one: Manifest | None, two: Manifest | None) -> float:
    found = 0.0
    if one is not None and one.parents:
        named = (
            two is not None and two.state in _NAMED and bool(two.label) and two.label in one.parents
        )
        found = (_NAMED if named else _MADE).get(one.state, 0.0)
    if two is not None and two.created:
        found = max(found, _CREATED.get(two.state, 0.0))
    return found
