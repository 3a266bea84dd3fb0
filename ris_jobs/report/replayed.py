"""A run judged again from what is stored: how its rows compare, as values and for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ris_jobs.report.text import plural, visible
from ris_jobs.rules import same_rules

__all__ = [
    "Change",
    "Difference",
    "FamilyDifference",
    "Replayed",
    "Verdicts",
    "changes",
    "replayed",
]

# Evidence is kept to four digits, of which the last may turn with the order of a sum.
_TOLERANCE = 2e-4


@dataclass(frozen=True, slots=True)
class Change:
    """What of a row is not as it was; ``what`` is a column, or a path into the evidence."""

    what: str
    kept: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not as it was, with its changes; none: the pair is no match any more."""

    derived_uri: str
    source_uri: str
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class FamilyDifference:
    """A family that does not come out as it was, by the URI of its anchor; no changes: there is no
    such family any more."""

    family_id: int
    anchor_uri: str
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The ``rows`` of a run's families that were found again, by the ``weights`` of that version,
    and those that came out otherwise. Of ``erased`` ones an image was erased since;
    ``by_other_weights`` are those that this version cannot find again."""

    rows: int
    weights: str
    differences: Sequence[FamilyDifference]
    erased: int = 0
    by_other_weights: int = 0


@dataclass(frozen=True, slots=True)
class Replayed:
    """A run's ``rows`` that were judged again, and those that came out otherwise; of ``erased``
    ones an image is described no more. ``code`` wrote them, ``code_now`` judged again
    (:mod:`ris_jobs.rules`)."""

    run_id: int
    rows: int
    model: str
    calibration: str
    config_hash: str
    code: str
    code_now: str
    differences: Sequence[Difference]
    verdicts: Verdicts
    erased: int = 0

    @property
    def same(self) -> bool:
        """Whether all that was judged and found again came out as it was."""
        return not (self.differences or self.verdicts.differences)

    @property
    def by_other_rules(self) -> bool:
        """Whether other rules wrote the rows than judged them again."""
        return not same_rules(self.code, self.code_now)


def changes(kept: Any, now: Any, what: str = "") -> Iterator[Change]:
    """Where two values of JSON differ, numbers by more than two in the fourth digit."""
    if isinstance(kept, Mapping) and isinstance(now, Mapping):
        for name in sorted(kept.keys() | now.keys()):
            yield from changes(kept.get(name), now.get(name), f"{what}.{name}" if what else name)
    elif not _same(kept, now):
        yield Change(what, kept, now)


def _same(kept: Any, now: Any) -> bool:
    if isinstance(kept, float) or isinstance(now, float):
        numbers = isinstance(kept, int | float) and isinstance(now, int | float)
        return numbers and math.isclose(kept, now, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    if isinstance(kept, list) and isinstance(now, list):
        return len(kept) == len(now) and all(map(_same, kept, now))
    return bool(kept == now)


def replayed(done: Replayed) -> RenderableType:
    """In one sentence, with what was judged, and every difference."""
    v = done.verdicts
    matches = _outcome(plural(done.rows, "row"), len(done.differences), done.erased)
    families = _outcome(plural(v.rows, "family", "families"), len(v.differences), v.erased)
    lines = [Text(f"run {done.run_id}: {matches}"), Text(f"run {done.run_id}: {families}")]
    if v.by_other_weights:
        said = plural(v.by_other_weights, "more family", "more families")
        lines.append(Text(f"{said} by other weights, which this version of ris-jobs does not have"))
    if done.by_other_rules:
        lines.append(Text("judged by other rules: rows may come out otherwise"))
    lines.append(Text(_with_what(done), "dim"))
    for one in done.differences:
        lines += _told(f"{one.derived_uri} → {one.source_uri}", one.changes, "no match any more")
    for other in v.differences:
        lines += _told(
            f"family {other.family_id} of {other.anchor_uri}", other.changes, "no family any more"
        )
    return Group(*lines)


def _with_what(done: Replayed) -> str:
    code = done.code if done.code == done.code_now else f"{done.code}, now {done.code_now}"
    return (
        f"{done.model}, calibration {done.calibration}, provenance {done.verdicts.weights}, "
        f"settings {done.config_hash}, code {code}"
    )


def _told(title: str, changed: Sequence[Change], gone: str) -> Iterator[Text]:
    yield Text(visible(title), "bold")
    for line in [f"{c.what}: {c.kept}, now {c.now}" for c in changed] or [gone]:
        yield Text(visible(f"    {line}"))


def _outcome(rows: str, differences: int, erased: int) -> str:
    left_out = f"; of {erased:,} more an image was erased" if erased else ""
    as_before = f"{differences:,} not as they were" if differences else "all as they were"
    return f"{rows}, {as_before}{left_out}"
