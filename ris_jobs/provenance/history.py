"""How families go on from night to night: which keeps which id, and what became of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ris_jobs.provenance import Family

__all__ = ["Before", "Event", "events", "keep_ids"]


@dataclass(frozen=True, slots=True)
class Before:
    """A family as it was: its id, its anchor, all members."""

    family_id: int
    anchor_id: int
    members: Collection[int]


@dataclass(frozen=True, slots=True)
class Event:
    """``kind`` is merged, split, moved, shrank or ended, of ``family_id``; ``other_id`` is where
    members went, None where they are in no family; ``members`` are those of both."""

    family_id: int
    kind: str
    other_id: int | None
    members: frozenset[int]


def keep_ids(old: Sequence[Before], found: Sequence[Family]) -> list[int | None]:
    """For each found family the id of the one it continues: that with the same anchor, else that
    with the most members in common (of equals, the older); None for a new family."""
    anchors = {o.family_id: o.anchor_id for o in old}
    holders = {image: o.family_id for o in old for image in o.members}
    claims = sorted(
        (f.anchor_id != anchors[family_id], -shared, family_id, f.anchor_id)
        for f in found
        for family_id, shared in _shared(f.members, holders).items()
    )
    kept: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, family_id, anchor_id in claims:
        if anchor_id not in kept and family_id not in taken:
            kept[anchor_id] = family_id
            taken.add(family_id)
    return [kept.get(f.anchor_id) for f in found]


def events(old: Sequence[Before], now: Mapping[int, Family]) -> Iterator[Event]:
    """What became of ``old`` families, given those with their ids that hold their members now;
    growing is none."""
    known = {o.family_id for o in old}
    holders = {image: i for i, f in now.items() for image in f.members}
    for family in old:
        went = _shared(family.members, holders)
        if family.family_id in now:
            for i in sorted(went.keys() - {family.family_id}):
                yield _event(family, "moved" if i in known else "split", i, now[i])
            if not holders.keys() >= {*family.members}:
                yield Event(family.family_id, "shrank", None, frozenset(family.members))
        elif went:
            most = max(sorted(went), key=went.__getitem__)
            yield _event(family, "merged", most, now[most])
        else:
            yield Event(family.family_id, "ended", None, frozenset(family.members))


def _shared(members: Iterable[int], holders: Mapping[int, int]) -> Counter[int]:
    """The families that hold some of these members, and how many; an image is in one at most."""
    return Counter(holders[i] for i in {*members} if i in holders)


def _event(family: Before, kind: str, other_id: int, other: Family) -> Event:
    return Event(family.family_id, kind, other_id, frozenset({*family.members, *other.members}))
