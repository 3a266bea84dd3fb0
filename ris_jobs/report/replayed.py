"""A run judged again from what is stored: how its rows compare, as values and for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ris_jobs.report.text import plural, visible

__all__ = ["Change", "Difference", "Replayed", "changes", "replayed"]

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
class Replayed:
    """A run's ``rows`` that were judged again, and those that came out otherwise; of ``erased``
    ones an image is described no more. ``code`` is the version that wrote them, ``code_now`` the
    one that judged again."""

    run_id: int
    rows: int
    model: str
    calibration: str
    config_hash: str
    code: str
    code_now: str
    differences: Sequence[Difference]
    erased: int = 0


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
    with_what = f"{done.model}, calibration {done.calibration}, settings {done.config_hash}"
    code = done.code if done.code == done.code_now else f"{done.code}, now {done.code_now}"
    lines = [Text(f"run {done.run_id}: {_outcome(done)}"), Text(f"{with_what}, code {code}", "dim")]
    for one in done.differences:
        lines.append(Text(visible(f"{one.derived_uri} → {one.source_uri}"), "bold"))
        said = [f"{c.what}: {c.kept}, now {c.now}" for c in one.changes] or ["no match any more"]
        lines += [Text(visible(f"    {line}")) for line in said]
    return Group(*lines)


def _outcome(done: Replayed) -> str:
    erased = f"; of {done.erased:,} more an image was erased" if done.erased else ""
    if not done.differences:
        return f"{plural(done.rows, 'row')}, all as they were{erased}"
    return f"{plural(done.rows, 'row')}, {len(done.differences):,} not as they were{erased}"
