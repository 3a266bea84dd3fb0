"""How well a calibration does on pairs it was not fitted on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from benchmarks.reliability import Bin, bins
from ris_jobs.match import Candidate, Match, Relation
from ris_jobs.match import judge as judging
from ris_jobs.match.calibration import Calibration, Logistic
from ris_jobs.match.compared import Compared
from training.calibrate.fit import Sample
from training.calibrate.pairs import DEFAULTS, Item, Scan, loader

_COUNTED = ("copies", "found", "relation", "direction", "wrong")


def reliability(data: Sample, model: Logistic) -> list[Bin]:
    """How true the model's probabilities are."""
    chance = np.array([model.probability(row) for row in data.rows])
    return bins(chance, data.truth, data.weight)


def shapes(data: Sample) -> dict[str, Sample]:
    """The pairs by how they lie on each other, and by how much there is to see."""
    inside = np.array([row["inside"] > 0 for row in data.rows])
    complexity = np.array([row["complexity"] for row in data.rows])
    plain = complexity < np.median(complexity)
    return {
        "whole pictures, the plainer half": data.only(~inside & plain),
        "whole pictures, the richer half": data.only(~inside & ~plain),
        "parts, the plainer half": data.only(inside & plain),
        "parts, the richer half": data.only(inside & ~plain),
    }


def measure(held: Scan, calibration: Calibration) -> Iterator[str]:
    """Lines of a table: per family of edits how many copies were tied to their source, with the
    right relation, with the right and with the wrong direction; then the precision of all pairs."""
    items, places = held.items, {item.row.file: n for n, item in enumerate(held.items)}
    found = judged(held, calibration)
    sources = {item.row.photo: item for item in items if item.row.kind == "source"}
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        if item.row.kind == "copy" and item.row.photo in sources:
            pair = frozenset((places[item.row.file], places[sources[item.row.photo].row.file]))
            _count(tally[str(item.row.family)], found.get(pair), item)
    for family, counts in sorted(tally.items()):
        yield f"  {family:14s} " + "  ".join(f"{kind} {counts[kind]:3d}" for kind in _COUNTED)
    total = sum(tally.values(), Counter())
    yield "  all            " + "  ".join(f"{kind} {total[kind]:3d}" for kind in _COUNTED)
    kind_of = dict(zip(map(_both, held.pairs), held.kinds.tolist(), strict=True))
    kept = [(pair, m) for pair, m in found.items() if m.suppressed is None]
    wrong = [(pair, match) for pair, match in kept if kind_of[pair]]
    yield f"  {len(kept)} unsuppressed matches, {len(wrong)} of them no copies"
    for pair, match in wrong[:20]:
        rows = [items[i].row for i in pair]
        names = [row.group or f"{row.photo} {row.edit}" for row in rows]
        yield f"    {match.relation} {match.probability:.3f} {names}"


def judged(held: Scan, calibration: Calibration) -> dict[frozenset[int], Match]:
    """The matches of a scan, by their pair of ids."""
    matches = judging.judge_many(
        held.pairs,
        Compared.of(held.pairs, {item.side.image_id: item.side for item in held.items}),
        calibration=calibration,
        min_probability=DEFAULTS.min_probability,
        load_preview=loader(held),
    )
    return {frozenset((m.derived_id, m.source_id)): m for m in matches}


def _both(pair: Candidate) -> frozenset[int]:
    return frozenset((pair.image_id, pair.other_id))


def _count(tally: Counter[str], match: Match | None, copy: Item) -> None:
    tally["copies"] += 1
    if match is None or match.suppressed is not None:
        return
    tally["found"] += 1
    expected = copy.row.relation
    tally["relation"] += expected is None or match.relation == Relation(expected)
    if match.evidence["direction"] != "undetermined":
        tally["direction" if match.derived_id == copy.side.image_id else "wrong"] += 1
