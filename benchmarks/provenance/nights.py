"""How families grow from night to night: are their pairs right, and do their ids stay?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.provenance.scan import arrive, verdicts
from benchmarks.provenance.scores import pairs
from benchmarks.provenance.suite import Family, until


@dataclass(frozen=True, slots=True)
class Night:
    """After a night: how many ``files`` have arrived and how many ``families`` there are; precision
    and recall (0–1) of the pairs of arrived files that share a family; ``kept``, the share of the
    files in a family the night before whose family has the same id now."""

    files: int
    families: int
    precision: float
    recall: float
    kept: float


def watched(families: Sequence[Family], files: Path, out: Path, nights: int) -> Iterator[Night]:
    """Scans night by night, and looks at the families after each."""
    before: Mapping[str, int] = {}
    for night in range(nights):
        arrive(families, files, out, night)
        family_of, _, _ = verdicts(out)
        there = [until(family, night) for family in families]
        yield _night(there, family_of, before)
        before = family_of


def _night(
    there: Sequence[Family], family_of: Mapping[str, int], before: Mapping[str, int]
) -> Night:
    precision, recall = pairs(there, family_of)
    kept = [family_of.get(name) == family for name, family in before.items()]
    return Night(
        sum(len(family.files) for family in there),
        len(set(family_of.values())),
        precision,
        recall,
        sum(kept) / len(kept) if kept else 1.0,
    )


def lines(found: Sequence[Night]) -> Iterator[str]:
    yield "| night | files | families | pair precision | pair recall | same id as before |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for number, of in enumerate(found, 1):
        shares = " | ".join(f"{share:.4f}" for share in (of.precision, of.recall, of.kept))
        yield f"| {number} | {of.files} | {of.families} | {shares} |"
