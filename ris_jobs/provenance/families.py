"""Families: images tied to one anchor by direct verified pairs.

A family never chains: A–B and B–C do not put C beside A. Anchors are taken in the order of
their evidence, each with the direct matches that no better anchor holds yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ris_jobs.provenance import Family, ImageFacts, Pair, Ruling
from ris_jobs.provenance.clues import Kin
from ris_jobs.provenance.model import Model, model
from ris_jobs.provenance.verdict import ruled, suspicion, verdict

__all__ = ["resolve"]

# Rounding of sums must not decide between equals.
_DIGITS = 6


def resolve(
    pairs: Iterable[Pair],
    facts: Mapping[int, ImageFacts],
    rulings: Sequence[Ruling] = (),
    weights: Model | None = None,
) -> list[Family]:
    """Families of two images or more, sorted by anchor; each image is in one at most.

    ``facts`` holds every image of a pair (KeyError otherwise); ``rulings`` are those that hold, one
    an image at most, the latest last. Members, source and confidence depend neither on the order of
    ``pairs`` nor on ids and dates; reasons tell dates, which weigh nothing.
    """
    of = weights or model()
    kin = Kin(pairs, facts)
    families, placed = [], set[int]()
    for anchor in _order(kin, rulings, of):
        members = {anchor, *kin.ties[anchor]} - placed
        if anchor in members and len(members) > 1:
            placed |= members
            families.append(_family(anchor, members, kin, rulings, of))
    return sorted(families, key=lambda family: family.anchor_id)


def _order(kin: Kin, rulings: Sequence[Ruling], of: Model) -> list[int]:
    """Images, the best anchors first: those that reviewers named, the latest before others, then by
    their evidence, how many they are tied to, and their size."""
    named = {ruling.source_id: -place for place, ruling in enumerate(rulings, 1)}

    def rank(image: int) -> tuple[object, ...]:
        known, ties = kin.facts[image], kin.ties[image]
        doubt = round(suspicion(image, kin, ties, of), _DIGITS)
        return (named.get(image, 0), doubt, -len(ties), -known.side, known.sha256)

    return sorted(kin.ties, key=rank)


def _family(
    anchor: int, members: Collection[int], kin: Kin, rulings: Sequence[Ruling], of: Model
) -> Family:
    said = [r for r in rulings if r.member_id in members and r.source_id in {None, anchor}]
    found = ruled(said[-1]) if said else verdict(anchor, members, kin, of)
    return Family(anchor, tuple(sorted(members)), found)
