"""Who came first in a family, in plain words, or what is missing to say so.

The anchor is the source when directed pairs say that others derive from it and no other member
stands as well. Confidence is a first estimate, not yet calibrated: the weakest supporting
probability, lowered by what speaks against.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ris_jobs.provenance import ImageFacts, Pair, Verdict

__all__ = ["Standing", "standing", "verdict"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What an image's pairs say of it: ``copies`` derive from it, it derives from ``parents``,
    and ``open_pairs`` do not say."""

    copies: int
    parents: int
    open_pairs: int

    @property
    def rank(self) -> tuple[int, int, int]:
        """Sorts the better evidenced source first."""
        degree = self.copies + self.parents + self.open_pairs
        return (int(self.parents > 0), self.parents - self.copies, -degree)


def standing(image: int, pairs: Collection[Pair]) -> Standing:
    """Counts of the pairs that ``image`` is in, by what they say of it."""
    mine = [pair for pair in pairs if image in (pair.derived_id, pair.source_id)]
    copies = sum(pair.directed and pair.source_id == image for pair in mine)
    parents = sum(pair.directed and pair.derived_id == image for pair in mine)
    return Standing(copies, parents, len(mine) - copies - parents)


def verdict(anchor: int, pairs: Collection[Pair], facts: Mapping[int, ImageFacts]) -> Verdict:
    """The verdict on a family whose members (``facts``) are tied by ``pairs``."""
    own = standing(anchor, pairs)
    # Nothing says of a rival that it derives from another member.
    derived = {pair.derived_id for pair in pairs if pair.directed}
    rivals = [image for image in facts if image != anchor and image not in derived]
    missing = list(_missing(own, rivals))
    if missing:
        return Verdict(None, 0.0, tuple(f"missing: {sentence}" for sentence in missing))
    support = [p.probability for p in pairs if p.directed and p.source_id == anchor]
    confidence = min(support) * own.copies / (own.copies + own.parents)
    return Verdict(anchor, confidence, tuple(_reasons(anchor, own, facts)))


def _missing(own: Standing, rivals: list[int]) -> Iterator[str]:
    if own.copies == 0:
        yield "no pair says which of the two pictures is derived"
    elif own.parents >= own.copies:
        yield f"as many pairs call it derived ({own.parents}) as call it a source ({own.copies})"
    elif rivals:
        count = len(rivals)
        others = "another member has" if count == 1 else f"{count} other members have"
        yield f"{others} no sign of being derived either"


def _reasons(anchor: int, own: Standing, facts: Mapping[int, ImageFacts]) -> Iterator[str]:
    others = [known for image, known in facts.items() if image != anchor]
    mine = facts[anchor]
    derive = "copy derives" if own.copies == 1 else "copies derive"
    yield f"for: {own.copies} {derive} from it by what they lost or were given"
    if own.parents:
        yield f"against: by {own.parents} of its pairs it would itself be derived"
    if own.open_pairs:
        yield f"against: {own.open_pairs} of its pairs do not say which picture is derived"
    larger = max(known.pixels for known in others)
    if mine.pixels > larger:
        yield f"for: it has the most pixels, {mine.width} × {mine.height}"
    elif mine.pixels < larger:
        yield "against: another member has more pixels"
    if mine.camera and not any(known.camera for known in others):
        yield "for: it alone names the camera it was taken with"
    if not mine.camera and any(known.camera for known in others):
        yield "against: another member names a camera, it does not"
    earliest = min(known.first_seen_at for known in others)
    if mine.first_seen_at < earliest:
        yield "for: it was seen first here, though first crawled is not first published"
    elif mine.first_seen_at > earliest:
        yield "against: another member was seen here before it"
