"""What speaks for one image being made from another: signed numbers, each of one kind.

Every clue of A from B is the same of B from A with the other sign. What each is worth is fitted
(:mod:`ris_jobs.provenance.model`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ris_jobs.match.containment import even
from ris_jobs.provenance import ImageFacts, Pair
from ris_jobs.provenance.claims import claimed
from ris_jobs.provenance.encodings import ENCODINGS, Seen, coarser, encoding, generation, kept

__all__ = ["CLUES", "Kin"]

CLUES = (
    "containment", "border", "resolution", "enlargement", "grey", "faded", "inner", "framed",
    "coarser-part",
    *ENCODINGS, "generation", "changed", "camera", "manifest",
)  # fmt: skip
"""All kinds; see :meth:`Kin.clues`."""

_LINKS_ONLY = frozenset({"composite"})
_LOSSES = {"detail": "faded", "colour": "grey", "containment": "containment", "border": "border",
           "resolution": "resolution", "enlargement": "enlargement"}  # fmt: skip
_SAME_SIZE, _MORE_DETAIL = 0.02, 1.05
# Around a picture: from which share of one colour on it may have been added; it was not where it
# varies along the edge by more grey values, and steps no more across it than elsewhere (so are 32
# of 33 crops without a direction on calibration photos, and 2 of 45 pictures that were given a
# border or a caption band); where it is uneven, or has less text than this and does not step, it
# was rather cut off, unless it varies by no more than the last: what is drawn has no grain.
# From _SEAM to _CLEAR_SEAM nothing is told of what varies, as in a sky of stars.
_PLAIN, _RIM, _SEAM, _CLEAR_SEAM, _BARE, _DRAWN = 0.6, 6.5, 0.9, 1.05, 0.95, 0.4
# Many copies of one copy show what it shows, and are few witnesses.
_WITNESSES = math.log(4)


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
        self._clues: dict[tuple[int, int], Mapping[str, float]] = {}
        self._enlarged = {a for a, b in self._both() if "enlargement" in self._claims(a, b)}
        self._traces = {image: facts[image].traces for image in self.ties}
        for image in {a for a, b in self._both() if self._keeps(a, b)}:
            # Its own encoding lost nothing, but the one before it did.
            self._traces[image] = replace(self._traces[image], coarseness=None)

    def clues(self, image: int, other: int) -> Mapping[str, float]:
        """Kind → how far it calls ``image`` derived from ``other`` (above 0), or the reverse.

        * ``containment``, ``border``, ``resolution``, ``enlargement``, ``grey`` (colour lost),
          ``faded`` (detail lost): ±1, what it lost or was given; where nothing of these is told,
          ``framed``: ±1, the other one lies in it as in a border or over a caption band, ``inner``:
          ±1, it was rather cut out of the other one, and ``coarser-part``, as ``coarser``, but not
          where one alone is lossless; a ``border`` that lies unevenly is ``framed``, and half as
          much;
        * of the same frame only: what :func:`ris_jobs.provenance.encodings.encoding` says;
        * ``generation``: it was some coarser JPEG before (±1); ``changed``: where the two differ,
          more of the other images show what the other one shows (a logarithm, of at most 4);
        * ``camera``: the other names a camera (±1), which anybody can write; ``manifest``: signed
          manifests say so (±1, by how far they can be trusted).
        """
        if (image, other) not in self._clues:
            found = self._find(image, other)
            self._clues[image, other] = found
            self._clues[other, image] = {kind: -value for kind, value in found.items()}
        return self._clues[image, other]

    def _find(self, image: int, other: int) -> dict[str, float]:
        lost, given = self._losses(image, other), self._losses(other, image)
        told = set() if self.apart(image, other) else lost | given
        found = {kind: 1.0 if kind in lost else -1.0 for kind in sorted(told)}
        one, two = self._traces[image], self._traces[other]
        if not (lost or given) and self.ties[image][other].inner is not None:
            found |= self._inside(image, other)
            if one.lossless is two.lossless:  # what is lossless may hold what any encoding left
                found["coarser-part"] = coarser(one, two)
        if self._same_frame(image, other):
            found |= encoding(one, two, self._seen(image, other))
        if "faded" in lost | given:
            found.pop("overlay", None)  # detail was lost or added: what is left of both is faded
        found["generation"] = generation(one) - generation(two)
        found["changed"] = self._changed(image, other)
        found["camera"] = float(self.facts[other].camera) - float(self.facts[image].camera)
        found["manifest"] = claimed(one.manifest, two.manifest)
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
        if not _even(self.ties[image][other]):
            found.discard("border")  # it may have been cut out of a plain ground as well
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

    def _inside(self, image: int, other: int) -> dict[str, float]:
        """``inner`` or ``framed``, where one whole picture lies inside the other."""
        pair = self.ties[image][other]
        inside = (pair.inner == "derived") is (pair.derived_id == image)
        if (given := _given(pair)) is not None:
            return {"framed": -given if inside else given}
        part, whole = (image, other) if inside else (other, image)
        if self._scale(part, whole) > _MORE_DETAIL:
            return {}
        return {"inner": 1.0 if inside else -1.0}

    def _same_frame(self, image: int, other: int) -> bool:
        small, large = sorted((self.facts[image].side, self.facts[other].side))
        return self.ties[image][other].inner is None and large / small <= 1 + _SAME_SIZE

    def _keeps(self, image: int, other: int) -> bool:
        """Whether ``image`` keeps without loss the pixels of ``other``, which lost some."""
        return (
            self._same_frame(image, other)
            and kept(self._traces[image], self._traces[other], self._seen(image, other)) > 0
        )

    def _seen(self, image: int, other: int) -> Seen:
        pair = self.ties[image][other]
        found = pair.remade
        if found is None:
            return Seen(pair.changed, pair.recoloured, pair.mirrored)
        roundings = (found.first, found.second)
        one, two = roundings if pair.derived_id == image else roundings[::-1]
        same = max(found.same, found.toned) if pair.recoloured else found.same
        return Seen(pair.changed, pair.recoloured, pair.mirrored, one, two, same)

    def _changed(self, image: int, other: int) -> float:
        """Where the two differ: how many of their common relatives show what ``other`` shows, and
        not ``image``, over how many the reverse, each and one more; the logarithm."""
        one, two = self.ties[image], self.ties[other]
        if not one[other].changed:
            return 0.0
        seen = [(one[t].changed, two[t].changed) for t in one.keys() & two.keys()]
        ratio = math.log((1 + seen.count((True, False))) / (1 + seen.count((False, True))))
        return min(max(ratio, -_WITNESSES), _WITNESSES)


def _given(pair: Pair) -> float | None:
    """How far (0–1) a plain ground seems to have been given to the picture that lies in it; None
    where that picture was rather cut out, 0 where nothing tells."""
    around = pair.around
    if around is None or around.plain < _PLAIN:
        return None
    evenly, steps = _even(pair), around.seam >= _SEAM
    if "border" in (*pair.claims, *pair.counterclaims):
        return 1.0 if evenly else 0.5
    if around.rim > _RIM and around.seam < _CLEAR_SEAM:
        return 0.0 if steps else None
    if evenly and (around.plain < _BARE or steps):
        return 1.0
    return 0.0 if around.seam >= _CLEAR_SEAM or around.rim <= _DRAWN else None


def _even(pair: Pair) -> bool:
    return pair.box is None or even(pair.box)
