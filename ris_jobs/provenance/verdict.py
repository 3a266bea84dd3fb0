"""Who came first in a family, in plain words, or what is missing to say so.

The less suspect an image is of being made from another member, the more probable it is the source:
with s = log(1 + Σ exp(log-odds that it was made from each)), chances go by exp(−s). Equals share
theirs, and none is named; the confidence of one that is named is calibrated apart.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

from ris_jobs.provenance import Ruling, Verdict
from ris_jobs.provenance.clues import Kin
from ris_jobs.provenance.dates import claimed_dates, seen
from ris_jobs.provenance.model import Model
from ris_jobs.provenance.words import against, decided, favour

__all__ = ["chances", "ruled", "suspicion", "verdict"]


_APART = (
    "missing: the source itself: the best of its pictures and another one each hold something that "
    "the other one lost"
)
_ENLARGED = (
    "missing: an original: the best of its pictures is itself more likely another one enlarged "
    "than not"
)


def suspicion(image: int, kin: Kin, among: Collection[int], model: Model) -> float:
    """How far ``image`` seems to be made from any of ``among`` that it is tied to: 0 for not."""
    others = (other for other in kin.ties[image] if other in among)
    odds = [model.odds(kin.clues(image, other)) for other in others]
    return math.log1p(math.fsum(math.exp(value) for value in odds))


def chances(members: Collection[int], kin: Kin, model: Model) -> dict[int, float]:
    """Member → probability (0–1) that it is the source, if one of them is."""
    weight = {m: math.exp(-suspicion(m, kin, members, model)) for m in members}
    total = math.fsum(weight.values())
    return {member: value / total for member, value in weight.items()}


def verdict(anchor: int, members: Collection[int], kin: Kin, model: Model) -> Verdict:
    """The verdict on a family whose members are all tied to ``anchor``."""
    others = sorted(set(members) - {anchor})
    if any(kin.apart(anchor, other) for other in others):
        return Verdict(None, 0.0, (_APART,))
    chance = chances(members, kin, model)
    if chance[anchor] < model.threshold:
        return Verdict(None, 0.0, tuple(_missing(anchor, chance, kin, model)))
    if any(_enlarged(kin.clues(anchor, other), model) for other in others):
        return Verdict(None, 0.0, (_ENLARGED,))
    sure = model.confidence(chance[anchor])
    return Verdict(anchor, sure, tuple(_reasons(anchor, others, kin, model)))


def ruled(ruling: Ruling) -> Verdict:
    """What a reviewer decided goes before all evidence."""
    if ruling.source_id is None:
        return Verdict(None, 0.0, (f"missing: {ruling.who} left it open: {ruling.why}",))
    return Verdict(ruling.source_id, 1.0, (decided(ruling.who, ruling.why),))


def _enlarged(clues: Mapping[str, float], model: Model) -> bool:
    return clues.get("enlargement", 0) > 0 and model.odds(clues) > 0


def _reasons(anchor: int, others: Sequence[int], kin: Kin, model: Model) -> Iterator[str]:
    clues = [kin.clues(other, anchor) for other in others]
    for kind, weight in model.weights.items():
        yield from favour(kind, [c[kind] * weight for c in clues if c.get(kind, 0) > 0])
        yield from against(kind, [-c[kind] * weight for c in clues if c.get(kind, 0) < 0])
    copies = [kin.facts[other] for other in others]
    yield from seen(kin.facts[anchor], copies)
    yield from claimed_dates(kin.facts[anchor], copies)


def _missing(anchor: int, chance: Mapping[int, float], kin: Kin, model: Model) -> Iterator[str]:
    rival = max(chance.keys() - {anchor}, key=lambda m: (chance[m], kin.facts[m].sha256))
    best = max(chance.values())
    near = sum(value > best / 2 for value in chance.values())
    yield f"missing: {near} of its pictures may be the source, none with more than {best:.0%}"
    if model.odds(kin.clues(rival, anchor)) == 0:
        yield "missing: nothing tells the two most probable ones apart"
    else:
        yield "missing: what tells the two most probable ones apart weighs too little"
