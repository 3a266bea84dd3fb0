"""Compares exported matches with the truth of a suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.accuracy.truth import Row
from benchmarks.matching.claims import claims
from benchmarks.reliability import Bin, bins

Match = Mapping[str, Any]
"""A row of `ris export matches`."""

ASKING = frozenset({"copy", "distractor_copy", "negative"})
ANSWERING = frozenset({"source", "distractor", "negative"})
IOU, SCALE = 0.9, 0.03


@dataclass(frozen=True, slots=True)
class Tally:
    """Of some copies: how many there are, were ``found``, how many of the found have a relation to
    be told (``told``) and the right one, the right and the wrong direction; how many boxes and
    scales could be compared, and how many lie within :data:`IOU` and :data:`SCALE`."""

    copies: int
    found: int
    told: int
    relation: int
    directed: int
    reversed: int
    boxes: int
    boxed: int
    scales: int
    scaled: int


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The found copies by their row, each with its match and whether it was called derived; the
    wrong matches with their two rows; of each match of which it is known whether it is of one
    photo (1) or not (0): its relation, its probability and that; and how often each reason for a
    direction was given of two copies of one photo, by whether it can be (:mod:`.claims`)."""

    rows: Sequence[Row]
    found: Mapping[int, tuple[Match, bool]]
    wrong: Sequence[tuple[Match, int, int]]
    known: Sequence[tuple[str, float, float]]
    claims: Mapping[tuple[str, bool], int]

    @property
    def precision(self) -> float:
        """The share of right matches, 0–1; 1 where none was made."""
        return len(self.found) / max(1, len(self.found) + len(self.wrong))

    def reliability(self) -> dict[str, list[Bin]]:
        """How true the probabilities are of each relation, and of all under ""."""
        groups: dict[str, list[tuple[float, float]]] = {}
        for relation, chance, truth in self.known:
            for name in (relation, ""):
                groups.setdefault(name, []).append((chance, truth))
        return {name: bins(*np.array(pairs).T) for name, pairs in sorted(groups.items())}

    def tally(self, chosen: Iterable[int]) -> Tally:
        """Of the copies in these rows."""
        counts = Counter[str]()
        for number in chosen:
            counts["copies"] += 1
            if number in self.found:
                counts.update(_seen(self.rows[number], *self.found[number]))
        return Tally(**{name: counts[name] for name in Tally.__slots__})

    def copies(self, field: str | None = None) -> dict[str, list[int]]:
        """Rows of the copies by the value of a field, all under "" without one."""
        groups: dict[str, list[int]] = {}
        for number, row in enumerate(self.rows):
            if row.kind == "copy":
                groups.setdefault(str(getattr(row, field)) if field else "", []).append(number)
        return groups


def compare(rows: Sequence[Row], matches: Iterable[Match], numbers: Mapping[str, int]) -> Verdicts:
    """``numbers``: URI → row of the suite's files."""
    found: dict[int, tuple[Match, bool]] = {}
    wrong, known, claimed = [], [], Counter[tuple[str, bool]]()
    for match in matches:
        if match["suppressed"] is not None:
            continue
        one, two = (numbers[match[side]] for side in ("derived_uri", "source_uri"))
        copy = next((c for c, s in ((one, two), (two, one)) if _is_source(rows, c, s)), None)
        if copy is not None:
            found[copy] = (match, copy == one)
        elif _counts(rows[one], rows[two]):
            wrong.append((match, one, two))
        if (truth := _of_one_photo(rows[one], rows[two])) is not None:
            known.append((match["relation"], match["probability"], truth))
        claimed.update(claims(match, rows[one], rows[two]))
    return Verdicts(rows, found, wrong, known, claimed)


def _is_source(rows: Sequence[Row], copy: int, source: int) -> bool:
    return rows[copy].kind == "copy" and rows[copy].source == source


def _counts(one: Row, two: Row) -> bool:
    """Whether one of them asks and the other may answer."""
    return not one.shows_also(two) and any(
        a.kind in ASKING and b.kind in ANSWERING for a, b in ((one, two), (two, one))
    )


def _of_one_photo(one: Row, two: Row) -> float | None:
    """1 where both are of one photo, 0 where they are not; None where both may show a third."""
    if one.photo == two.photo and "negative" not in (one.kind, two.kind):
        return 1.0
    return 0.0 if _counts(one, two) else None


def _seen(row: Row, match: Match, derived: bool) -> Iterator[str]:
    """The names of what counts for a found copy."""
    yield "found"
    if row.relation is not None:
        yield "told"
        if match["relation"] == row.relation:
            yield "relation"
    if match["evidence"].get("direction") != "undetermined":
        yield "directed" if derived else "reversed"
    if not derived:
        return
    if row.box is not None and match["box"] is not None and match["relation"] == row.relation:
        yield "boxes"
        if iou(row.box, match["box"]) >= IOU:
            yield "boxed"
    if row.scale is not None:
        yield "scales"
        if abs(match["scale"] / row.scale - 1) <= SCALE:
            yield "scaled"


def iou(one: Sequence[float], two: Sequence[float]) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1), 0–1."""
    wide = min(one[2], two[2]) - max(one[0], two[0])
    high = min(one[3], two[3]) - max(one[1], two[1])
    both = max(0.0, wide) * max(0.0, high)
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (one, two))
    return both / (sum(areas) - both)
