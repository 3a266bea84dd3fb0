"""What speaks for one image being made from another: signed numbers, each of one kind.

Every clue of A from B is the same of B from A with the other sign. What each is worth is fitted
(:mod:`ris_jobs.provenance.model`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

from ris_jobs.match.remade import Rounding
from ris_jobs.provenance import ImageFacts, Pair
from ris_jobs.provenance.encodings import (
    added_detail,
    coarser,
    faded_colours,
    generation,
    ghost,
    memory,
    rounded,
    same_pixels,
    spread,
    unfit,
)

__all__ = ["CLUES", "Kin"]

CLUES = (
    "containment", "border", "resolution", "enlargement", "faded", "inner", "coarser",
    "requantised", "ghost", "pixels", "generation", "changed", "camera",
    "coarser-edited", "rounded", "unfit", "spread", "framed", "reduced", "chroma", "chroma-edited", "overlay",
)  # fmt: skip
"""All kinds; see :meth:`Kin.clues`."""

_LINKS_ONLY = frozenset({"composite"})
_LOSSES = {"detail": "faded", "colour": "faded", "containment": "containment", "border": "border",
           "resolution": "resolution", "enlargement": "enlargement"}  # fmt: skip
_SAME_SIZE, _MORE_DETAIL = 0.02, 1.05
# Evidence of an earlier quality (nats a coefficient): what counts as one, and the least that tells
# of a quality that no relative has.
_REQUANTISED, _UNASKED = 0.03, 0.04
_NEAR, _COARSER = 2, 3


class Kin:
    """The images that ``pairs`` tie together; composites tie nothing."""

    def __init__(self, pairs: Iterable[Pair], facts: Mapping[int, ImageFacts]) -> None:
        self.facts = facts
        ties: dict[int, dict[int, Pair]] = defaultdict(dict)
        for pair in pairs:
            if pair.relation not in _LINKS_ONLY:
                ties[pair.derived_id][pair.source_id] = pair
                ties[pair.source_id][pair.derived_id] = pair
        self.ties: Mapping[int, Mapping[int, Pair]] = dict(ties)
        self._enlarged = {a for a, b in self._both() if "enlargement" in self._claims(a, b)}

    def clues(self, image: int, other: int) -> dict[str, float]:
        """Kind → how far it calls ``image`` derived from ``other`` (above 0), or the reverse.

        * ``containment``, ``border``, ``resolution``, ``enlargement``, ``faded`` (colour or detail
          lost): ±1, what it lost or was given; ``inner``: ±1, it lies inside the other one, in more than a border, and
          nothing says more;
        * of the same frame only: ``coarser``, by how many times (log2) its encoding leaves more
          error, at most ±2; ``requantised``, its coefficients remember the other's JPEG quality
          (±3); ``ghost``: the same through another coder or a mirror (±1); ``pixels``: it keeps
          without loss the pixels of a file that lost some (±1);
        * ``generation``: it was some coarser JPEG before (±1); ``changed``: third images show what
          the other one shows, where the two differ (±1);
        * ``camera``: the other names a camera (±1), which anybody can write.
        """
        lost, given = self._losses(image, other), self._losses(other, image)
        told = set() if self.apart(image, other) else lost | given
        found = {kind: 1.0 if kind in lost else -1.0 for kind in sorted(told)}
        found_claims = lost or given
        if not (lost or given) and self._inner(image, other):
            found["inner"] = self._inner(image, other)
        found |= self._encoding(image, other) if self._same_frame(image, other) else {}
        found["generation"] = generation(self.facts[image].traces) - generation(
            self.facts[other].traces
        )
        if not found_claims and not self._same_frame(image, other):
            found |= self._unclaimed(image, other)
        found["changed"] = self._changed(image, other)
        found["camera"] = float(self.facts[other].camera) - float(self.facts[image].camera)
        return {kind: value for kind, value in found.items() if value}

    def apart(self, image: int, other: int) -> bool:
        """Whether each lost something that the other one has, so that neither was made from the
        other: such as a part in more detail than the whole."""
        return bool(self._losses(image, other)) and bool(self._losses(other, image))

    def _both(self) -> Iterable[tuple[int, int]]:
        return ((a, b) for a, others in self.ties.items() for b in others)

    def _claims(self, image: int, other: int) -> tuple[str, ...]:
        pair = self.ties[image][other]
        return pair.claims if pair.derived_id == image else pair.counterclaims

    def _losses(self, image: int, other: int) -> set[str]:
        claims = self._claims(image, other)
        found = {_LOSSES[claim] for claim in claims if claim in _LOSSES}
        if other in self._enlarged:
            found.discard("resolution")  # its pixels are not its own
        shown = "containment" in self._claims(other, image)
        if shown and self._scale(other, image) > _MORE_DETAIL and other not in self._enlarged:
            found.add("resolution")
        return found

    def _scale(self, image: int, other: int) -> float:
        """Linear size of what both show, in ``image`` over in ``other``."""
        pair = self.ties[image][other]
        return pair.scale if pair.derived_id == image else 1 / pair.scale

    def _inner(self, image: int, other: int) -> float:
        pair = self.ties[image][other]
        if pair.inner is None or pair.relation == "padded":
            return 0.0
        inside = (pair.inner == "derived") is (pair.derived_id == image)
        part, whole = (image, other) if inside else (other, image)
        return 0.0 if self._scale(part, whole) > _MORE_DETAIL else 1.0 if inside else -1.0

    def _unclaimed(self, image: int, other: int) -> dict[str, float]:
        pair = self.ties[image][other]
        sign = 1.0 if pair.derived_id == image else -1.0
        if pair.relation == "padded":
            return {"framed": sign}
        scale = self._scale(image, other)
        if "resolution" not in () and abs(math.log(scale)) > math.log(_MORE_DETAIL) and not {image, other} & self._enlarged:
            return {"reduced": -math.copysign(1.0, math.log(scale))}
        return {}

    def _same_frame(self, image: int, other: int) -> bool:
        small, large = sorted((self.facts[image].side, self.facts[other].side))
        return self.ties[image][other].inner is None and large / small <= 1 + _SAME_SIZE

    def _encoding(self, image: int, other: int) -> dict[str, float]:
        one, two = self.facts[image].traces, self.facts[other].traces
        pair = self.ties[image][other]
        mine, its = self._roundings(image, other)
        found = {
            "ghost": ghost(one, two) - ghost(two, one),
            "pixels": same_pixels(one, two, pair.remade),
            "rounded": rounded(mine, its),
            "spread": spread(mine, its),
        }
        if not pair.mirrored:
            found["requantised"] = memory(one, two) - memory(two, one)
        if not pair.changed:
            found["unfit"] = unfit(mine, its)
        if one.detail and two.detail:
            found["chroma-edited" if pair.changed else "chroma"] = faded_colours(one, two)
        if pair.changed and one.detail and two.detail:
            found["overlay"] = added_detail(one, two)
        if not any(abs(found[k]) > 0.5 for k in ("pixels", "rounded")):
            found["coarser-edited" if pair.changed else "coarser"] = coarser(one, two)
        return found

    def _roundings(self, image: int, other: int) -> tuple[Rounding | None, Rounding | None]:
        pair = self.ties[image][other]
        if pair.remade is None:
            return None, None
        both = (pair.remade.first, pair.remade.second)
        return both if pair.derived_id == image else both[::-1]

    def _changed(self, image: int, other: int) -> float:
        """Where the two differ: in how many more of their common relatives' eyes ``image`` does."""
        if not self.ties[image][other].changed:
            return 0.0
        third = self.ties[image].keys() & self.ties[other].keys()
        more = sum(self.ties[image][t].changed - self.ties[other][t].changed for t in third)
        return more / (len(third) + 1)
