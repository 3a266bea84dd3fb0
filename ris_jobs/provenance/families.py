"""Families: images tied to one anchor by direct verified pairs.

A family never chains: A–B and B–C do not put C beside A. Anchors are taken in the order of
their evidence, each with the direct matches that no better anchor holds yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ris_jobs.provenance import Family, ImageFacts, Pair
from ris_jobs.provenance.verdict import standing, verdict

__all__ = ["resolve"]

# A composite holds several sources: it links their families and belongs to none.
_LINKS_ONLY = frozenset({"composite"})


def resolve(pairs: Sequence[Pair], facts: Mapping[int, ImageFacts]) -> list[Family]:
    """Families of two images or more, sorted by anchor; each image is in one at most.

    The result does not depend on the order of ``pairs``. ``facts`` holds every image of a pair;
    KeyError otherwise.
    """
    ties = _ties(pair for pair in pairs if pair.relation not in _LINKS_ONLY)
    claims = {image: standing(image, around.values()) for image, around in ties.items()}

    def weight(image: int) -> tuple[object, ...]:
        known = facts[image]
        return (*claims[image].rank, -known.pixels, known.first_seen_at, image)

    families, placed = [], set[int]()
    for anchor in sorted(ties, key=weight):
        if anchor in placed:
            continue
        members = {anchor, *(other for other in ties[anchor] if other not in placed)}
        if len(members) > 1:
            placed |= members
            families.append(_family(anchor, members, ties, facts))
    return sorted(families, key=lambda family: family.anchor_id)


def _ties(pairs: Iterable[Pair]) -> dict[int, dict[int, Pair]]:
    """Image → the images it is directly matched to, each with the pair."""
    ties: dict[int, dict[int, Pair]] = defaultdict(dict)
    for pair in pairs:
        ties[pair.derived_id][pair.source_id] = pair
        ties[pair.source_id][pair.derived_id] = pair
    return dict(ties)


def _family(
    anchor: int,
    members: set[int],
    ties: Mapping[int, Mapping[int, Pair]],
    facts: Mapping[int, ImageFacts],
) -> Family:
    within = {
        frozenset((image, other)): pair
        for image in members
        for other, pair in ties[image].items()
        if other in members
    }
    known = {image: facts[image] for image in members}
    return Family(anchor, tuple(sorted(members)), verdict(anchor, list(within.values()), known))
